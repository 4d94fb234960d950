"""Apus in the nodes of a shape: an origin relay, caching relays, `apus weights fetch`."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import members

PORT = 7800


class Tree:
    def __init__(self, network, shape, binaries, folder, hostile=None):
        """`hostile` maps names of relays to arguments of hostile_relay.py, which then stand in for them."""
        self.network, self.shape, self.binaries, self.folder = network, shape, binaries, folder
        self.hostile = hostile or {}
        self.relays, self.clients = {}, {}
        os.makedirs(folder, exist_ok=True)
        self.key = self.path("lab.key")
        self.apus("keys", "new", "--out", self.key)
        self.trust = self.apus("keys", "show", self.key).strip()
        os.makedirs(self.path("origin"))

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def apus(self, *arguments):
        return subprocess.check_output([f"{self.binaries}/apus", *arguments], text=True, stderr=subprocess.DEVNULL)

    def address(self, name):
        return f"http://{self.network.address(name)}:{PORT}"

    def upstreams(self, name):
        return ",".join(self.address(upstream) for upstream in self.shape.upstreams(name))

    def start_relays(self):
        for name in [self.shape.origin] + self.shape.relays:
            self.start_relay(name)
        for name in [self.shape.origin] + self.shape.relays:
            members.wait_for(f"relay {name}", lambda: self.answers(name))

    def start_relay(self, name):
        if name in self.hostile:
            script = os.path.join(os.path.dirname(__file__), "hostile_relay.py")
            command = [sys.executable, script, self.address(name), self.upstreams(name).split(",")[0], *self.hostile[name]]
        else:
            source = ["--origin", self.path("origin")] if name == self.shape.origin else [
                "--upstream", self.upstreams(name), "--cache", self.path(f"cache-{name}")]
            command = [f"{self.binaries}/relay", "--listen", f"0.0.0.0:{PORT}", "--trust", self.trust, *source]
        self.relays[name] = members.Member(self.network, name, command, self.path(f"{name}.log"))

    def answers(self, name):
        probe = self.network.command(name, "curl", "-s", "-o", "/dev/null", f"{self.address(name)}/health")
        return subprocess.run(probe).returncode == 0

    def start_clients(self, version=None):
        wanted = ["--version", str(version)] if version else []
        for name in self.shape.clients:
            command = [f"{self.binaries}/apus", "weights", "fetch", "--from", self.upstreams(name), "--trust", self.trust,
                       "--out", self.path(f"client-{name}"), *wanted]
            self.clients[name] = members.Member(self.network, name, command, self.path(f"{name}.log"))

    def publish(self, model, version):
        """When the publication began, and how long it took."""
        began = time.monotonic()
        self.apus("weights", "publish", "--model", model, "--origin", self.path("origin"), "--version", str(version),
                  "--key", self.key)
        return began, time.monotonic() - began

    def finish(self, seconds=300):
        """Waits for every client; their names by the moment at which each ended."""
        ends = {}
        deadline = time.monotonic() + seconds
        for name, client in self.clients.items():
            if not client.join(max(1, deadline - time.monotonic())):
                raise TimeoutError(f"client {name} has not ended; see {self.path(name + '.log')}")
            if client.code != 0:
                raise RuntimeError(f"client {name} ended with {client.code}; see {self.path(name + '.log')}")
            ends[name] = client.ended
        return ends

    def received(self):
        return {name: json.loads(client.output[-1])["bytes_transferred"] for name, client in self.clients.items()}

    def wrong_files(self, model, version):
        """Installed files that are not the published ones, over all clients; and versions that nobody should have."""
        wrong = []
        for name in self.shape.clients:
            folder = self.path(f"client-{name}")
            for entry in os.listdir(folder):
                if entry.startswith("v") and entry not in (f"v{version}", f"v{version - 1}"):
                    wrong.append(f"{name}/{entry}")
            for file in os.listdir(f"{folder}/v{version}"):
                if file != "apus.manifest" and digest(f"{folder}/v{version}/{file}") != digest(f"{model}/{file}"):
                    wrong.append(f"{name}/v{version}/{file}")
        return wrong

    def metric(self, name, metric):
        text = subprocess.check_output(
            self.network.command(name, "curl", "-s", f"{self.address(name)}/metrics"), text=True)
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"apus_relay_{metric} "))

    def kill(self, name):
        self.relays[name].end(signal.SIGKILL)

    def close(self):
        for member in [*self.clients.values(), *self.relays.values()]:
            member.end()

    def used(self):
        """Processor seconds by role, peak memory of the largest of each; who lies is no relay of ours and counted apart."""
        ours = {name: member for name, member in self.relays.items() if name not in self.hostile}
        hostile = [self.relays[name] for name in self.hostile]
        roles = {
            "origin": [ours[self.shape.origin]],
            "relays": [member for name, member in ours.items() if name != self.shape.origin],
            "clients": list(self.clients.values()),
        }
        seconds = {role: sum(member.seconds for member in roles[role]) for role in roles}
        return {
            "processor_seconds": sum(seconds.values()),
            **{f"{role}_processor_seconds": used for role, used in seconds.items()},
            "relay_peak_mb": max(member.peak for member in ours.values()) / 1e6,
            "client_peak_mb": max(member.peak for member in self.clients.values()) / 1e6,
            "hostile_peak_mb": max((member.peak for member in hostile), default=0) / 1e6,
        }


_digests = {}


def digest(path):
    status = os.stat(path)
    key = (path, status.st_size, status.st_mtime_ns)
    if key not in _digests:
        with open(path, "rb") as file:
            _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _digests[key]


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)

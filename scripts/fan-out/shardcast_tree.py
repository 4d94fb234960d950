"""shardcast (PyPI) in the nodes of a shape: its origin, its middle nodes, and a client that polls as prime-rl did.

Each node gets a copy of the package and a /tmp of its own, since shardcast puts files with fixed names into both.
"""

import os
import shutil
import subprocess
import sys
import time

import members

PORT = 8000

ORIGIN = """
import sys, time, shardcast
folder, model, go = sys.argv[1:]
shardcast.initialize(folder, 8000)
print("ready", flush=True)
import os
while not os.path.exists(go): time.sleep(0.01)
shardcast.broadcast(model)
open(go + ".done", "w").close()
while True: time.sleep(1)
"""

CLIENT = """
import sys, time
from shardcast import ClientNode
servers, folder, poll = sys.argv[1].split(","), sys.argv[2], float(sys.argv[3])
client = ClientNode(servers, folder)
while True:
    if "v0" in (versions := client.list_available_versions()) or "v1" in versions:
        name = "v1" if "v1" in versions else "v0"
        if path := client.download_version(name): break
    time.sleep(poll)
print(path)
"""


class Tree:
    def __init__(self, network, shape, python, package, folder, check_interval, poll):
        """`package` is the folder that holds the package shardcast; `python` has blake3."""
        self.network, self.shape, self.python, self.folder = network, shape, python, folder
        self.package, self.check_interval, self.poll = package, check_interval, poll
        self.relays, self.clients = {}, {}
        os.makedirs(folder)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def upstreams(self, name):
        return ",".join(f"http://{self.network.address(upstream)}:{PORT}" for upstream in self.shape.upstreams(name))

    def member(self, name, *arguments):
        library = self.path(f"library-{name}")
        shutil.copytree(self.package, f"{library}/shardcast")
        own = f"mount -t tmpfs tmpfs /tmp && cd {self.folder} && exec \"$@\""
        command = ["unshare", "-m", "bash", "-c", own, "node", self.python, *arguments]
        return members.Member(self.network, name, command, self.path(f"{name}.log"), {"PYTHONPATH": library})

    def data(self, name):
        folder = self.path(f"data-{name}")
        os.makedirs(folder)
        # Clients measure with it at their start and fail without.
        with open(f"{folder}/data1.bin", "wb") as file:
            file.write(bytes(1_000_000))
        return folder

    def serves(self, name):
        probe = self.network.command(
            name, "curl", "-s", "-f", "-o", "/dev/null", f"http://{self.network.address(name)}:{PORT}/data1.bin")
        return subprocess.run(probe).returncode == 0

    def start(self, model):
        origin = self.shape.origin
        self.relays[origin] = self.member(origin, "-c", ORIGIN, self.data(origin), model, self.path("go"))
        members.wait_for("shardcast's origin", lambda: self.serves(origin))
        for level in (self.shape.first, self.shape.second):
            for name in level:
                self.relays[name] = self.member(
                    name, "-m", "shardcast.middle_node", "--upstream", self.upstreams(name), "--data-dir",
                    self.data(name), "--port", str(PORT), "--check-interval", str(self.check_interval))
            for name in level:
                members.wait_for(f"shardcast's {name}", lambda: self.serves(name))
        for name in self.shape.clients:
            self.clients[name] = self.member(
                name, "-c", CLIENT, self.upstreams(name), self.path(f"out-{name}"), str(self.poll))
        # As if the run had been going on: nobody is at a special point of its interval.
        time.sleep(5)

    def publish(self):
        began = time.monotonic()
        open(self.path("go"), "w").close()
        return began

    def finish(self, seconds=600):
        deadline = time.monotonic() + seconds
        for name, client in self.clients.items():
            if not client.join(max(1, deadline - time.monotonic())):
                raise TimeoutError(f"shardcast's client {name} has not ended; see {self.path(name + '.log')}")
        return {name: client.ended for name, client in self.clients.items()}

    def close(self):
        for member in [*self.clients.values(), *self.relays.values()]:
            member.end()

    def used(self):
        relays, clients = self.relays.values(), self.clients.values()
        return {
            "processor_seconds": sum(member.seconds for member in [*relays, *clients]),
            "relay_peak_mb": max(member.peak for member in relays) / 1e6,
            "client_peak_mb": max(member.peak for member in clients) / 1e6,
        }

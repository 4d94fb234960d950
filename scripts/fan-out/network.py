"""Machines on one machine: network namespaces on a bridge, each behind a link of a fixed rate. Needs root, ip and tc."""

import os
import subprocess


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Network:
    """Nodes by name; every link is shaped in both directions by a token bucket."""

    def __init__(self, names, megabytes_per_second):
        self.prefix = f"fo{os.getpid() % 10000}"
        self.hub = f"{self.prefix}-hub"
        self.names = list(names)
        self.rate = f"{megabytes_per_second * 8}mbit"
        run("ip", "netns", "add", self.hub)
        self.inside(self.hub, "ip", "link", "add", "br0", "type", "bridge")
        self.inside(self.hub, "ip", "link", "set", "br0", "up")
        for index, name in enumerate(self.names):
            self.attach(index, name)

    def attach(self, index, name):
        space, port = self.space(name), f"p{index}"
        run("ip", "netns", "add", space)
        self.inside(self.hub, "ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space)
        self.inside(self.hub, "ip", "link", "set", port, "master", "br0", "up")
        self.inside(space, "ip", "address", "add", f"{self.address(name)}/16", "dev", "eth0")
        for device in ("lo", "eth0"):
            self.inside(space, "ip", "link", "set", device, "up")
        for where, device in ((space, "eth0"), (self.hub, port)):
            self.inside(where, "tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", self.rate, "burst", "256kb",
                        "latency", "50ms")

    def space(self, name):
        return f"{self.prefix}-{name}"

    def address(self, name):
        index = self.names.index(name) + 1
        return f"10.77.{index // 250}.{index % 250 + 1}"

    def inside(self, space, *command):
        run("ip", "netns", "exec", space, *command)

    def command(self, name, *command):
        """A command line that runs in a node."""
        return ["ip", "netns", "exec", self.space(name), *command]

    def sent(self, name):
        """Bytes that a node has put on its link, headers included."""
        path = "/sys/class/net/eth0/statistics/tx_bytes"
        return int(subprocess.check_output(self.command(name, "cat", path)))

    def close(self):
        for name in [self.space(name) for name in self.names] + [self.hub]:
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

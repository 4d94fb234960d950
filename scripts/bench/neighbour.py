"""A busy neighbour: a loop bound to one core."""

import subprocess
import sys

from process import Failed

# It ends with its parent, however that ends.
PROGRAM = """
import os, sys
parent = os.getppid()
os.sched_setaffinity(0, [int(sys.argv[1])])
print("ready", flush=True)
while os.getppid() == parent:
    for _ in range(1000000): pass
"""


class BusyNeighbour:
    """Keeps one core busy while a `with` block runs; what was measured without it is worth nothing, so that fails."""

    def __init__(self, core):
        self.core = core

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(self.core)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if self.process.stdout.readline() != b"ready\n":
            self.end()
            raise Failed(f"no busy neighbour on core {self.core}: exit {self.process.returncode}")
        return self.process

    def __exit__(self, kind, *_):
        ended = self.process.poll()
        self.end()
        if ended is not None and kind is None:
            raise Failed(f"the neighbour on core {self.core} ended early: exit {ended}")

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

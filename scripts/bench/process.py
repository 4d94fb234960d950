"""Runs a program to its end: its output, and the most memory that it took."""

import json
import os
import selectors
import subprocess
import sys
import time


class Failed(Exception):
    """A program that did not do what it was asked for."""


def run(command, environment=None, timeout=600):
    """The standard output of a program, and its resident memory at the peak in bytes (mapped files included)."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    # Both pipes are read before the child is waited for: wait4 gives what subprocess does not, the child's own memory.
    try:
        output, errors = read_both(process, time.monotonic() + timeout)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        process.stdout.close()
        process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = errors.decode(errors="replace").strip().splitlines()[-3:]
        raise Failed(f"{' '.join(map(str, command))}: exit {process.returncode}: {' / '.join(last)}")
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return output.decode(), usage.ru_maxrss * unit


def read_both(process, deadline):
    parts = {process.stdout: [], process.stderr: []}
    with selectors.DefaultSelector() as selector:
        for pipe in parts:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            if time.monotonic() > deadline:
                raise Failed(f"{process.args[0]} takes too long")
            for key, _ in selector.select(1):
                data = os.read(key.fd, 1 << 16)
                if data:
                    parts[key.fileobj].append(data)
                else:
                    selector.unregister(key.fileobj)
    return [b"".join(parts[pipe]) for pipe in (process.stdout, process.stderr)]


class Server:
    """A program that answers one line of JSON with another and stays."""

    def __init__(self, command):
        self.command = command
        self.process = None

    def ask(self, job):
        if self.process is None:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{' '.join(self.command)} ended at {job}")
        return json.loads(line)

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process = None


class BusyNeighbour:
    """Keeps one core busy while a `with` block runs."""

    def __init__(self, core):
        self.core = core

    def __enter__(self):
        # It ends with its parent, however that ends.
        program = (
            f"import os\nparent = os.getppid()\nos.sched_setaffinity(0, [{self.core}])\n"
            "while os.getppid() == parent:\n    for _ in range(1000000): pass")
        self.process = subprocess.Popen([sys.executable, "-c", program])
        return self.process

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

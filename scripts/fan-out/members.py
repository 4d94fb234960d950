"""Processes in nodes, and what each of them has used."""

import os
import signal
import subprocess
import threading
import time


class Member:
    """A process in a node; `seconds` of processor and `peak` of memory are known once it has ended."""

    def __init__(self, network, name, command, log, environment=None):
        self.name = name
        self.output = []
        self.ended = None
        self.seconds = self.peak = 0
        self.code = None
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                network.command(name, *command), stdout=subprocess.PIPE, stderr=errors, text=True,
                env=os.environ | (environment or {}))
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        self.output = self.process.stdout.read().splitlines()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.ended = time.monotonic()
        self.code = os.waitstatus_to_exitcode(status)
        # Children that it waited for are counted as well.
        self.seconds = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss * 1024

    def join(self, seconds):
        self.thread.join(seconds)
        return self.ended is not None

    def end(self, how=signal.SIGTERM):
        if self.ended is None:
            os.kill(self.process.pid, how)
            if not self.join(30):
                os.kill(self.process.pid, signal.SIGKILL)
                self.join(10)


def wait_for(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)

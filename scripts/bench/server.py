"""A program that answers one line of JSON with another, and stays."""

import json
import os
import selectors
import subprocess
import tempfile
import time

from process import Failed


class Server:
    """Starts the program when it is asked for something, and again after it has died."""

    def __init__(self, command, environment=None):
        self.command = command
        self.environment = environment
        self.process = None
        self.errors = None

    def ask(self, job, timeout=600):
        """The answer to a job.

        Whoever dies, answers nonsense or takes longer than `timeout` seconds is ended, and `Failed` is raised; the next
        question starts a new process.
        """
        try:
            if self.process is None:
                self.start()
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()
            return json.loads(self.line(time.monotonic() + timeout))
        except (OSError, ValueError) as error:
            raise Failed(f"{self.command[-1]}, {job}: {self.end() or error}") from error
        except BaseException:
            self.end()
            raise

    def start(self):
        errors = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=self.environment)
        except OSError:
            errors.close()
            raise
        self.errors = errors

    def line(self, deadline):
        """What it prints up to the end of a line; empty or cut where it ended before."""
        parts = []
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not (parts and parts[-1].endswith(b"\n")):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError("it takes too long")
                if selector.select(left):
                    parts.append(os.read(self.process.stdout.fileno(), 1 << 16))
                    if not parts[-1]:
                        break
        return b"".join(parts)

    def end(self):
        """Ends the process, whatever it does. How it had ended before, if it had, with its last words."""
        process, self.process = self.process, None
        if process is None:
            return None
        try:
            # One that closed its output is about to end by itself, with a status that says why.
            code = process.wait(0.5)
        except subprocess.TimeoutExpired:
            code = None
            process.kill()
            process.wait()
        process.stdout.close()
        try:
            process.stdin.close()
        except OSError:
            pass  # What was not read any more.
        self.errors.seek(0)
        words = self.errors.read().decode(errors="replace").strip().splitlines()[-1:]
        self.errors.close()
        return None if code is None else f"exit {code}{''.join(f': {text}' for text in words)}"

    def close(self):
        """Lets it end: it reads the end of its input."""
        if self.process:
            try:
                self.process.stdin.close()
                self.process.wait(30)
            except (OSError, subprocess.TimeoutExpired):
                pass
            self.end()

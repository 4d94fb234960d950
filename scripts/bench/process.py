"""Runs a program to its end: its output, and the most memory that it took."""

import os
import selectors
import subprocess
import time


class Failed(Exception):
    """A program that did not do what it was asked for."""


def run(command, environment=None, timeout=600):
    """The standard output of a program, and its resident memory at the peak in bytes (mapped files included)."""
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    except OSError as error:
        raise Failed(f"{command[0]}: {error}") from error
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

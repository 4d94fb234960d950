"""Where the time goes: the ten costliest functions, by `perf` where a machine has it."""

import pathlib
import re
import shutil
import subprocess


def top(command, folder):
    """The functions that took most of the time of a command, as (share in per cent, name); nothing without `perf`."""
    if not shutil.which("perf"):
        return []
    data = pathlib.Path(folder) / "perf.data"
    record = ["perf", "record", "-q", "-F", "499", "-o", str(data), "--", *map(str, command)]
    if subprocess.run(record, capture_output=True).returncode:
        return []
    report = ["perf", "report", "-i", str(data), "--stdio", "-q", "--no-children", "-F", "overhead,symbol"]
    listed = subprocess.run(report, capture_output=True, text=True).stdout
    data.unlink(missing_ok=True)
    return parse(listed)[:10]


def parse(report):
    """The lines of `perf report`: `  12.34%  [.] name  ` and what surrounds them."""
    found = []
    for line in report.splitlines():
        match = re.match(r"\s*([\d.]+)%\s+\[([.k])\]\s+(.*?)\s*$", line)
        if match:
            name = match.group(3)
            found.append((float(match.group(1)), f"{name} (kernel)" if match.group(2) == "k" else name))
    return found

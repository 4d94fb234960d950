"""The machine: what it is, and what it can do at most."""

import datetime
import json
import os
import platform
import subprocess

import process


# A load above is somebody else's.
QUIET = 0.5


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def memory():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def text(command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def description(threads):
    """What the page says about the machine and the day."""
    return {
        "processor": processor(), "cores": os.cpu_count(), "threads": threads, "memory": memory(),
        "system": f"{platform.system()} {platform.release()}", "date": datetime.date.today().isoformat(),
        "revision": text(["git", "describe", "--always", "--dirty", "--abbrev=10"]),
        "swift": text(["swift", "--version"]).split("\n")[0], "load": os.getloadavg()[0],
    }


class Limits:
    """Benchmarks/limits.c, compiled for this machine."""

    def __init__(self, root, folder, threads):
        self.program = folder / "limits"
        self.threads = threads
        native = "-mcpu=native" if platform.machine() in ("aarch64", "arm64") else "-march=native"
        compiler = os.environ.get("CC", "clang")
        process.run(
            [compiler, "-std=gnu17", "-O3", native, "-pthread", str(root / "Benchmarks/limits.c"), "-o",
             str(self.program)])

    def __call__(self):
        """GFLOP/s of bf16 dot products and GB/s of reads, all threads together."""
        output, _ = process.run([str(self.program), str(self.threads)])
        return json.loads(output)

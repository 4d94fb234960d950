#!/usr/bin/env python3
"""Compares the memory that `apus model inspect` predicts for generation with what Linux counts.

    python scripts/check-memory.py [--apus .build/release/apus] [--shapes tiny,s] [--sequences 16 --positions 256]

For every shape it makes a model and lets one and then two processes generate at once, sampling /proc/PID/smaps_rollup while
they do. One process is compared by its resident size, two by their private pages and the shared ones of one of them. Exits
with 1 when a prediction is off by more than 10 %, or by more than 16 MiB where that is more: the smallest models are mostly
process. Needs nothing beyond the Python standard library; takes minutes for shapes s and q.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def memory(pid):
    """Sizes of a process in bytes, by the names of the kernel; nothing when it is gone."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    return {line.split()[0].rstrip(":"): int(line.split()[1]) * 1024 for line in lines}


def generate(apus, model, options, count, environment):
    """Runs generation in `count` processes; the most memory that they take together, in bytes."""
    command = [apus, "bench", "generate", "--model", model, "--repeats", "1", "--threads", str(options.threads)]
    prompt = options.positions // 2
    command += ["--batch", str(options.sequences), "--prompt", str(prompt), "--new", str(options.positions - prompt)]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) for _ in range(count)]
    most = 0
    while any(process.poll() is None for process in processes):
        sizes = [memory(process.pid) for process in processes]
        private = [size.get("Private_Clean", 0) + size.get("Private_Dirty", 0) for size in sizes]
        shared = [size.get("Rss", 0) - own for size, own in zip(sizes, private)]
        most = max(most, sum(private) + max(shared))
        time.sleep(0.05)
    if any(process.returncode for process in processes):
        sys.exit("apus bench generate failed")
    return most


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", default=str(ROOT / ".build/release/apus"))
    parser.add_argument("--shapes", default="nano,tiny,small,s")
    parser.add_argument("--sequences", type=int, default=16)
    parser.add_argument("--positions", type=int, default=256)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, APUS_WEIGHTS_CACHE=f"{folder}/cache")
        print(f"{'shape':8} {'processes':>9} {'predicted MiB':>14} {'measured MiB':>13} {'off':>7}")
        for shape in options.shapes.split(","):
            model = f"{folder}/{shape}"
            subprocess.run([options.apus, "model", "new", "--shape", shape, "--out", model], check=True, capture_output=True)
            command = [options.apus, "model", "inspect", model, "--json", "--threads", str(options.threads)]
            command += ["--sequences", str(options.sequences), "--positions", str(options.positions)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)["generation"]
            # The first process builds the shared file; what it needs for that is not what generation needs.
            generate(options.apus, model, argparse.Namespace(sequences=1, positions=2, threads=options.threads), 1, environment)
            for count in (1, 2):
                measured = generate(options.apus, model, options, count, environment)
                predicted = found["shared_bytes"] + count * found["private_bytes"]
                off = predicted / measured - 1
                is_fault = abs(predicted - measured) > max(0.1 * measured, 16 << 20)
                faults += is_fault
                print(
                    f"{shape:8} {count:9} {predicted / 2**20:14.1f} {measured / 2**20:13.1f} {off:+7.1%}"
                    + ("  FAULT" if is_fault else ""),
                    flush=True,
                )
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

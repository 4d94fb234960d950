#!/usr/bin/env python3
"""Runs a swarm of trusted workers under adaptive audits, and compares the processor time of its members, whole processes.

    scripts/economics.py                                   tiny, on its demo's task
    scripts/economics.py --from-step 3 --to-step 10 -- --model.shape small --sampling.max_tokens 128 --warm_up.steps 1

The swarm is `apus up @ FILE` with three workers and two verifiers. User and system time of every member is read from
/proc/PID/stat when step FROM was made and when step TO was: loading, hashing, messages, fetching of versions and waiting
are all in it, and so are repeated audits and planted groups. What is counted in between comes from the journal:

  replays per group     audits and checks given to verifiers, by groups received
  verifiers / workers   the number that an economical audit keeps small
  per accepted token    processor time by tokens of the batches made (accepted, vested, and the few provisional ones)
  idle                  time of each member per second while nothing is to be done: the trainer is stopped for a moment
                        at the end, everything in flight settles, then the clocks are read again

What the trainer takes is for training and for the log-probabilities of the groups that nobody replayed, apart from that.
Exit status: 0, or 1 when the run fails or `apus ledger verify` does, or 2 when it could not be started. Standard
library only. Linux only.
"""

import argparse
import collections
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time

from chaos import Swarm

TICKS = os.sysconf("SC_CLK_TCK")
KINDS = ("worker", "verifier", "trainer", "orchestrator", "relay")


class Clock:
    """Processor time of every member at one moment, and the journal's length then."""

    def __init__(self, swarm):
        self.moment = time.monotonic()
        self.seconds = {name: seconds(pathlib.Path("/proc", str(pid))) for name, pid in swarm.members().items()}
        with sqlite3.connect(f"file:{swarm.directory}/orchestrator.sqlite?mode=ro", uri=True, timeout=10) as database:
            self.facts = database.execute("SELECT COALESCE(MAX(sequence), 0) FROM facts").fetchone()[0]
        database.close()


def seconds(place):
    """User and system time of a process or thread."""
    fields = (place / "stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def kind(name):
    return name.split("-")[0]


def wait_for(swarm, step, patience):
    """Waits until a step is made."""
    began = time.monotonic()
    while swarm.steps() < step:
        if not swarm.is_alive():
            raise RuntimeError(f"the run ended at step {swarm.steps()}; see {swarm.directory}.log")
        if time.monotonic() - began > patience:
            raise RuntimeError(f"step {step} was not made within {patience:.0f} s; see {swarm.directory}.log")
        time.sleep(0.02)


def measure(swarm, arguments):
    """The clocks at both ends of the measured part, and around a pause in which there is nothing to do."""
    wait_for(swarm, arguments.from_step, arguments.patience)
    first = Clock(swarm)
    wait_for(swarm, arguments.to_step, arguments.patience)
    last = Clock(swarm)
    trainer = swarm.members()["trainer"]
    os.kill(trainer, signal.SIGSTOP)
    try:
        time.sleep(arguments.settle)
        idle = Clock(swarm)
        time.sleep(arguments.idle)
        return first, last, idle, Clock(swarm)
    finally:
        os.kill(trainer, signal.SIGCONT)


class Journal:
    """What happened between two lengths of the journal."""

    def __init__(self, directory, after, through):
        self.counts = collections.Counter()
        self.probabilities = []
        self.tokens = self.received_tokens = 0
        sizes = {}
        with sqlite3.connect(f"file:{directory}/orchestrator.sqlite?mode=ro", uri=True) as database:
            for sequence, body in database.execute("SELECT sequence, body FROM facts ORDER BY sequence"):
                name, fact = next(iter(json.loads(body)["fact"].items()))
                if name == "groupReceived":
                    sizes[fact["group"]] = fact["tokens"]
                if not after < sequence <= through:
                    continue
                self.counts[name] += 1
                if name == "groupReceived":
                    self.received_tokens += fact["tokens"]
                elif name == "auditDrawn":
                    self.probabilities.append(fact["probability"] / 1e6)
                    self.counts["drawn"] += fact["isDrawn"]
                elif name == "batchCut":
                    self.tokens += sum(sizes[group] for group in fact["groups"])
        database.close()


def report(swarm, clocks):
    first, last, idle, idle_end = clocks
    journal = Journal(swarm.directory, first.facts, last.facts)
    counts, wall = journal.counts, last.moment - first.moment
    replays = counts["auditAssigned"] + counts["checkAssigned"]
    groups = counts["groupReceived"]
    sure = groups - len(journal.probabilities)
    print(f"{wall:.1f} s, {counts['batchCut']} batches, {groups} groups, {journal.received_tokens} tokens generated, "
          f"{journal.tokens} in batches, {counts['versionPublished']} versions")
    print(f"audit probability: mean {sum(journal.probabilities) / max(1, len(journal.probabilities)):.4f}, "
          f"{sure} groups audited for certain")
    print(f"replays: {counts['drawn']} drawn, {counts['groupPicked']} picked, {sure} certain, "
          f"{counts['checkAssigned']} checks of verifiers (plants, repetitions), {counts['auditLost']} lost; "
          f"{replays / max(1, groups):.4f} per group")
    totals = collections.Counter()
    print(f"{'member':14} {'CPU s':>8} {'idle, ms/s':>11}")
    for name in sorted(first.seconds, key=lambda name: (KINDS.index(kind(name)), name)):
        total = last.seconds[name] - first.seconds[name]
        totals[kind(name)] += total
        waiting = (idle_end.seconds[name] - idle.seconds[name]) / (idle_end.moment - idle.moment)
        totals[kind(name), "idle"] += waiting
        print(f"{name:14} {total:8.2f} {waiting * 1000:11.1f}")
    tokens = max(1, journal.tokens)
    for one in KINDS:
        print(f"all {one + 's':14} {totals[one]:8.2f} CPU s, {totals[one] / tokens * 1e6:8.2f} us per accepted token, "
              f"{totals[one] / max(1e-9, totals['worker']):.4f} of the workers'")
    verifiers, workers = totals["verifier"], max(1e-9, totals["worker"])
    print(f"VERIFIERS / WORKERS: {verifiers / workers:.4f} (1/{workers / max(1e-9, verifiers):.1f}); "
          f"verifiers' waiting {totals['verifier', 'idle'] * wall / max(1e-9, verifiers):.3f} of their time; "
          f"orchestrator {totals['orchestrator'] / max(1, groups) * 1000:.2f} ms a group")


def parse(words):
    here = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--apus", default=str(here / ".build/release/apus"), help="the executable; its siblings too")
    parser.add_argument("--file", default=str(here / "configs/economics.toml"), help="the run file")
    parser.add_argument("--out", default="runs/economics", help="where the run lives; what is there is thrown away")
    parser.add_argument("--from-step", type=int, default=8, help="all workers have been trusted for long then")
    parser.add_argument("--to-step", type=int, default=28, help="the measured part ends here")
    parser.add_argument(
        "--settle", type=float, default=35, help="seconds until nothing is in flight and late files are written")
    parser.add_argument("--idle", type=float, default=10, help="seconds of idleness that are measured")
    parser.add_argument("--patience", type=float, default=600, help="seconds to wait for either step")
    parser.add_argument("settings", nargs="*", help="after --: more of the run file, as --section.key value")
    arguments = parser.parse_args(words)
    arguments.steps = arguments.to_step + 2
    arguments.checkpoint_interval = 10
    return arguments


def main(words):
    arguments = parse(words)
    pathlib.Path(arguments.out).parent.mkdir(parents=True, exist_ok=True)
    try:
        swarm = Swarm(arguments, arguments.out)
    except OSError as error:
        print(f"{arguments.apus}: {error}", file=sys.stderr)
        return 2
    status = None
    try:
        clocks = measure(swarm, arguments)
        status = swarm.process.wait(arguments.patience)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    finally:
        swarm.process.terminate()
        swarm.end(20)
    report(swarm, clocks)
    verdict = subprocess.run(
        [arguments.apus, "ledger", "verify", "--db", str(swarm.directory / "orchestrator.sqlite")],
        capture_output=True, text=True)
    print((verdict.stdout + verdict.stderr).strip().splitlines()[-1])
    return 0 if status == 0 and verdict.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

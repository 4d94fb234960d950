#!/usr/bin/env python3
"""Kills members of a running swarm with SIGKILL at random moments, and checks that nothing was lost.

    scripts/chaos.py                                  ten kills of each member, as many runs as that takes
    scripts/chaos.py --kills 2 --members trainer      two kills of the trainer only
    scripts/chaos.py --check runs/demo                no kills: only the checks, on a finished run

Every run is `apus up @ FILE` in a directory of its own. One member at a time is killed; the supervisor of `apus up`
starts it again. When the run has ended, its journal, ledger and metrics must hold:

  1. `apus up` exits 0, every step is made, and `apus ledger verify` passes;
  2. metrics.jsonl has every step exactly once, in order, and mismatch_kl is 0 in each;
  3. every batch has exactly the configured number of groups, no group is in two batches, every group of a batch was
     journaled and accepted before, and none is older than the staleness bound;
  4. every journaled group (a receipt is sent after its journal entry) came to an end that the journal names, or is
     still in the database with its payload;
  5. every accepted group is credited exactly once and nothing else is, and no reference is in the ledger twice;
  6. no version number was published with two hashes, and no step with two sets of weights;
  7. no honest worker was rejected or banned, and no group of a cheat is in a batch.

Exit status: 0 when all checks hold, 1 when one does not, 2 when a run could not be started.
Standard library only. Linux only, because process ids are read from /proc.
"""

import argparse
import collections
import dataclasses
import json
import os
import pathlib
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import time

KINDS = ("worker", "verifier", "trainer", "relay", "orchestrator")


@dataclasses.dataclass
class Kill:
    """One kill and what it cost."""

    kind: str
    name: str
    step: int  # steps made before it
    back_after: float | None = None  # seconds until its successor ran
    moment: float = 0.0  # seconds since 1970
    stall: float | None = None  # the longest time without a step from then to the next kill


class Swarm:
    """One `apus up` and the processes that it supervises."""

    def __init__(self, arguments, directory):
        self.directory = pathlib.Path(directory).resolve()
        self.metrics = self.directory / "metrics.jsonl"
        self.log = open(str(self.directory) + ".log", "wb")
        command = [arguments.apus, "up", "@", arguments.file, "--run.directory", str(self.directory), "--clean"]
        command += ["--training.steps", str(arguments.steps)]
        command += ["--training.checkpoint_interval", str(arguments.checkpoint_interval)] + arguments.settings
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)

    def members(self):
        """Process ids by member name, from the command lines that name this run's directory."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                words = pathlib.Path("/proc", entry, "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            program = os.path.basename(words[0])
            if program == "apus" or not any(self.owns(word) for word in words[1:]):
                continue
            name = words[words.index("--name") + 1] if "--name" in words else program
            found[name] = int(entry)
        return found

    def owns(self, word):
        return word.startswith(str(self.directory) + "/")

    def steps(self):
        try:
            return self.metrics.read_bytes().count(b"\n")
        except OSError:
            return 0

    def is_alive(self):
        return self.process.poll() is None

    def end(self, patience):
        """The exit status, or None when the run had to be ended by force."""
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if self.is_alive():
                self.process.kill()
                self.process.wait()
            for process in self.members().values():
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.log.close()


def torment(swarm, arguments, wanted, dice):
    """Kills members of one run, one at a time, until it ends; `wanted` counts what is still to be killed by kind."""
    kills = []
    time.sleep(dice.uniform(*arguments.first))
    while swarm.is_alive() and sum(wanted.values()) > 0 and time.monotonic() - swarm.began < arguments.patience:
        # Two kills may fall into the warm-up; the others wait until there is something to lose.
        if len(kills) >= 2 and swarm.steps() == 0:
            time.sleep(0.05)
            continue
        # Whoever was killed least recently comes first: a member that dies often in a few seconds is given up on.
        recent = [kill.kind for kill in kills]
        kinds = [kind for kind in KINDS if wanted[kind] > 0]
        dice.shuffle(kinds)
        kinds.sort(key=lambda kind: max((i for i, one in enumerate(recent) if one == kind), default=-1))
        living = swarm.members()
        victims = [name for name in sorted(living) if name.startswith(kinds[0])]
        if not victims:
            time.sleep(0.05)
            continue
        kill = Kill(kinds[0], dice.choice(victims), swarm.steps(), moment=time.time())
        moment = time.monotonic()
        try:
            os.kill(living[kill.name], signal.SIGKILL)
        except ProcessLookupError:
            continue
        wanted[kill.kind] -= 1
        kills.append(kill)
        pause = dice.uniform(*arguments.pause)
        while swarm.is_alive() and time.monotonic() - swarm.began < arguments.patience:
            elapsed = time.monotonic() - moment
            if kill.back_after is None and swarm.members().get(kill.name, living[kill.name]) != living[kill.name]:
                kill.back_after = elapsed
            if elapsed >= pause and (swarm.steps() > kill.step or kill.step == 0):
                break
            time.sleep(0.02)
    return kills


def measure_stalls(kills, times):
    """Fills in the stalls from the moments at which the run's steps were made."""
    for kill, following in zip(kills, kills[1:] + [None]):
        end = following.moment if following else float("inf")
        gaps = [after - max(before, kill.moment)
                for before, after in zip(times, times[1:]) if after > kill.moment and before < end]
        kill.stall = max(gaps, default=None)


class Audit:
    """The checks on a run that has ended; `violations` is empty when all hold."""

    def __init__(self, directory, apus, status=0, is_complete=True):
        self.directory = pathlib.Path(directory)
        self.violations = []
        self.notes = []
        settings = json.loads((self.directory / "run.json").read_text())
        self.steps = settings["training"]["steps"]
        self.batch = settings["training"]["groups_per_batch"]
        self.bound = settings["training"]["max_staleness"]
        workers, cheats = settings["swarm"]["workers"], settings["swarm"]["dishonest"]
        self.cheats = [f"worker-{number}" for number in range(workers - cheats + 1, workers + 1)]
        self.require(status == 0, f"apus up ended with {status}")
        self.check_metrics(is_complete)
        database = sqlite3.connect(f"file:{self.directory}/orchestrator.sqlite?mode=ro", uri=True)
        try:
            facts = [json.loads(body)["fact"] for (body,) in database.execute("SELECT body FROM facts ORDER BY sequence")]
            self.facts = [next(iter(fact.items())) for fact in facts]
            self.check_versions()
            self.check_groups(database, is_complete)
            self.check_ledger(database)
        finally:
            database.close()
        verdict = subprocess.run(
            [apus, "ledger", "verify", "--db", str(self.directory / "orchestrator.sqlite")], capture_output=True)
        self.require(verdict.returncode == 0, f"apus ledger verify: {verdict.stderr.decode().strip()}")

    def require(self, holds, sentence):
        if not holds:
            self.violations.append(sentence)

    def check_metrics(self, is_complete):
        lines = (self.directory / "metrics.jsonl").read_bytes().split(b"\n")
        self.require(lines[-1] == b"", "metrics.jsonl ends within a line")
        rows = []
        for number, line in enumerate(lines[:-1], 1):
            try:
                rows.append(json.loads(line))
            except ValueError:
                self.require(False, f"line {number} of metrics.jsonl is no JSON")
        steps = [row["step"] for row in rows]
        expected = list(range(1, (self.steps if is_complete else len(steps)) + 1))
        self.require(steps == expected, f"metrics.jsonl has steps {steps}, not 1 to {len(expected)}")
        for row in rows:
            for name in ("reward/mean", "off_policy/max", "mismatch_kl/mean", "loss/mean"):
                self.require(name in row, f"step {row['step']} has no {name}")
            kl = row.get("mismatch_kl/mean", 0)
            self.require(kl == 0, f"step {row['step']} has mismatch_kl {kl}")
        self.times = [row["time"] for row in rows]
        paces = [after - before for before, after in zip(self.times, self.times[1:])]
        self.pace = statistics.median(paces) if paces else None

    def check_versions(self):
        self.versions, hashes = {}, {}
        for kind, body in self.facts:
            if kind != "versionPublished":
                continue
            version = body["version"]
            number, step, weights = version["number"], version["step"], version["weightsHash"]
            self.require(number not in self.versions, f"version {number} was published twice")
            self.require(hashes.setdefault(step, weights) == weights, f"step {step} has two sets of weights")
            self.versions[number] = version

    def check_groups(self, database, is_complete):
        leases, groups, accepted, batched, ended, rejected = {}, {}, {}, {}, {}, collections.Counter()
        cut = 0
        for kind, body in self.facts:
            group = body.get("group")
            if kind == "leaseGranted":
                self.require(body["lease"] not in leases, f"lease {body['lease']} was granted twice")
                leases[body["lease"]] = body
            elif kind == "groupReceived":
                self.require(group not in groups, f"group {group[:12]} was journaled twice")
                groups[group] = leases[body["lease"]]
            elif kind == "groupAccepted":
                self.require(group in groups and group not in ended, f"group {group[:12]} was accepted out of turn")
                self.require(group not in accepted, f"group {group[:12]} was accepted twice")
                accepted[group] = body
            elif kind in ("groupRejected", "groupWithdrawn", "groupDiscarded"):
                ended[group] = kind
                if kind == "groupRejected":
                    rejected[leases[body["lease"]]["worker"]] += 1
            elif kind == "batchCut":
                cut += 1
                self.require(body["step"] == cut, f"batch {body['step']} was cut in place of {cut}")
                self.require(
                    len(body["groups"]) == self.batch, f"batch {cut} has {len(body['groups'])} groups, not {self.batch}")
                for one in body["groups"]:
                    self.require(one in accepted and one not in ended, f"batch {cut} has {one[:12]}, not accepted")
                    self.require(one not in batched, f"group {one[:12]} is in batches {batched.get(one)} and {cut}")
                    batched[one] = cut
                    age = cut - 1 - self.versions[groups[one]["version"]]["step"]
                    self.require(age <= self.bound, f"batch {cut} has a group {age} steps old")
        if is_complete:
            self.require(cut == self.steps, f"{cut} batches were cut, not {self.steps}")
        stored = {bytes(row[0]).hex() for row in database.execute("SELECT hash FROM groups")}
        open_groups = [one for one in groups if one not in ended and one not in batched]
        lost = [one for one in open_groups if one not in stored]
        self.require(not lost, f"{len(lost)} journaled groups have neither an end nor a payload")
        keys = self.worker_keys()
        for worker, count in rejected.items():
            name = keys.get(worker, worker[:8])
            self.require(name in self.cheats, f"{count} groups of {name}, which is honest, were rejected")
        for one, step in batched.items():
            name = keys.get(groups[one]["worker"])
            self.require(name not in self.cheats, f"batch {step} has a group of {name}")
        self.accepted = set(accepted)
        counts = collections.Counter(kind for kind, _ in self.facts)
        self.notes.append(
            f"{counts['groupReceived']} groups journaled, {len(accepted)} accepted, {counts['groupDiscarded']} discarded, "
            f"{counts['auditLost']} audits lost, {counts['groupWithdrawn']} withdrawn, "
            f"{counts['leaseEnded']} leases ended, {counts['trainerResumed']} resumes")

    def worker_keys(self):
        """Names of this machine's workers by key, from their key files."""
        names = {}
        for path in (self.directory / "keys").glob("worker-*.key"):
            public = next(line for line in path.read_text().splitlines() if line.startswith("public"))
            names[public.split("apus1:")[1].split(":")[0]] = path.stem
        return names

    def check_ledger(self, database):
        references = [row[0] for row in database.execute("SELECT reference FROM ledgerEntry")]
        twice = [one for one, count in collections.Counter(references).items() if count > 1]
        self.require(not twice, f"{len(twice)} references are in the ledger twice")
        credited = {one.removeprefix("earned/") for one in references if one.startswith("earned/")}
        self.require(credited >= self.accepted, f"{len(self.accepted - credited)} accepted groups are not credited")
        self.require(credited <= self.accepted, f"{len(credited - self.accepted)} credits have no accepted group")


def parse(words):
    here = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--apus", default=str(here / ".build/release/apus"), help="the executable; its siblings too")
    parser.add_argument("--file", default=str(here / "configs/demo.toml"), help="the run file")
    parser.add_argument("--out", default="runs/chaos", help="where the runs live")
    parser.add_argument("--kills", type=int, default=10, help="kills of each member")
    parser.add_argument("--members", default=",".join(KINDS), help="which of " + ", ".join(KINDS))
    parser.add_argument("--steps", type=int, default=40, help="optimizer steps of each run")
    parser.add_argument("--checkpoint-interval", type=int, default=5, help="steps between checkpoints")
    parser.add_argument("--seed", type=int, default=0, help="chooses moments and victims")
    parser.add_argument("--first", type=float, nargs=2, default=(1, 12), metavar="S", help="seconds before the first kill")
    parser.add_argument("--pause", type=float, nargs=2, default=(1, 4), metavar="S", help="seconds between kills")
    parser.add_argument("--patience", type=float, default=300, help="seconds that one run may take")
    parser.add_argument("--check", metavar="DIR", help="check a finished run and stop")
    parser.add_argument("settings", nargs="*", help="after --: more of the run file, as --section.key value")
    arguments = parser.parse_args(words)
    arguments.members = arguments.members.split(",")
    for kind in arguments.members:
        if kind not in KINDS:
            parser.error(f"there is no member {kind}")
    return arguments


def report(kills, runs):
    print("\nmember        kills   back after   stall: median      worst      (seconds)")
    for kind in KINDS:
        of_kind = [kill for kill in kills if kill.kind == kind]
        if not of_kind:
            continue
        back = [kill.back_after for kill in of_kind if kill.back_after is not None]
        stalls = [kill.stall for kill in of_kind if kill.stall is not None and kill.step > 0]
        print(
            f"{kind:12} {len(of_kind):6} {statistics.median(back) if back else float('nan'):12.2f} "
            f"{statistics.median(stalls) if stalls else float('nan'):15.2f} {max(stalls, default=float('nan')):10.2f}")
    print("Stall: the longest time without a step between a kill and the next kill, once steps are being made.")
    for number, (seconds, audit) in enumerate(runs):
        pace = f"{audit.pace:.2f}" if audit.pace else "?"
        print(f"run {number}: {seconds:.0f} s, median step {pace} s; {'; '.join(audit.notes)}")


def main(words):
    arguments = parse(words)
    if arguments.check:
        audit = Audit(arguments.check, arguments.apus)
        print("\n".join(audit.notes + audit.violations))
        return 1 if audit.violations else 0
    dice = random.Random(arguments.seed)
    wanted = collections.Counter({kind: arguments.kills for kind in arguments.members})
    pathlib.Path(arguments.out).mkdir(parents=True, exist_ok=True)
    kills, runs, failed = [], [], 0
    while sum(wanted.values()) > 0:
        directory = pathlib.Path(arguments.out, f"run-{len(runs)}")
        swarm = Swarm(arguments, directory)
        suffered = torment(swarm, arguments, wanted, dice)
        status = swarm.end(max(1, arguments.patience - (time.monotonic() - swarm.began)))
        seconds = time.monotonic() - swarm.began
        if not (directory / "orchestrator.sqlite").exists():
            print(f"{directory} could not be started; see {directory}.log", file=sys.stderr)
            return 2
        audit = Audit(directory, arguments.apus, "a timeout" if status is None else status)
        measure_stalls(suffered, audit.times)
        kills += suffered
        runs.append((seconds, audit))
        print(f"{directory}: {seconds:.0f} s, exit {status}, killed " + ", ".join(
            f"{kill.name} at step {kill.step} (stall {'–' if kill.stall is None else f'{kill.stall:.1f} s'})"
            for kill in suffered), flush=True)
        for violation in audit.violations:
            failed += 1
            print(f"  VIOLATION: {violation}", flush=True)
        if not suffered:
            print("  Nothing was killed: the run was over before the first moment. Use a smaller --first.")
            return 2
    report(kills, runs)
    print(f"{len(kills)} kills in {len(runs)} runs, {failed} violations.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

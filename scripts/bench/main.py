#!/usr/bin/env python3
"""`make bench`: measures Apus beside its peers and writes docs/benchmarks.md. Standard library only.

    scripts/bench/main.py --list                           # the trials, and how long they and everything may take
    scripts/bench/main.py                                  # everything
    scripts/bench/main.py --rows "generate-s-64 train-s"   # some trials; their table is printed, the page stays
    scripts/bench/main.py --rows generate-s-64 --rounds 2

Needs scripts/peers.sh before. What was measured is kept as JSON beside the peers (results.json), trial by trial; `--write`
writes the page from it, and the page names the trials that are not from the last whole run.
"""

import argparse
import os
import sys
import tempfile
import time

import contestants
import hot_spots
import kept
import llama
import machine
import page
import process
import rounds
import swarm
import trials
import tuning

# Guesses: choosing the peers' settings for the first time, profiles, demos.
APART = 900 + 120 + 120


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="", help="names of trials, between blanks or commas; all without")
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("BENCH_ROUNDS", "5")))
    parser.add_argument("--seeds", default=os.environ.get("BENCH_SEEDS", "0 1 2 3 4"), help="of the demos")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--list", action="store_true", help="name the trials")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md even when only some were measured")
    return parser.parse_args()


def main():
    options = arguments()
    say = rounds.Progress.say
    peers = contestants.peers_folder()
    store = kept.Kept(peers / "results.json")
    measured = store.measured
    described = machine.description(options.threads)
    quiet = described["load"] <= machine.QUIET
    choice = tuning.Tuning(
        measured["tuning"], f"{described['processor']}, {options.threads} threads", quiet, say)
    apus = contestants.Apus(peers, options.threads)
    lama = llama.LlamaCpp(peers, options.threads, choice)
    torch = contestants.Torch(peers, choice)
    every = trials.every_trial(apus, lama, torch, max(os.sched_getaffinity(0)))
    if options.list:
        return print(durations(every, options.rounds))
    wanted = options.rows.replace(",", " ").split()
    unknown = set(wanted) - {trial.name for trial in every}
    if unknown or options.rounds < 1:
        sys.exit(f"no trial {', '.join(sorted(unknown)) or 'without rounds'}; --list names them")
    chosen = [trial for trial in every if not wanted or trial.name in wanted]
    if not quiet:
        say(f"The machine is not quiet (load {described['load']:.1f}): ratios will swing.")

    versions = peer_versions(lama, torch, say)
    if not wanted or "machine" not in measured:
        measured |= {"machine": described, "versions": versions, "rounds": options.rounds, "minutes": None}
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder:
            limits = machine.Limits(contestants.ROOT, peers, options.threads)
            warm_up(apus, chosen, say)
            rounds.run(
                chosen, options.rounds, limits,
                lambda trial, entries, settings: store.record(
                    trial.name, entries, settings, described, versions, options.rounds))
            if not wanted:
                measured["profiles"] = profiles(apus, folder)
                say(f"Demos on seeds {options.seeds}")
                measured["swarm"] = swarm.run(contestants.ROOT, folder, options.seeds.split(), say)
                measured["minutes"] = (time.monotonic() - began) / 60
    finally:
        torch.close()
        store.write()
    if wanted:
        print(page.tables({trial.name: measured["results"][trial.name] for trial in chosen}))
        for name, text in kept.differences(measured).items():
            say(f"{name} is not as the last whole run: {text}")
    if options.write or not wanted:
        target = contestants.ROOT / "docs/benchmarks.md"
        target.write_text(page.write(measured), encoding="utf-8")
        say(f"{target} is written.")


def durations(every, count):
    """The trials with guesses of how long each takes on the machine of the page."""
    seconds = {trial.name: trial.seconds(count) for trial in every}
    lines = [f"{name:16} {rounds.clock(value)}" for name, value in seconds.items()]
    total = rounds.clock(sum(seconds.values()) + APART)
    total = f"{'everything':16} {total} with settings, profiles and demos, {count} rounds"
    return "\n".join([*lines, total])


def peer_versions(lama, torch, say):
    found = {"llama.cpp": f"{lama.version} (built by {lama.compiler})"}
    try:
        versions = torch.versions()
        return found | {"PyTorch": versions["torch"], "transformers": versions["transformers"]}
    except process.Failed as failure:
        say(f"PyTorch does not answer, its rows will be missing: {failure}")
        return found


def warm_up(apus, chosen, say):
    """Maps the weights for the first time, so that no round pays for packing them."""
    for shape in ("s", "q"):
        if any(trial.name.endswith(f"-{shape}") or f"-{shape}-" in trial.name for trial in chosen):
            try:
                apus.generate(shape, 1, 16, 2)
            except process.Failed as failure:
                say(f"  {failure}")


def profiles(apus, folder):
    """The costliest functions of ours."""
    def profile(what, *options, few, many):
        model = ["--model", str(apus.models / "s"), "--threads", str(apus.threads)]
        return hot_spots.profile(apus.program, ["bench", what, *model, *options], few, many, folder)

    return {
        "Generation, 64 × (64 + 64), S": profile("generate", few=1, many=7),
        "Prefill, 16 × 256, S": profile("prefill", "--batch", 16, "--length", 256, few=1, many=11),
        "Training, 4 × 256, S": profile("train", few=1, many=13),
    }


if __name__ == "__main__":
    try:
        main()
    except process.Failed as failure:
        sys.exit(str(failure))

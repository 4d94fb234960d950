#!/usr/bin/env python3
"""`make bench`: measures Apus beside its peers and writes docs/benchmarks.md. Standard library only.

    scripts/bench/main.py                                  # everything, about 25 minutes
    scripts/bench/main.py --rows "generate-s-64 train-s"   # some trials; their table is printed, the page stays
    scripts/bench/main.py --rows generate-s-64 --rounds 2  # a minute
    scripts/bench/main.py --list

Needs scripts/peers.sh before. What was measured is kept as JSON beside the peers (results.json); `--write` writes the page
from it again, with the trials that were measured since the last whole run replaced.
"""

import argparse
import json
import os
import sys
import tempfile

import contestants
import hot_spots
import machine
import page
import rounds
import swarm
import trials


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
    peers = contestants.peers_folder()
    apus = contestants.Apus(peers, options.threads)
    llama = contestants.LlamaCpp(peers, options.threads)
    torch = contestants.Torch(peers)
    core = max(os.sched_getaffinity(0))
    every = trials.every_trial(apus, llama, torch, core)
    if options.list:
        return print("\n".join(trial.name for trial in every))
    wanted = options.rows.replace(",", " ").split()
    unknown = set(wanted) - {trial.name for trial in every}
    if unknown or options.rounds < 1:
        sys.exit(f"no trial {', '.join(sorted(unknown)) or 'without rounds'}; --list names them")
    chosen = [trial for trial in every if not wanted or trial.name in wanted]

    say = rounds.Progress.say
    kept = peers / "results.json"
    measured = json.loads(kept.read_text()) if wanted and kept.exists() else {}
    measured["machine"] = machine.description(options.threads)
    if measured["machine"]["load"] > 0.5:
        say(f"The machine is not quiet (load {measured['machine']['load']:.1f}): ratios will swing.")
    with tempfile.TemporaryDirectory() as folder:
        limits = machine.Limits(contestants.ROOT, peers, options.threads)
        for shape in ("s", "q"):
            if any(trial.name.endswith(f"-{shape}") or f"-{shape}-" in trial.name for trial in chosen):
                # Maps the weights for the first time, so that no round pays for packing them.
                apus.generate(shape, 1, 16, 2)
        if not wanted:
            llama.choose_options(say)
        fresh = rounds.run(chosen, options.rounds, limits)
        measured["results"] = measured.get("results", {}) | fresh
        measured["rounds"] = options.rounds
        measured["versions"] = torch.ask("versions") | {"llama.cpp": llama.version, "llama options": llama.options}
        torch.server.close()
        if not wanted:
            measured["profiles"] = profiles(apus, folder)
            say("Five demos")
            measured["swarm"] = swarm.run(contestants.ROOT, folder, options.seeds.split(), say)
    kept.write_text(json.dumps(measured))
    if wanted:
        print(page.tables(fresh))
    if options.write or not wanted:
        target = contestants.ROOT / "docs/benchmarks.md"
        target.write_text(page.write(measured), encoding="utf-8")
        say(f"{target} is written.")


def profiles(apus, folder):
    """The costliest functions of generation and training, with so many repetitions that the start does not count."""
    program, model = apus.program, apus.models / "s"
    return {
        "Generation, 64 × (64 + 64), S": hot_spots.top(
            [program, "bench", "generate", "--model", model, "--repeats", "6"], folder),
        "Training, 4 × 256, S": hot_spots.top([program, "bench", "train", "--model", model, "--repeats", "12"], folder),
    }


if __name__ == "__main__":
    main()

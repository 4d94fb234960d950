#!/usr/bin/env python3
"""Writes docs/benchmarks.md from what scripts/bench.sh measured. Standard library only."""

import json
import os
import platform
import statistics
import sys


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def main(folder):
    runs = sorted(name for name in os.listdir(folder) if name.startswith("demo-") and not name.endswith(".txt"))
    summaries = {}
    metrics = {}
    for name in runs:
        with open(f"{folder}/{name}/summary.json", encoding="utf-8") as file:
            summaries[name] = json.load(file)
        metrics[name] = lines(f"{folder}/{name}/metrics.jsonl")

    def median(values):
        return statistics.median(list(values))

    every = list(summaries.values())
    rows = [row for name in runs for row in metrics[name]]
    steps_seconds = [run[-1]["time"] - run[0]["time"] for run in metrics.values()]
    groups = [summary["groups_accepted"] / seconds for summary, seconds in zip(every, steps_seconds)]
    print("# Benchmarks\n")
    print("Written by `make bench`. Medians; the spread is beside them where it matters.\n")
    print(f"Machine: {processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}.\n")
    print("## The whole loop\n")
    print(f"`apus demo` on {len(runs)} seeds: eight processes on this machine, 60 steps of 64 prompts × 8 samples.\n")
    print("| seed | reward before | reward after (sampled / greedy) | wall seconds | cheater audited | mismatch_kl | max staleness |")
    print("|---|---|---|---|---|---|---|")
    for name in runs:
        summary = summaries[name]
        cheater = summary.get("cheater") or {}
        print(
            f"| {name.split('-')[1]} | {summary['reward_before']['sampled']:.3f} | "
            f"{summary['reward_after']['sampled']:.3f} / {summary['reward_after']['greedy']:.3f} | "
            f"{summary['wall_seconds']:.1f} | {cheater.get('caught_after_groups', '–')} groups, "
            f"{'slashed' if cheater.get('slashed') else 'not slashed'} | {summary['mismatch_kl']} | "
            f"{summary['max_staleness']} |"
        )
    print("\n| what | median | range |")
    print("|---|---|---|")

    def row(name, values, form):
        values = list(values)
        print(f"| {name} | {form.format(median(values))} | {form.format(min(values))} to {form.format(max(values))} |")

    row("wall seconds, first process to final table", (s["wall_seconds"] for s in every), "{:.1f}")
    row("seconds from step 1 to step 60", steps_seconds, "{:.1f}")
    row("seconds per step", (r["time/step"] for r in rows if "time/step" in r), "{:.3f}")
    row("of these, trainer computing", (r["time/forward_backward"] for r in rows), "{:.3f}")
    row("of these, trainer waiting for its batch", (r["time/wait_for_batch"] for r in rows), "{:.3f}")
    row("verified groups per second through the orchestrator", groups, "{:.0f}")
    row("audit seconds ÷ generation seconds", (s["verify_seconds"] / s["generate_seconds"] for s in every), "{:.2f}")
    tokens = [
        run[-1]["progress/tokens"] / summary["generate_seconds"] for run, summary in zip(metrics.values(), every)
    ]
    row("completion tokens per second of a worker's computing", tokens, "{:.0f}")
    size = os.path.getsize(f"{folder}/{runs[0]}/model/model.safetensors")
    print(f"| bytes per version (full, bf16) | {size} | |")
    print("\n## The engine\n")
    print("`apus bench`, random tokens.\n")
    print("| work | parameters | threads | row | tokens/s | spread | settings |")
    print("|---|---|---|---|---|---|---|")
    for line in lines(f"{folder}/engine.jsonl"):
        settings = ", ".join(f"{key} {value}" for key, value in sorted(line["settings"].items()))
        low, high = line["spread"]
        print(
            f"| {line['bench']} | {line['parameters']} | {line['threads']} | {line['row']} | "
            f"{line['tokens_per_second']:.0f} | {low:.0f} to {high:.0f} | {settings} |"
        )
    print("\n## Proofs\n")
    print("| hidden | build, µs per token | verify, µs per token |")
    print("|---|---|---|")
    for line in lines(f"{folder}/toploc.jsonl"):
        print(
            f"| {line['hidden']} | {line['build_microseconds_per_token']:.2f} | "
            f"{line['verify_microseconds_per_token']:.2f} |"
        )


if __name__ == "__main__":
    main(sys.argv[1])

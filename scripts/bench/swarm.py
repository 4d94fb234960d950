"""The whole loop and the proofs: five demos, and `apus bench toploc`."""

import json
import os
import pathlib
import statistics

import figures
import process


def run(root, folder, seeds, say):
    """Runs a demo for each seed, checks its ledger, and times proofs. What the page needs is returned."""
    program = str(root / ".build/release/apus")
    demos, proofs, failures = [], [], []

    def attempt(what, into, work):
        try:
            into.append(work())
        except (process.Failed, OSError, ValueError, KeyError, IndexError) as failure:
            failures.append(f"{what}: {failure!r}")
            say(f"  {failures[-1]}")

    for seed in seeds:
        attempt(f"demo, seed {seed}", demos, lambda: demo(program, pathlib.Path(folder) / f"demo-{seed}", seed, say))
    for hidden in (64, 576, 1024, 2048):
        attempt(
            f"proofs, {hidden}", proofs,
            lambda: json.loads(process.run([program, "bench", "toploc", "--hidden", str(hidden)])[0]))
    return {"demos": demos, "proofs": proofs, "failures": failures}


def demo(program, out, seed, say):
    process.run([program, "demo", "--out", str(out), "--seed", str(seed)])
    process.run([program, "ledger", "verify", "--db", str(out / "orchestrator.sqlite")])
    result = read(out, seed)
    say(f"  demo, seed {seed}: {result['summary']['wall_seconds']:.1f} s")
    return result


def read(out, seed):
    with open(out / "metrics.jsonl", encoding="utf-8") as file:
        steps = [json.loads(line) for line in file if line.strip()]
    keys = ("time/step", "time/forward_backward", "time/wait_for_batch")
    return {
        "seed": seed, "summary": json.loads((out / "summary.json").read_text(encoding="utf-8")),
        "seconds": steps[-1]["time"] - steps[0]["time"], "tokens": steps[-1]["progress/tokens"],
        "steps": [{key: step[key] for key in keys if key in step} for step in steps],
        "bytes": os.path.getsize(out / "model/model.safetensors"),
    }


def loop_section(demos):
    yield "## The whole loop\n"
    yield f"`apus demo` on {len(demos)} seeds: eight processes on this machine, 60 steps of 64 prompts × 8 samples.\n"
    yield "| seed | reward before | reward after (sampled / greedy) | wall seconds | cheater audited | mismatch_kl | max staleness |"
    yield "|---|---|---|---|---|---|---|"
    for demo in demos:
        summary = demo["summary"]
        cheater = summary.get("cheater") or {}
        after = summary["reward_after"]
        yield (
            f"| {demo['seed']} | {summary['reward_before']['sampled']:.3f} | {after['sampled']:.3f} / "
            f"{after['greedy']:.3f} | {summary['wall_seconds']:.1f} | {cheater.get('caught_after_groups', '–')} groups, "
            f"{'slashed' if cheater.get('slashed') else 'not slashed'} | {summary['mismatch_kl']} | "
            f"{summary['max_staleness']} |")
    yield "\n| what | median | range |"
    yield "|---|---|---|"

    def row(name, values, form):
        spread = figures.Spread(values)
        return f"| {name} | {form.format(spread.median)} | {form.format(spread.low)} to {form.format(spread.high)} |"

    def steps(key):
        return [step[key] for demo in demos for step in demo["steps"] if key in step]

    summaries = [demo["summary"] for demo in demos]
    yield row("wall seconds, first process to final table", [s["wall_seconds"] for s in summaries], "{:.1f}")
    yield row("seconds from step 1 to step 60", [demo["seconds"] for demo in demos], "{:.1f}")
    yield row("seconds per step", steps("time/step"), "{:.3f}")
    yield row("of these, trainer computing", steps("time/forward_backward"), "{:.3f}")
    yield row("of these, trainer waiting for its batch", steps("time/wait_for_batch"), "{:.3f}")
    groups = [demo["summary"]["groups_accepted"] / demo["seconds"] for demo in demos]
    yield row("verified groups per second through the orchestrator", groups, "{:.0f}")
    audits = [s["verify_seconds"] / s["generate_seconds"] for s in summaries]
    yield row("audit seconds ÷ generation seconds", audits, "{:.2f}")
    rates = [demo["tokens"] / demo["summary"]["generate_seconds"] for demo in demos]
    yield row("completion tokens per second of a worker's computing", rates, "{:.0f}")
    yield f"| bytes per version (full, bf16) | {statistics.median(demo['bytes'] for demo in demos):.0f} | |"


def proofs_section(proofs):
    yield "## Proofs\n"
    yield "One thread.\n"
    yield "| hidden | build, µs per token | verify, µs per token |"
    yield "|---|---|---|"
    for line in proofs:
        yield (
            f"| {line['hidden']} | {line['build_microseconds_per_token']:.2f} | "
            f"{line['verify_microseconds_per_token']:.2f} |")

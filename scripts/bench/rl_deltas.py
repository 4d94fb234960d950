#!/usr/bin/env python3
"""What the versions of a real training run cost on the wire: supervised training, then reinforcement, version by version.

    scripts/make-real-model.py --shape s --out models/s
    scripts/bench/rl_deltas.py --apus .build/release/apus --model models/s --out runs/deltas

`apus sft` teaches the model to sort digits in a chat; `apus up` goes on from there with each learning rate, a worker and a
verifier on this machine. Printed for each rate: changed values and bytes of every version, the ratio to a whole one, what a
member and what a relay carry on average, and whether every node had the same weights (the hash that is signed with every
group, files on both members' disks, and `mismatch_kl`). Takes about a quarter of an hour per rate on two cores.

Needs nothing but Python and a build.
"""

import argparse
import collections
import hashlib
import json
import pathlib
import random
import subprocess


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apus", required=True, type=pathlib.Path)
    parser.add_argument("--model", required=True, type=pathlib.Path, help="a Hugging Face directory with a tokenizer")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--rates", nargs="+", default=["3e-6", "1e-6"])
    parser.add_argument("--sft-steps", type=int, default=400)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--groups", type=int, default=4, help="groups of 8 samples in a batch")
    parser.add_argument("--only-sft", action="store_true")
    return parser.parse_args()


def write_data(folder):
    """A few hundred chats, the same ones every time."""
    generator = random.Random(1)
    chats, prompts = [], []
    for _ in range(400):
        digits = [generator.randrange(10) for _ in range(3)]
        question = {"role": "user", "content": f"Sort the digits {' '.join(map(str, digits))}."}
        answer = " ".join(map(str, sorted(digits)))
        chats.append({"messages": [question, {"role": "assistant", "content": answer}]})
        prompts.append({"prompt": [question], "answer": answer})
    for name, rows in (("sft.jsonl", chats), ("chat.jsonl", prompts)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def supervise(options):
    """The model that reinforcement starts from."""
    target = options.out / "sft"
    if not (target / "model" / "config.json").exists():
        settings = options.out / "sft.toml"
        settings.write_text(
            f"""
[run]
name = "deltas-sft"
directory = "{target}"
[model]
path = "{options.model.resolve()}"
[data]
path = "{options.out / 'sft.jsonl'}"
[training]
steps = {options.sft_steps}
batch = 8
learning_rate = 6e-4
warmup_steps = 20
"""
        )
        subprocess.run([options.apus, "sft", "@", settings], check=True)
    return target / "model"


def reinforce(options, model, rate):
    """A run's directory."""
    target = options.out / f"run-{rate}"
    if not (target / "metrics.jsonl").exists():
        settings = options.out / f"run-{rate}.toml"
        settings.write_text(
            f"""
[run]
name = "deltas-{rate}"
directory = "{target}"
[model]
path = "{model}"
[environment]
name = "dataset"
[environment.options]
path = "{options.out / 'chat.jsonl'}"
reward = "edit-similarity"
[sampling]
max_tokens = 24
group_size = 8
[training]
steps = {options.steps}
groups_per_batch = {options.groups}
learning_rate = {rate}
warmup_steps = 0
clip_norm = 1.0
checkpoint_interval = {options.steps}
[evaluation]
prompts = 0
[swarm]
workers = 1
verifiers = 1
worker_threads = 2
verifier_threads = 2
groups_in_flight = {options.groups}
[weights]
keep_versions = {options.steps + 2}
[lease]
minimum_seconds = 200
[audit]
timeout_seconds = 300
[telemetry]
log_level = "debug"
"""
        )
        subprocess.run([options.apus, "up", "@", settings], check=True)
    return target


def manifests(run):
    """What was signed for every version, by number."""
    found = {}
    for path in (run / "weights" / "manifests").glob("v*"):
        manifest = json.loads(path.read_bytes().split(b"\n", 1)[1])
        found[manifest["version"]] = manifest
    return dict(sorted(found.items()))


def check_hashes(run, signed):
    """Sentences about who had which weights."""
    rows = [
        json.loads(line)
        for path in sorted(run.glob("rollouts/*/*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    versions = collections.defaultdict(set)
    for row in rows:
        versions[row["version"]].add(row["weights_hash"])
    wrong = [v for v, hashes in versions.items() if hashes != {signed[v]["weights_hash"]}]
    yield f"{len(rows)} trained rollouts of {len(versions)} versions, signed and audited with the published hash" + (
        f", except those of {wrong}" if wrong else ""
    )
    files = collections.defaultdict(dict)
    for path in run.glob("cache/*/v*/model.safetensors"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        files[int(path.parent.name[1:])][path.parent.parent.name] = digest
    for version, digests in sorted(files.items()):
        named = next(f["sha256"] for f in signed[version]["files"] if f["name"] == "model.safetensors")
        if set(digests.values()) != {named}:
            yield f"version {version} differs on disks: {digests}"
    yield f"{sum(len(d) for d in files.values())} files of weights on members' disks, each with the signed hash"
    worker = (path.read_text() for path in run.glob("logs/worker-*.log"))
    swaps = sum(text.count(" in memory: ") for text in worker)
    yield f"{swaps} versions were made in the worker's memory"


def table(run, signed):
    """Markdown, and the averages below it."""
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    print("\n| version | changed | difference | ratio | whole too | reward | mismatch_kl |")
    print("|---|---|---|---|---|---|---|")
    ratios, carried, followed, full = [], 0, 0, 0
    for row in metrics:
        manifest = signed.get(row["step"])
        if manifest is None or "delta" not in manifest:
            continue
        whole, difference = manifest["total_bytes"], manifest["delta"]["bytes"]
        is_anchor = manifest.get("kind", "full") == "full"
        ratios.append(whole / difference)
        carried += difference + (whole if is_anchor else 0)
        followed += difference
        full += whole
        print(
            f"| {row['step']} | {100 * row.get('weights/density', 0):.2f} % | {difference / 1e6:.2f} MB "
            f"| {whole / difference:.0f} | {'yes' if is_anchor else ''} | {row.get('reward/mean', 0):.3f} "
            f"| {row.get('mismatch_kl/mean', 'none')} |"
        )
    ratios.sort()
    if ratios:
        print(
            f"\nRatio of a difference: median {ratios[len(ratios) // 2]:.1f}, least {ratios[0]:.1f}, most {ratios[-1]:.1f}. "
            f"A member that follows receives 1/{full / followed:.1f} of whole versions; an origin that sends every "
            f"anchor whole beside its difference sends 1/{full / carried:.1f}."
        )


def main():
    options = arguments()
    options.out = options.out.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    write_data(options.out)
    model = supervise(options)
    if options.only_sft:
        return
    for rate in options.rates:
        run = reinforce(options, model, rate)
        signed = manifests(run)
        print(f"\nlearning rate {rate}")
        table(run, signed)
        for sentence in check_hashes(run, signed):
            print(f"- {sentence}")


if __name__ == "__main__":
    main()

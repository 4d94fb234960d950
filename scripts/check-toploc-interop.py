#!/usr/bin/env python3
"""Both ways between `apus toploc` and the published package, and both timed on the same chunks.

    python scripts/check-toploc-interop.py                 proofs of each side, judged by the other
    python scripts/check-toploc-interop.py --bench         build and verify of both, by turns, on one core

Needs toploc 0.1.6, torch (2.6, which that package was built for), safetensors, and `make build`.

What may differ: of values with the same magnitude at the boundary of the top k we take the lowest index and torch any.
So bytes and verdicts are equal for every chunk without such a tie, and a tie costs at most as many exponents as there
are values in it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--apus", default=".build/release/apus")
parser.add_argument("--widths", default="64,576,1024,2048,4096,8192")
parser.add_argument("--chunks", type=int, default=40)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--bench", action="store_true", help="time build and verify instead, at 576, 1024 and 2048")
parser.add_argument("--rounds", type=int, default=5, help="turns of the comparison in time")
arguments = parser.parse_args()

if arguments.bench:
    # Before torch and toploc count the cores; the program that is started inherits it.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ["OMP_NUM_THREADS"] = "1"

import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from toploc import build_proofs_base64, verify_proofs_base64  # noqa: E402
from toploc.C.csrc.poly import ProofPoly  # noqa: E402

TOP = 128
CHUNK = 32


def activations(rows, width, seed, kind):
    """Like the output of a last norm: normal values, or with a gain for each channel."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(rows, width, generator=generator)
    if kind == "gains":
        values *= torch.exp(0.7 * torch.randn(width, generator=generator))
    return values.to(torch.bfloat16).contiguous()


def ours(*words):
    run = subprocess.run([arguments.apus, "toploc", *words], capture_output=True, text=True)
    if run.returncode not in (0, 65):
        sys.exit(f"apus toploc {' '.join(words)}: {run.stderr}")
    return run.returncode, run.stdout.splitlines()


def boundary_ties(chunk):
    """How many values share the magnitude of the last one that counts, where not all of them count."""
    magnitude = chunk.flatten().abs()
    if magnitude.numel() <= TOP:
        return 0
    top = magnitude.topk(TOP + 1).values
    return int((magnitude == top[TOP - 1]).sum()) if top[TOP] == top[TOP - 1] else 0


def accepted(result):
    return result[0] <= 38 and result[1] <= 10 and result[2] <= 8


def three(result):
    return (result.exp_mismatches, result.mant_err_mean, result.mant_err_median)


def interoperate(folder):
    total = 0
    for width in map(int, arguments.widths.split(",")):
        for kind in ["normal", "gains"]:
            # A tail of five rows: short, and with as many values as the package needs.
            rows = CHUNK * arguments.chunks + max(5, -(-TOP // width))
            values = activations(rows, width, arguments.seed, kind)
            other = activations(rows, width, arguments.seed + 1, kind)
            files = {}
            for name, tensor in [("mine", values), ("other", other)]:
                files[name] = os.path.join(folder, f"{name}.safetensors")
                save_file({"hidden": tensor}, files[name])
            _, proofs = ours("build", "--activations", files["mine"])
            theirs = build_proofs_base64(list(values), CHUNK, TOP, skip_prefill=True)
            assert len(proofs) == len(theirs) == arguments.chunks + 1, (len(proofs), len(theirs))
            parts = [values[start:start + CHUNK] for start in range(0, rows, CHUNK)]
            ties = [boundary_ties(part) for part in parts]

            by_package = [three(r) for r in verify_proofs_base64(values, proofs, CHUNK, TOP, skip_prefill=True)]
            path = os.path.join(folder, "proofs.txt")
            with open(path, "w") as file:
                file.write("\n".join(theirs) + "\n")
            status, lines = ours("verify", "--activations", files["mine"], "--proofs", path)
            by_us = [json.loads(line) for line in lines]
            by_us = [(r["exp_mismatches"], r["mant_err_mean"], r["mant_err_median"]) for r in by_us]
            by_itself = [three(r) for r in verify_proofs_base64(values, theirs, CHUNK, TOP, skip_prefill=True)]

            for number, tied in enumerate(ties):
                place = (width, kind, number, tied)
                assert tied or proofs[number] == theirs[number], ("bytes differ", place)
                for result in (by_package[number], by_us[number]):
                    assert result == (0, 0, 0) if not tied else accepted(result) and result[0] <= tied, (place, result)
                assert by_itself[number] == (0, 0, 0), place
            assert status == 0

            # Neither side takes the proofs for other activations, and both give the same figures where no tie is.
            status, lines = ours("verify", "--activations", files["other"], "--proofs", path)
            against = [json.loads(line) for line in lines]
            package = [three(r) for r in verify_proofs_base64(other, theirs, CHUNK, TOP, skip_prefill=True)]
            assert status == 65 and not any(map(accepted, package)) and not any(r["accepted"] for r in against)
            equal = 0
            for number, (mine, his) in enumerate(zip(against, package)):
                if boundary_ties(other[number * CHUNK:(number + 1) * CHUNK]) == 0:
                    figures = (mine["exp_mismatches"], mine["mant_err_mean"], mine["mant_err_median"])
                    assert figures == his, (width, kind, number, figures, his)
                    equal += 1

            # The package's list path does not reduce indices: right only under the usual modulus.
            moduli = [ProofPoly.from_base64(text).modulus for text in theirs]
            by_list = [three(r) for r in verify_proofs_base64(list(values), theirs, CHUNK, TOP, skip_prefill=True)]
            wrong = sum(r[0] > 0 for r in by_list)
            small = sum(m < 65497 for m in moduli)
            assert wrong <= small, (width, kind, wrong, small)
            total += len(ties)
            print(
                f"{width:5} {kind:6} {len(ties)} chunks: {sum(p == t for p, t in zip(proofs, theirs))} equal bytes, "
                f"{sum(t > 0 for t in ties)} with a tie at the boundary; exponents that differ by the package "
                f"{max(r[0] for r in by_package)}, by us {max(r[0] for r in by_us)} at most; {small} moduli below 65497 "
                f"({wrong} of them wrong by the package's list path); other activations: all refused by both, "
                f"{equal} equal figures")
    print(f"{total} chunks pass both ways")


def timed(work):
    """Microseconds of computing: what others take from the core meanwhile is not the package's fault."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1e6


def bench(folder):
    torch.set_num_threads(1)
    for width in [576, 1024, 2048]:
        rows = CHUNK * 64
        values = activations(rows, width, arguments.seed, "gains")
        path = os.path.join(folder, "bench.safetensors")
        save_file({"hidden": values}, path)
        steps = list(values)
        proofs = build_proofs_base64(steps, CHUNK, TOP, skip_prefill=True)
        times = {name: [] for name in ["build", "verify", "apus build", "apus verify"]}
        for _ in range(arguments.rounds):
            run = subprocess.run(
                [arguments.apus, "bench", "toploc", "--activations", path], capture_output=True, text=True, check=True)
            line = json.loads(run.stdout)
            times["apus build"].append(line["build_microseconds_per_token"])
            times["apus verify"].append(line["verify_microseconds_per_token"])
            times["build"].append(
                timed(lambda: build_proofs_base64(steps, CHUNK, TOP, skip_prefill=True)) / rows)
            # Both paths of the package; its faster one counts.
            times["verify"].append(min(
                timed(lambda: verify_proofs_base64(values, proofs, CHUNK, TOP, skip_prefill=True)),
                timed(lambda: verify_proofs_base64(steps, proofs, CHUNK, TOP, skip_prefill=True))) / rows)
        median = {name: statistics.median(list_) for name, list_ in times.items()}
        for work in ["build", "verify"]:
            ratio = statistics.median(t / o for t, o in zip(times[work], times[f"apus {work}"]))
            print(json.dumps({
                "bench": f"toploc {work}", "hidden": width, "toploc_microseconds_per_token": round(median[work], 3),
                "apus_microseconds_per_token": round(median[f"apus {work}"], 3), "ratio": round(ratio, 2)}))


with tempfile.TemporaryDirectory() as folder:
    bench(folder) if arguments.bench else interoperate(folder)

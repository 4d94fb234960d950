#!/usr/bin/env python3
"""Golden TOPLOC fixtures made by the published package, and the check of our proofs by that package.

    python scripts/make-golden-toploc.py                     writes Tests/ProofsTests/Fixtures/toploc.json
    python scripts/make-golden-toploc.py --check FILE.jsonl  verifies proofs that our tests emitted
        (APUS_EMIT_TOPLOC=FILE.jsonl swift test --filter ProofsTests makes such a file)

Needs toploc 0.1.6 and torch. Activations come from SplitMix64, so that only seeds and shapes are stored.
"""

import argparse
import json
import os

import numpy
import torch
import toploc
from toploc.C.csrc.poly import ProofPoly, verify_proofs_bytes

MASK = (1 << 64) - 1


def splitmix(seed):
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def activations(seed, count):
    """bf16 bits with eleven exponents and all mantissas; one draw for each value."""
    draws = splitmix(seed)
    out = numpy.empty(count, dtype=numpy.uint16)
    for i in range(count):
        z = next(draws)
        out[i] = (z & 1) << 15 | (120 + ((z >> 1) % 11)) << 7 | ((z >> 32) & 127)
    return out


def spikes(seed, count, k):
    """k values with large exponents at random places, zeros elsewhere: no tie at the boundary, any size."""
    draws = splitmix(seed)
    out = numpy.zeros(count, dtype=numpy.uint16)
    placed = 0
    while placed < k:
        place = next(draws) % count
        z = next(draws)
        if out[place] == 0:
            out[place] = (z & 1) << 15 | (120 + ((z >> 1) % 11)) << 7 | ((z >> 32) & 127)
            placed += 1
    return out


def perturbed(bits, kind):
    """Bit operations that Swift repeats exactly."""
    if kind == "none":
        return bits
    if kind == "mantissa+1":  # every seventh value, carry into the exponent included
        out = bits.copy()
        out[::7] += 1
        return out
    if kind == "times4":
        return bits + numpy.uint16(2 << 7)
    if kind == "sign":
        return bits ^ numpy.uint16(0x8000)
    if kind == "swapped":  # halves exchanged
        half = len(bits) // 2
        return numpy.concatenate([bits[half:], bits[:half]])
    raise ValueError(kind)


def tensor(bits, rows, hidden):
    return torch.from_numpy(bits.astype(numpy.int32).astype(numpy.int16)).view(torch.bfloat16).view(rows, hidden)


def top(bits, k):
    """Our tie-break: magnitude descending, then index ascending."""
    magnitude = (bits & 0x7FFF).astype(numpy.int64)
    order = numpy.lexsort((numpy.arange(len(bits)), -magnitude))
    return numpy.sort(order[:k])


def has_boundary_tie(bits, k):
    magnitude = numpy.sort((bits & 0x7FFF).astype(numpy.int64))[::-1]
    return k < len(bits) and magnitude[k - 1] == magnitude[k]


def proof(bits, k):
    indices = top(bits, k)
    x = torch.from_numpy(indices.astype(numpy.int64))
    y = torch.from_numpy(bits[indices].astype(numpy.int32))
    return ProofPoly.from_points_tensor(x, y)


def points_case(name, x, y):
    made = ProofPoly.from_points(x, y)
    at = [0, 1, 2, 100, 65496]
    return {
        "name": name, "x": x, "y": y, "modulus": made.modulus, "bytes": made.to_bytes().hex(),
        "base64": made.to_base64(), "at": at, "values": [made(a) for a in at],
    }


def matrix_case(name, seed, rows, hidden, k, chunk, kinds, bits=None):
    generator = "dense" if bits is None else "spikes"
    bits = activations(seed, rows * hidden) if bits is None else bits
    proofs = []
    for start in range(0, rows, chunk):
        part = bits[start * hidden:(start + chunk) * hidden]
        proofs.append(proof(part, min(k, len(part))))
    case = {
        "name": name, "generator": generator, "seed": seed, "rows": rows, "hidden": hidden, "k": k, "chunk": chunk,
        "moduli": [p.modulus for p in proofs], "proofs": [p.to_base64() for p in proofs], "verdicts": [],
    }
    for kind in kinds:
        other = perturbed(bits, kind)
        results = []
        for number, start in enumerate(range(0, rows, chunk)):
            part = other[start * hidden:(start + chunk) * hidden]
            size = min(k, len(part))
            # The package's own top-k must choose the same set as ours, or the figures are not comparable.
            assert not has_boundary_tie(part, size), (name, kind, number)
            shaped = tensor(part, len(part) // hidden, hidden)
            (result,) = verify_proofs_bytes(shaped, [proofs[number].to_bytes()], len(part) // hidden, size)
            results.append([result.exp_mismatches, result.mant_err_mean, result.mant_err_median])
        case["verdicts"].append({"kind": kind, "results": results})
    return case


def seed_without_ties(rows, hidden, k, chunk, kinds):
    for seed in range(1, 100000):
        bits = activations(seed, rows * hidden)
        if all(
            not has_boundary_tie(part, min(k, len(part)))
            for kind in kinds
            for start in range(0, rows, chunk)
            for part in [perturbed(bits, kind)[start * hidden:(start + chunk) * hidden]]
        ):
            return seed
    raise SystemExit("no seed without ties")


def make(path):
    kinds = ["none", "mantissa+1", "times4", "sign", "swapped"]
    cases = []
    for name, rows, hidden, k, chunk in [
        ("one full chunk", 32, 64, 128, 32),
        ("short last chunk", 70, 24, 16, 32),
        ("fewer values than k", 1, 64, 128, 32),
        ("one row beyond the boundary", 33, 8, 4, 32),
        ("top one", 4, 16, 1, 2),
    ]:
        seed = seed_without_ties(rows, hidden, k, chunk, kinds)
        cases.append(matrix_case(name, seed, rows, hidden, k, chunk, kinds))

    # Only indices beyond 65497 can collide; the package's C++ path reduces them as we do.
    rows, hidden, k = 32, 4096, 128
    kinds = ["none", "times4", "sign", "swapped"]
    found = 0
    for seed in range(1, 10000):
        bits = spikes(seed, rows * hidden, k)
        if proof(bits, k).modulus < 65497:
            cases.append(matrix_case(f"modulus below 65497, {found}", seed, rows, hidden, k, 32, kinds, bits))
            found += 1
        if found == 3:
            break

    bits = ["3f80", "c000", "4049", "bf00"]
    y = [int(b, 16) for b in bits]
    points = [
        points_case("A", [0, 1, 2, 3], [1, 10, 49, 142]),
        points_case("B", [3, 17, 40, 63], y),
        points_case("C", [5, 65502, 100000, 7], y),
        points_case("package test_ndd", [1, 3, 5, 2], [1, 5, 4, 1]),
        points_case("one point", [9], [77]),
        points_case("aliased y", [1, 2], [65535, 65498]),
    ]
    with open(path, "w") as file:
        json.dump({"points": points, "matrices": cases, "built": built()}, file, indent=1)
        file.write("\n")
    print(path, os.path.getsize(path), "bytes;", [c["moduli"] for c in cases])


def built():
    """Proofs exactly as the package builds them, its own top k included, at the widths of real models."""
    cases = []
    for rows, hidden in [(40, 576), (37, 1024), (33, 2048)]:
        bits = activations(rows, rows * hidden)
        proofs = toploc.build_proofs_base64(list(tensor(bits, rows, hidden)), 32, 128, skip_prefill=True)
        ties = []
        for start in range(0, rows, 32):
            magnitude = (bits[start * hidden:(start + 32) * hidden] & 0x7FFF).astype(numpy.int64)
            last = numpy.sort(magnitude)[::-1][127]
            ties.append(int((magnitude == last).sum()) if has_boundary_tie(magnitude, 128) else 0)
        cases.append({"seed": rows, "rows": rows, "hidden": hidden, "proofs": proofs, "ties": ties})
    return cases


def check(path):
    """Our proofs, judged by the package on the same activations: every figure must be zero."""
    chunks = 0
    for line in open(path):
        item = json.loads(line)
        bits = activations(item["seed"], item["rows"] * item["hidden"])
        for number, text in enumerate(item["proofs"]):
            start = number * item["chunk"] * item["hidden"]
            part = bits[start:start + item["chunk"] * item["hidden"]]
            made = ProofPoly.from_base64(text)
            size = min(item["k"], len(part))
            assert made.to_bytes() == proof(part, size).to_bytes(), (item["seed"], number, "bytes differ")
            # With a tie at the boundary the package's top-k may pick another of the equal values.
            if not has_boundary_tie(part, size):
                shaped = tensor(part, len(part) // item["hidden"], item["hidden"])
                (result,) = verify_proofs_bytes(shaped, [made.to_bytes()], item["chunk"], size)
                assert (result.exp_mismatches, result.mant_err_mean, result.mant_err_median) == (0, 0, 0), result
            chunks += 1
    print(f"{chunks} chunks: the package's bytes, and its verdict is 0/0/0")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--check")
    parser.add_argument("--out", default="Tests/ProofsTests/Fixtures/toploc.json")
    arguments = parser.parse_args()
    check(arguments.check) if arguments.check else make(arguments.out)

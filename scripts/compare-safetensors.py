#!/usr/bin/env python3
"""Compares what our safetensors reader accepts with the `safetensors` package: hostile fixtures, valid ones, mutations.

    python scripts/compare-safetensors.py [--mutations 20000] [--seed 1]

Needs the package `safetensors` (0.8) and a build of the tests. Our verdicts come from ReferenceComparisonTests. We may be
stricter, by the differences that docs/formats.md lists; the script fails when we accept what the package refuses, when both
accept a file and see different tensors, or when we refuse for a reason that is not on the list. Writers are compared too: the
package must write the bytes that we would.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from safetensors import deserialize

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "Tests/SafetensorsTests/Fixtures"

# Where we are stricter: a rule of ours, and a part of the sentence that it gives.
STRICTER = {
    "a name twice in one object": ("duplicateKey", ""),
    "an unknown key beside dtype, shape and data_offsets": ("malformedHeader", "has the unknown entry"),
    "an entry as a list instead of an object": ("malformedHeader", "expected '{'"),
    "__metadata__ that is null": ("malformedHeader", "expected '{'"),
    "a dtype as an object": ("malformedHeader", "expected '\"'"),
    "more than 64 dimensions": ("malformedHeader", "more than 64 numbers"),
    "a name of more than 4096 bytes": ("malformedHeader", "a string of more than"),
    "a number of 2^63 or more": ("malformedHeader", "is not a whole number from 0"),
}

WORDS = [
    '"dtype"', '"shape"', '"data_offsets"', '"__metadata__"', '"BF16"', '"F4"', "[0,0]", "{}", "[]", "null", "true",
    "9223372036854775807", "18446744073709551615", "4294967296", "-1", "0.5", "1e9", "\\u0061", "\\ud83d", '"a"', ",", ":",
]  # fmt: skip
BYTES = b'{}[]":,0123456789-+.eE\\ ux/\x00\x0a\x7f\x80\xc0\xff'


def mutate(valid, originals, generator):
    data = bytearray(generator.choice(valid if generator.random() < 0.7 else originals))
    for _ in range(generator.choice((1, 1, 1, 2, 4))):
        place = generator.randrange(len(data)) if data else 0
        kind = generator.randrange(8)
        if not data:
            data.append(generator.randrange(256))
        elif kind == 0:
            data[place] ^= 1 << generator.randrange(8)
        elif kind == 1:
            data[place] = generator.choice(BYTES)
        elif kind == 2:
            del data[place : place + generator.randint(1, 8)]
        elif kind == 3:
            data.insert(place, generator.choice(BYTES))
        elif kind == 4:
            del data[-generator.randint(1, 8) :]
        elif kind == 5:
            other = generator.choice(originals)
            start = generator.randrange(len(other) or 1)
            data[place:place] = other[start : start + generator.randint(1, 64)]
        elif kind == 6:
            data[place:place] = generator.choice(WORDS).encode()
        else:
            data += bytes([data[place]]) * generator.randint(1, 8)
    # Half of the mutations would fail at the length; put the true one back in these.
    if generator.random() < 0.6 and len(data) > 8:
        end = data.rfind(b"}") + 1
        if end > 8:
            data[:8] = (end - 8).to_bytes(8, "little")
    return bytes(data)


def reference(data):
    """The tensors that the package sees, or None."""
    try:
        return sorted([name, info["dtype"], list(info["shape"])] for name, info in deserialize(data))
    except Exception:
        return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutations", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--package", default=str(ROOT), help="the package to run `swift test` in")
    options = parser.parse_args()
    generator = random.Random(options.seed)
    fixtures = sorted(FIXTURES.glob("hostile/*/*.safetensors")) + sorted(FIXTURES.glob("valid/*.safetensors"))
    valid = [path.read_bytes() for path in fixtures if path.parent.name == "valid"]
    originals = [path.read_bytes() for path in fixtures if path.stat().st_size < 2048 and path.stat().st_size > 0]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        theirs = {}
        for path in fixtures:
            name = f"{path.parent.name}.{path.name}"
            (folder / name).write_bytes(path.read_bytes())
            theirs[name] = reference(path.read_bytes())
        for number in range(options.mutations):
            name = f"mutation-{number:06}.safetensors"
            data = mutate(valid, originals, generator)
            (folder / name).write_bytes(data)
            theirs[name] = reference(data)
        command = ["swift", "test", "-c", "release", "-Xswiftc", "-enable-testing", "--skip-build"]
        environment = dict(os.environ, APUS_SAFETENSORS_CORPUS=str(folder))
        result = subprocess.run(
            command + ["--filter", "ReferenceComparisonTests"], cwd=options.package, env=environment, capture_output=True
        )
        if result.returncode != 0:
            sys.exit(result.stdout.decode()[-2000:] + result.stderr.decode()[-2000:])
        verdicts = map(json.loads, (folder / "verdicts.jsonl").read_text().split("\n"))
        ours = {name: (rule, detail) for name, rule, detail in verdicts}
        assert ours.keys() == theirs.keys(), "a verdict is missing"
        stricter, faults, both = collections.Counter(), [], 0
        for name, (rule, detail) in ours.items():
            if rule == "accepted":
                both += 1
                if theirs[name] != sorted(detail):
                    faults.append(f"{name}: we see {detail}, the package {theirs[name]}")
            elif theirs[name] is not None:
                why = next((text for text, (r, part) in STRICTER.items() if r == rule and part in detail), None)
                if why is None:
                    faults.append(f"{name}: we refuse ({rule}: {detail}), the package does not: {(folder / name).read_bytes()!r}")
                stricter[why] += 1
    print(f"{len(ours)} files: both accept {both}, both refuse {len(ours) - both - sum(stricter.values())}")
    for why, count in stricter.most_common():
        print(f"  only we refuse {count}: {why}")
    if faults:
        sys.exit("\n".join(faults[:20]) + f"\n{len(faults)} unexpected differences")


if __name__ == "__main__":
    main()

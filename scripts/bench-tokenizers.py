#!/usr/bin/env python3
"""Load time and encoding speed of a tokenizer.json: `apus tokenize` against the Python package `tokenizers`, one core.

    python3 scripts/bench-tokenizers.py --apus .build/release/apus [--model DIR] [--text FILE]

Without --model it trains one of the size and kind of Qwen2's (151,646 ids) into a temporary directory, from the text.
Without --text it takes what readable text this machine has under /usr, up to 20 MB. Both programs get the same text,
once as lines and once as a single line; times are processor seconds of the whole process less those of one that encodes
nothing, because `apus tokenize` also writes the ids. Needs: tokenizers.
"""
import argparse
import glob
import json
import os
import random
import resource
import subprocess
import sys
import tempfile

PYTHON = """
import sys, time
from tokenizers import Tokenizer
start = time.process_time()
tokenizer = Tokenizer.from_file(sys.argv[1] + "/tokenizer.json")
load = time.process_time() - start
lines = sys.stdin.buffer.read().decode(errors="replace").split("\\n")
start = time.process_time()
count = sum(len(tokenizer.encode(line, add_special_tokens=False).ids) for line in lines)
print(load, time.process_time() - start, count)
"""


def text(limit):
    paths = [p for p in glob.glob("/usr/**/*.*", recursive=True) if os.path.isfile(p) and os.path.getsize(p) < 1 << 20]
    random.Random(1).shuffle(paths)
    parts, size = [], 0
    for path in paths:
        try:
            part = open(path, "rb").read().decode()
        except (OSError, UnicodeDecodeError):
            continue
        if "\0" in part:
            continue
        parts.append(part)
        size += len(part)
        if size > limit:
            break
    return "\n".join(parts)


def train(corpus, directory):
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(corpus.split("\n"), trainers.BpeTrainer(
        vocab_size=151643, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_special_tokens([
        AddedToken(name, special=True, normalized=False) for name in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
    parts = json.loads(tokenizer.to_str())
    parts["model"]["merges"] = [" ".join(pair) for pair in parts["model"]["merges"]]
    with open(os.path.join(directory, "tokenizer.json"), "w") as file:
        json.dump(parts, file, ensure_ascii=False, indent=2)


def apus(program, directory, data):
    """Processor seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([program, "tokenize", "--model", directory], input=data, stdout=subprocess.PIPE, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, out.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", required=True)
    parser.add_argument("--model")
    parser.add_argument("--text")
    options = parser.parse_args()
    corpus = open(options.text, encoding="utf-8", errors="replace", newline="").read() if options.text else text(20_000_000)
    environment = dict(os.environ, RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.model or temporary
        if not options.model:
            train(corpus, directory)
        empty = min(apus(options.apus, directory, b"")[0] for _ in range(3))
        print(f"apus: start and load {empty:.3f} s")
        for name, data in (("lines", corpus), ("one line", corpus.replace("\n", " "))):
            data = data.encode()
            seconds, out = apus(options.apus, directory, data)
            count = out.count(b",") + sum(line != b"[]" for line in out.splitlines())
            python = subprocess.run(
                [sys.executable, "-c", PYTHON, directory], input=data, capture_output=True, check=True, env=environment)
            load, other, total = python.stdout.split()
            size = len(data) / 1e6
            print(
                f"{name}, {size:.1f} MB: apus {size / (seconds - empty):.1f} MB/s, {count} ids; "
                f"tokenizers {size / float(other):.2f} MB/s, load {float(load):.3f} s, {int(total)} ids")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Checks that `transformers` opens what `apus model new` writes, and that every tensor survives the way there and back.

    python scripts/check-model-new.py [--apus .build/release/apus] [--shapes nano,tiny,small,s,q]

For every shape: the model opens without missing, unexpected or mis-shaped tensors in its own class and in bf16; its tensors
equal those of our file bit for bit; saved by `transformers`, in one file and in parts, it has the same weights hash for us;
and its weights hash, computed here by the rule of docs/formats.md, is the one that we print. Needs torch, transformers and
safetensors.
"""
import argparse
import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM
from transformers.utils import logging

ROOT = pathlib.Path(__file__).resolve().parent.parent


def weights_hash(tensors):
    digest = hashlib.sha256()
    for name in sorted(tensors, key=str.encode):
        tensor = tensors[name].contiguous()
        assert tensor.dtype == torch.bfloat16, name
        for text in (name, "BF16"):
            digest.update(struct.pack("<I", len(text)) + text.encode())
        digest.update(struct.pack("<I", tensor.dim()) + b"".join(struct.pack("<Q", n) for n in tensor.shape))
        digest.update(tensor.view(torch.int16).numpy().tobytes())
    return digest.hexdigest()


def inspect(apus, path):
    result = subprocess.run([apus, "model", "inspect", str(path), "--json"], check=True, capture_output=True)
    return json.loads(result.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", default=str(ROOT / ".build/release/apus"))
    parser.add_argument("--shapes", default="nano,tiny,small,s,q")
    options = parser.parse_args()
    logging.disable_progress_bar()
    for shape in options.shapes.split(","):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model"
            command = [options.apus, "model", "new", "--shape", shape, "--out", str(path), "--seed", "7"]
            subprocess.run(command, check=True, capture_output=True)
            found = inspect(options.apus, path)
            ours = load_file(path / "model.safetensors")
            assert weights_hash(ours) == found["weights_hash"], "the weights hash follows another rule"
            model, report = AutoModelForCausalLM.from_pretrained(path, output_loading_info=True, dtype="auto")
            problems = {key: value for key, value in report.items() if value}
            assert not problems, problems
            assert model.config.model_type == found["family"] and model.dtype == torch.bfloat16
            count = sum(parameter.numel() for parameter in model.parameters())
            assert count == found["parameters"], (count, found["parameters"])
            theirs = model.state_dict()
            for name, tensor in ours.items():
                assert torch.equal(tensor, theirs[name]), name
            extra = set(theirs) - set(ours)
            assert extra <= {"lm_head.weight"}, extra
            for part_size in ("5GB", f"{count * 2 // 5000}KB"):
                saved = pathlib.Path(folder) / f"saved-{part_size}"
                model.save_pretrained(saved, max_shard_size=part_size)
                again = inspect(options.apus, saved)
                assert again["weights_hash"] == found["weights_hash"], part_size
            print(f"{shape}: {found['family']}, {count} parameters, {len(ours)} tensors, saved again in {again['files']} parts")


if __name__ == "__main__":
    sys.exit(main())

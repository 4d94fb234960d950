#!/usr/bin/env python3
"""docs/examples/completions_server.py, cheating on purpose: the negative controls of a real foreign engine.

    python cheating_server.py --model DIR --cheat int8 [--port 8000] [--dtype bfloat16]

It loads what it is told to load, and then does what the cheat says. Whatever it returns about its tokens is computed honestly by
the changed engine, so nothing but the cheat gives it away.
"""
import argparse
import sys
from http.server import ThreadingHTTPServer
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs" / "examples"))
from completions_server import Engine, handler  # noqa: E402


def rounded(weights, bits, stretch=None):
    """Matrices in a few bits, one scale for each row, or for each stretch of a row's values."""
    largest = 2 ** (bits - 1) - 1
    values = weights.float()
    groups = values.reshape(values.shape[0], -1, stretch or values.shape[1])
    scale = groups.abs().amax(-1, keepdim=True).clamp_min(1e-12) / largest
    return ((groups / scale).round() * scale).reshape(values.shape).to(weights.dtype)


def drifted(weights, generator):
    """What an optimizer step at a small rate does: one value in a hundred moves by one step of bf16."""
    bits = weights.view(torch.int16)
    exponent = bits >> 7 & 0xFF
    moved = (torch.rand(bits.shape, generator=generator) < 0.01) & (exponent > 1) & (exponent < 0xFE)
    steps = torch.randint(0, 2, bits.shape, generator=generator, dtype=torch.int16) * 2 - 1
    return torch.where(moved, bits + steps, bits).view(torch.bfloat16)


class Honest(Engine):
    """Nothing changed."""


class Quantised(Engine):
    """Every matrix rounded to a few bits."""

    def __init__(self, *arguments, bits, stretch=None):
        self.bits, self.stretch = bits, stretch
        super().__init__(*arguments)

    @torch.no_grad()
    def load(self, path):
        super().load(path)
        for weights in self.model.parameters():
            if weights.dim() == 2:
                weights.copy_(rounded(weights, self.bits, self.stretch))


class Dynamic(Engine):
    """PyTorch's dynamic quantisation: matrices and activations of every linear layer in 8 bits."""

    def load(self, path):
        super().load(path)
        quantised = torch.ao.quantization.quantize_dynamic(self.model.float(), {torch.nn.Linear}, dtype=torch.qint8)
        with self.lock:
            self.model = quantised


class OlderVersions(Engine):
    """The weights of so many versions before."""

    def __init__(self, *arguments, versions):
        self.versions = versions
        super().__init__(*arguments)

    @torch.no_grad()
    def load(self, path):
        super().load(path)
        generator = torch.Generator().manual_seed(7)
        for _ in range(self.versions):
            for weights in self.model.parameters():
                weights.copy_(drifted(weights, generator))


class OtherRequest(Engine):
    """Samples by another request than the one that it was sent, and reports the numbers of the leased one."""

    def __init__(self, *arguments, **changes):
        self.changes = changes
        super().__init__(*arguments)

    def choose(self, logits, request, words, position, generator):
        changed = request | {name: change(request) for name, change in self.changes.items()}
        token, _ = super().choose(logits, changed, None if "seed" in self.changes else words, position, generator)
        scores = logits.double() / request.get("temperature", 1)
        return token, float(torch.log_softmax(scores, -1)[token])


def sharper(factor):
    return lambda request: factor * request.get("temperature", 1)


CHEATS = {
    "none": Honest,
    "int8": lambda *arguments: Quantised(*arguments, bits=8),
    "int8-dynamic": Dynamic,
    "int4": lambda *arguments: Quantised(*arguments, bits=4, stretch=32),
    "previous-version": lambda *arguments: OlderVersions(*arguments, versions=1),
    "8-versions-old": lambda *arguments: OlderVersions(*arguments, versions=8),
    "temperature-0.9": lambda *arguments: OtherRequest(*arguments, temperature=sharper(0.9)),
    "temperature-0.7": lambda *arguments: OtherRequest(*arguments, temperature=sharper(0.7)),
    "removed-top-k": lambda *arguments: OtherRequest(*arguments, top_k=lambda request: 0),
    "own-top-k": lambda *arguments: OtherRequest(*arguments, top_k=lambda request: 50),
    "own-luck": lambda *arguments: OtherRequest(*arguments, seed=lambda request: request.get("seed", 0)),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a Hugging Face directory")
    parser.add_argument("--cheat", required=True, choices=CHEATS)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    arguments = parser.parse_args()
    engine = CHEATS[arguments.cheat](arguments.model, arguments.device, getattr(torch, arguments.dtype))
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), handler(engine))
    print(f"serving {arguments.model} at http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()

"""What is measured: each trial is a few sides that take turns, round by round.

A side is a function that gives named figures. `cost` is a guess of the seconds of one round, for the time left.
"""

import dataclasses
import typing

import process


@dataclasses.dataclass
class Trial:
    """Sides that take turns."""

    name: str
    sides: dict
    cost: float
    rounds: typing.Optional[int] = None


# The shapes of the table: sequences, prompt tokens, new tokens.
MATMUL_ROWS = [32, 64, 256, 512]


def generation(apus, llama, shape, batch, cost, repeats=1):
    return Trial(
        f"generate-{shape}-{batch}",
        {
            "Apus": lambda: apus.generate(shape, batch, 64, 64, repeats=repeats),
            "llama.cpp": lambda: llama.bench(shape, batch, 64, 64, repeats=repeats),
        },
        cost)


def prefill(apus, llama, torch, shape, batch, cost):
    return Trial(
        f"prefill-{shape}",
        {
            "Apus": lambda: apus.rate("prefill", shape, batch, 256, repeats=2),
            # A benchmark without decoding does not exist there; one new token is.
            "llama.cpp": lambda: {"rate": llama.bench(shape, batch, 256, 1, repeats=2)["prefill"]},
            "transformers": lambda: torch.ask("prefill", shape, batch=batch, length=256, together=4, repeats=2),
        },
        cost)


def training(apus, torch, shape, batch, cost):
    return Trial(
        f"train-{shape}",
        {
            "Apus": lambda: apus.rate("train", shape, batch, 256, repeats=2),
            "PyTorch bf16": lambda: torch.ask("train", shape, batch=batch, length=256, precision="bf16", repeats=2),
        },
        cost)


def matmul(apus, torch, shape, cost):
    def ours():
        return apus.matmul(shape, MATMUL_ROWS, False) | {
            f"{rows} cached": rate for rows, rate in apus.matmul(shape, MATMUL_ROWS, True).items()}

    def theirs(packed):
        def ask(cached):
            return torch.ask("matmul", shape, rows=MATMUL_ROWS, packed=packed, cached=cached)

        return ask(False) | {f"{rows} cached": rate for rows, rate in ask(True).items()}

    return Trial(
        f"matmul-{shape}",
        {"Apus": ours, "oneDNN": lambda: theirs(False), "oneDNN packed": lambda: theirs(True)},
        cost)


def neighbour(apus, llama, core):
    def beside(work):
        with process.BusyNeighbour(core):
            return work()

    def ours():
        return apus.generate("s", 64, 64, 32)

    # Threads that spin for each other can take many times as long beside a neighbour: fewer tokens must do.
    def theirs():
        return llama.bench("s", 64, 8, 4)

    return Trial(
        "neighbour-s",
        {
            "Apus": ours, "Apus beside a neighbour": lambda: beside(ours), "llama.cpp": theirs,
            "llama.cpp beside a neighbour": lambda: beside(theirs),
        },
        30)


def every_trial(apus, llama, torch, core):
    """All trials, in the order of the page."""
    return [
        generation(apus, llama, "s", 64, 12),
        generation(apus, llama, "s", 16, 5),
        generation(apus, llama, "s", 1, 4, repeats=3),
        Trial(
            "groups-s",
            {
                "Apus": lambda: apus.generate("s", 128, 256, 256, samples=16),
                "llama.cpp": lambda: llama.groups("s", 8, 16, 256, 256),
            },
            80),
        prefill(apus, llama, torch, "s", 16, 8),
        Trial(
            "replay-s",
            {
                "prefill": lambda: apus.rate("prefill", "s", 64, 128, repeats=2),
                "Apus": lambda: apus.rate("replay", "s", 64, 128, repeats=2),
                "audit": lambda: apus.audit("s", 64, 64, 64),
            },
            12),
        Trial(
            "evidence-s",
            {
                "without": lambda: apus.generate("s", 64, 64, 64),
                "Apus": lambda: apus.generate("s", 64, 64, 64, evidence=True),
            },
            7),
        training(apus, torch, "s", 4, 14),
        matmul(apus, torch, "s", 20),
        neighbour(apus, llama, core),
        generation(apus, llama, "q", 64, 42),
        generation(apus, llama, "q", 16, 16),
        generation(apus, llama, "q", 1, 10),
        prefill(apus, llama, torch, "q", 8, 14),
        training(apus, torch, "q", 2, 30),
        matmul(apus, torch, "q", 25),
        Trial(
            "memory",
            {
                f"{side} {shape}": work
                for shape, batch in [("s", 4), ("q", 2)]
                for side, work in [
                    ("Apus", lambda s=shape, b=batch: apus.rate("train", s, b, 256)),
                    ("PyTorch", lambda s=shape, b=batch: torch.alone(
                        "train", s, batch=b, length=256, precision="bf16")),
                ]
            },
            50, rounds=1),
        Trial(
            "others-s",
            {
                "transformers generate": lambda: torch.ask("generate", "s", batch=64, length=64, new=64),
                "PyTorch autocast": lambda: torch.ask(
                    "train", "s", batch=4, length=256, precision="autocast", repeats=2),
                "PyTorch f32": lambda: torch.ask("train", "s", batch=4, length=256, precision="f32", repeats=2),
            },
            40, rounds=1),
    ]

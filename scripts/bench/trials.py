"""What is measured: each trial is a few sides that take turns, round by round.

A side is a function that gives named figures. `cost` is a guess of the seconds of one round, for the time left.
"""

import dataclasses
import typing

import contestants
import neighbour


@dataclasses.dataclass
class Trial:
    """Sides that take turns."""

    name: str
    sides: dict
    cost: float
    # Exactly so many rounds, whatever is asked for.
    rounds: typing.Optional[int] = None
    # Or so many times what is asked for: short work, small differences.
    times: int = 1
    # What chooses the settings of the peers, before the first round, and returns them: each may fail.
    tuned: dict = dataclasses.field(default_factory=dict)

    def count(self, asked):
        return self.rounds or self.times * asked

    def seconds(self, asked):
        """A guess of how long it takes, without choosing settings, which is done once on a machine."""
        return self.count(asked) * self.cost


# The shapes of the table: sequences, prompt tokens, new tokens.
MATMUL_ROWS = [32, 64, 256, 512]


def decoding(llama, shape, batch):
    """Chooses llama.cpp's options for decoding, in short."""
    return {"llama.cpp": lambda: llama.tune(f"decode-{shape}-{batch}", shape, batch, 32, 16 if shape == "s" else 8)}


def generation(apus, llama, shape, batch, cost, repeats=1):
    work = f"decode-{shape}-{batch}"
    return Trial(
        f"generate-{shape}-{batch}",
        {
            "Apus": lambda: apus.generate(shape, batch, 64, 64, repeats=repeats),
            "llama.cpp": lambda: llama.bench(shape, batch, 64, 64, repeats=repeats, work=work),
        },
        cost, tuned=decoding(llama, shape, batch))


def groups(apus, llama):
    return Trial(
        "groups-s",
        {
            "Apus": lambda: apus.generate("s", 128, 256, 256, samples=16),
            "llama.cpp": lambda: llama.groups("s", 8, 16, 256, 256, work="groups-s"),
        },
        # With one cache for all (`-kvu`) a step costs more with every token of everybody: a few tokens would flatter it.
        80, tuned={"llama.cpp": lambda: llama.tune("groups-s", "s", 128, 256, 64, shared=True)})


def prefill(apus, llama, torch, shape, batch, cost):
    work = f"prefill-{shape}"
    return Trial(
        work,
        {
            "Apus": lambda: apus.rate("prefill", shape, batch, 256, repeats=2),
            # A benchmark without decoding does not exist there; one new token is.
            "llama.cpp": lambda: {"rate": llama.bench(shape, batch, 256, 1, repeats=2, work=work)["prefill"]},
            "transformers": lambda: torch.ask("prefill", shape, work, batch=batch, length=256, repeats=2),
        },
        cost,
        tuned={
            "llama.cpp": lambda: llama.tune(work, shape, batch, 256, 1, "prefill"),
            "transformers": lambda: torch.tune(
                work, contestants.PREFILL, "prefill", shape, batch=batch, length=256),
        })


def training(apus, torch, shape, batch, cost):
    work = f"train-{shape}"
    asked = {"batch": batch, "length": 256, "precision": "bf16"}
    return Trial(
        work,
        {
            "Apus": lambda: apus.train(shape, batch, 256, repeats=2),
            "PyTorch bf16": lambda: torch.ask("train", shape, work, repeats=2, **asked),
        },
        cost, tuned={"PyTorch bf16": lambda: torch.tune(work, contestants.TRAINING, "train", shape, repeats=2, **asked)})


def matmul(apus, torch, shape, cost):
    work = f"matmul-{shape}"

    def ours():
        return apus.matmul(shape, MATMUL_ROWS, False) | {
            f"{rows} cached": rate for rows, rate in apus.matmul(shape, MATMUL_ROWS, True).items()}

    def theirs(packed):
        def ask(cached):
            return torch.ask("matmul", shape, work, rows=MATMUL_ROWS, packed=packed, cached=cached)

        return ask(False) | {f"{rows} cached": rate for rows, rate in ask(True).items()}

    return Trial(
        work,
        {"Apus": ours, "oneDNN": lambda: theirs(False), "oneDNN packed": lambda: theirs(True)},
        cost,
        tuned={
            "oneDNN": lambda: torch.tune(
                work, contestants.PAGES, "matmul", shape, rows=MATMUL_ROWS, packed=True, cached=False)})


def beside_neighbour(apus, llama, core):
    def beside(work):
        with neighbour.BusyNeighbour(core):
            return work()

    def ours():
        return apus.generate("s", 64, 64, 32)

    # Threads that spin for each other can take many times as long beside a neighbour: fewer tokens must do.
    def theirs():
        return llama.bench("s", 64, 8, 4, work="decode-s-64")

    return Trial(
        "neighbour-s",
        {
            "Apus": ours, "Apus beside a neighbour": lambda: beside(ours), "llama.cpp": theirs,
            "llama.cpp beside a neighbour": lambda: beside(theirs),
        },
        30, tuned=decoding(llama, "s", 64))


def memory(apus, torch):
    sides = {}
    for shape, batch in [("s", 4), ("q", 2)]:
        sides[f"Apus {shape}"] = lambda s=shape, b=batch: apus.train(s, b, 256)
        sides[f"PyTorch {shape}"] = lambda s=shape, b=batch: torch.alone(
            "train", s, batch=b, length=256, precision="bf16")
    return Trial("memory", sides, 50, rounds=1)


def others(torch):
    def train(precision):
        return torch.ask("train", "s", batch=4, length=256, precision=precision, repeats=2)

    return Trial(
        "others-s",
        {
            "transformers generate": lambda: torch.ask("generate", "s", batch=64, length=64, new=64),
            "PyTorch autocast": lambda: train("autocast"), "PyTorch f32": lambda: train("f32"),
        },
        40, rounds=1)


def every_trial(apus, llama, torch, core):
    """All trials, in the order of the page."""
    return [
        generation(apus, llama, "s", 64, 12),
        generation(apus, llama, "s", 16, 5),
        generation(apus, llama, "s", 1, 4, repeats=3),
        groups(apus, llama),
        prefill(apus, llama, torch, "s", 16, 8),
        Trial(
            "replay-s",
            {
                "prefill": lambda: apus.rate("prefill", "s", 64, 128, repeats=2),
                "replay": lambda: apus.rate("replay", "s", 64, 128, repeats=2),
                "Apus": lambda: apus.audit("s", 64, 64, 64),
            },
            12),
        # A difference of two per cent: many short processes, by turns.
        Trial(
            "evidence-s",
            {
                "without": lambda: apus.generate("s", 64, 64, 64),
                "Apus": lambda: apus.generate("s", 64, 64, 64, evidence=True),
            },
            7, times=3),
        training(apus, torch, "s", 4, 14),
        matmul(apus, torch, "s", 20),
        beside_neighbour(apus, llama, core),
        generation(apus, llama, "q", 64, 42),
        generation(apus, llama, "q", 16, 16),
        generation(apus, llama, "q", 1, 10),
        prefill(apus, llama, torch, "q", 8, 14),
        training(apus, torch, "q", 2, 30),
        matmul(apus, torch, "q", 25),
        memory(apus, torch),
        others(torch),
    ]

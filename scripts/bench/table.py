"""The rows of the table: which figure is compared with whose, and what was aimed at."""

import dataclasses
import typing

import figures
from trials import MATMUL_ROWS

PARAMETERS = {"s": 134_515_008, "q": 596_049_920}
# Of these the embedding, which is the output projection too: no operations where no logits are computed.
EMBEDDING = {"s": 576 * 49_152, "q": 1024 * 151_936}


def generation_limit(shape, sequences):
    """Tokens per second at most: two operations and, once for all sequences, two bytes per weight."""
    weights = PARAMETERS[shape]
    return lambda limits: min(
        limits["gigaflops"] * 1e9 / (2 * weights), sequences * limits["gigabytes"] * 1e9 / (2 * weights))


def forward_limit(shape, logits):
    """A pass over whole texts, with logits for this part of its rows."""
    weights = PARAMETERS[shape] - (1 - logits) * EMBEDDING[shape]
    return lambda limits: limits["gigaflops"] * 1e9 / (2 * weights)


def training_limit(shape):
    """Forward, and backward for inputs and weights: six operations per weight and token."""
    return lambda limits: limits["gigaflops"] * 1e9 / (6 * PARAMETERS[shape])


def dot_limit(limits):
    return limits["gigaflops"]


@dataclasses.dataclass
class Row:
    """One line: our figure, a peer's, their ratio by pairs, and the goal."""

    title: str
    trial: str
    key: str
    peer: str
    unit: str = "tok/s"
    ours: str = "Apus"
    goal: typing.Optional[float] = None
    stretch: typing.Optional[float] = None
    limit: typing.Optional[typing.Callable] = None

    def measured(self, results):
        """The figures of the row, or None where it was not measured."""
        rounds = results.get(self.trial)
        mine = rounds and figures.spread(rounds, self.ours, self.key)
        if not mine:
            return None
        shares = [
            entry[self.ours][self.key] / self.limit(entry["limits"]) for entry in rounds
            if self.limit and self.key in entry.get(self.ours, {}) and "gigaflops" in entry["limits"]]
        share = figures.Spread(shares) if shares else None
        ratio = figures.ratio(rounds, self.ours, self.peer, self.key)
        return {
            "ours": mine, "theirs": figures.spread(rounds, self.peer, self.key), "ratio": ratio, "share": share,
            "verdict": figures.verdict(ratio, self.goal, self.stretch),
        }


def generation_rows():
    goals = {
        ("s", 64): (2.7, 3.2), ("q", 64): (2.4, 2.9), ("s", 16): (2.4, 2.8), ("q", 16): (2.4, 2.8),
        ("s", 1): (1.05, 1.3), ("q", 1): (1.05, 1.3),
    }
    for (shape, batch), (goal, stretch) in goals.items():
        sequences = "1 sequence" if batch == 1 else f"{batch} sequences"
        yield Row(
            f"generate, {sequences}, 64 prompt + 64 new, {shape.upper()}", f"generate-{shape}-{batch}", "decode",
            "llama.cpp", goal=goal, stretch=stretch, limit=generation_limit(shape, batch))
    yield Row(
        "8 prompts × 16 samples, 256 shared prompt + 256 new, S: all new tokens ÷ all seconds", "groups-s", "total",
        "llama.cpp", goal=3, stretch=4, limit=generation_limit("s", 128))
    yield Row(
        "the same, decoding alone", "groups-s", "decode", "llama.cpp", limit=generation_limit("s", 128))


def forward_rows():
    for shape, batch, goals in [("s", 16, (2.5, 3)), ("q", 8, (2.2, 2.5))]:
        limit = forward_limit(shape, 1 / 256)
        title = f"prefill, {batch} × 256, logits of the last position, {shape.upper()}"
        yield Row(title, f"prefill-{shape}", "rate", "llama.cpp", goal=goals[0], stretch=goals[1], limit=limit)
        yield Row(title, f"prefill-{shape}", "rate", "transformers", goal=1.3, limit=limit)
    # A sample of 64 + 64 tokens feeds 127 rows and asks for 64 log-probabilities.
    yield Row(
        "audit: every log-probability, choice and proof again, 64 × (64 + 64), S, beside prefill", "replay-s", "rate",
        "prefill", goal=0.75, stretch=0.85, limit=forward_limit("s", 64 / 127))
    yield Row(
        "log-probabilities of prompts too, nothing else, 64 × 128, S, beside prefill", "replay-s", "rate", "prefill",
        ours="replay", limit=forward_limit("s", 1))
    yield Row(
        "generate with commitments and TOPLOC, 64 sequences, S, beside without", "evidence-s", "decode", "without",
        goal=0.98, limit=generation_limit("s", 64))


def training_rows():
    for shape, batch in [("s", 4), ("q", 2)]:
        yield Row(
            f"train step, {batch} × 256, {shape.upper()}", f"train-{shape}", "rate", "PyTorch bf16", goal=1.4, stretch=2,
            limit=training_limit(shape))


def matmul_rows():
    for shape in ("s", "q"):
        for cached in ("", " cached"):
            for rows in MATMUL_ROWS:
                title = f"{shape.upper()}, M = {rows}, " + ("one layer in the caches" if cached else "all layers, from memory")
                for peer in ("oneDNN", "oneDNN packed"):
                    yield Row(
                        title, f"matmul-{shape}", f"{rows}{cached}", peer, unit="GFLOP/s",
                        goal=1 if not cached else None, stretch=1.2 if not cached else None, limit=dot_limit)


def neighbour_rows():
    for side in ("Apus", "llama.cpp"):
        yield Row(
            f"generate, 64 sequences, S: {side} beside a neighbour on one core", "neighbour-s", "decode", side,
            ours=f"{side} beside a neighbour", goal=0.45 if side == "Apus" else None,
            stretch=0.55 if side == "Apus" else None)


def work_rows():
    """Everything of the main table."""
    return [*generation_rows(), *forward_rows(), *training_rows(), *neighbour_rows()]


def memory_rows():
    for shape in ("s", "q"):
        yield Row(
            f"generation, 64 × (64 + 64), {shape.upper()}", f"generate-{shape}-64", "peak", "llama.cpp", unit="MiB")
    yield Row("generation, 8 × 16 × (256 + 256), S", "groups-s", "peak", "llama.cpp", unit="MiB")
    for shape, batch in [("s", 4), ("q", 2)]:
        yield Row(
            f"training, {batch} × 256, {shape.upper()}", "memory", "peak", f"PyTorch {shape}", unit="MiB",
            ours=f"Apus {shape}")

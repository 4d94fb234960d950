"""Writes docs/benchmarks.md from what was measured."""

import figures
import hot_spots
import kept
import missed
import swarm
import table
import tuning
from machine import QUIET

GIB = 1 << 30


def head(machine, versions, limits, rounds, minutes):
    yield "# Benchmarks\n"
    took = f" The last whole run took {minutes:.0f} minutes." if minutes else ""
    yield (
        "Written by `make bench`, which builds the peers, makes the models and runs everything by turns: ours, theirs, and in "
        f"the next round theirs, ours. Figures are medians of {rounds} rounds with the lowest and the highest, where nothing "
        "else is said; a ratio is taken round by round, and its median is quoted. `make bench ROWS=\"generate-s-64 train-s\"` "
        f"measures some rows and prints them; `apus bench` prints single figures.{took}\n")
    yield (
        f"Machine: {machine['processor']}, {machine['cores']} cores ({machine['threads']} threads used), "
        f"{machine['memory'] / GIB:.0f} GiB, {machine['system']}. {machine['date']}, revision {machine['revision']}, "
        f"{machine['swift']}. Peers: {', '.join(f'{name} {version}' for name, version in versions.items())}.\n")
    if machine["load"] > QUIET:
        yield f"> The machine was not quiet (load {machine['load']:.1f} at the start): trust ratios, not rates.\n"
    if limits:
        flops, read = figures.Spread(l["gigaflops"] for l in limits), figures.Spread(l["gigabytes"] for l in limits)
        yield (
            f"Limits, measured once in every round: {flops.text()} GFLOP/s of bf16 dot products and {read.text()} GB/s of "
            "reads, all threads together. *Share* is our rate ÷ what these allow: two operations per generated token and "
            "weight that it needs (the output projection only where there are logits), six per trained one, and every weight "
            "read once per step; attention counts as nothing.\n")
    yield (
        "S has the shape of SmolLM2-135M (Llama), Q of Qwen3-0.6B; weights are random, bf16, the same for all.\n")


def notes(measured):
    """What a reader must know before the tables: rows of other days, and who failed."""
    lines = [f"- `{name}` was measured apart: {text}." for name, text in kept.differences(measured).items()]
    lines += [
        f"- `{name}`: {side} failed in {failed} of {rounds} rounds: {reason[-300:]}"
        for name, side, failed, rounds, reason in kept.failures(measured["results"])]
    lines += [f"- {text[-300:]}" for text in (measured.get("swarm") or {}).get("failures", [])]
    if lines:
        yield "\n".join(lines)


def settings(taken):
    """What was chosen for the peers, by trial."""
    lines = [
        f"| `{name}` | {side} | {tuning.words(chosen) or 'as it comes'} |"
        for name, entry in taken.items() for side, chosen in entry["settings"].items()]
    if not lines:
        return
    yield "### Settings of the peers\n"
    yield (
        "Chosen before the first round, each kind of work by its own rate; every candidate once, those close to the best "
        "twice. llama.cpp: flash attention on and off, unpacked weights, for decoding also one cache for all sequences and "
        "bf16 keys and values, for prompts also batches of 1024 and 2048. PyTorch: fused and `foreach` AdamW, `torch.compile`, "
        "huge pages that are never given back, for prompts four or all at once.\n")
    yield "| work | peer | settings |"
    yield "|---|---|---|"
    yield from lines


def main_table(results):
    lines = [line for line in (work_line(row, results) for row in table.work_rows()) if line]
    if not lines:
        return
    yield "## Beside the peers\n"
    yield "| work | Apus | peer | | ratio | goal (stretch) | | share |"
    yield "|---|---|---|---|---|---|---|---|"
    yield from lines


def work_line(row, results):
    measured = row.measured(results)
    if not measured:
        return None
    theirs = measured["theirs"].text(rate_form(measured["theirs"])) if measured["theirs"] else "–"
    ratio = f"**{measured['ratio'].median:.2f}** ({measured['ratio'].low:.2f} to {measured['ratio'].high:.2f})" \
        if measured["ratio"] else "–"
    goal = f"{row.goal:g} ({row.stretch:g})" if row.stretch else f"{row.goal:g}" if row.goal else ""
    share = f"{100 * measured['share'].median:.0f} %" if measured["share"] else ""
    return (
        f"| {row.title} | {measured['ours'].text(rate_form(measured['ours']))} {row.unit} | {row.peer} | "
        f"{theirs} | {ratio} | {goal} | {measured['verdict']} | {share} |")


def rate_form(spread):
    return "{:.0f}" if spread.median >= 100 else "{:.1f}"


def matmul_table(results):
    rows = [(row, row.measured(results)) for row in table.matmul_rows()]
    rows = [(row, measured) for row, measured in rows if measured]
    if not rows:
        return
    yield "## Matrix products\n"
    yield (
        "bf16, the products of the layers one after another, q/k/v and gate/up as one product each (as our engine has "
        "them), two threads. *From memory*: every layer has weights of its own, so they pass through the caches as in a "
        "forward pass; *in the caches*: one layer's matrices, each many times in a row. Ours writes f32, oneDNN bf16. "
        "*linear* is `torch.nn.functional.linear`, what PyTorch programs call; *packed* is oneDNN with weights reordered "
        "ahead (`mkldnn::_reorder_linear_weight`), its best. The goal is 1.0 (1.2).\n")
    yield "| products | Apus, GFLOP/s | share | linear | ratio | packed | ratio |"
    yield "|---|---|---|---|---|---|---|"
    for (row, plain), (_, packed) in zip(rows[::2], rows[1::2]):
        share = f"{100 * plain['share'].median:.0f} %" if plain["share"] else "–"
        cells = [row.title, plain["ours"].text(), share]
        for measured in (plain, packed):
            cells += [measured["theirs"].text(), f"**{measured['ratio'].median:.2f}**"] if measured["ratio"] else ["–", "–"]
        yield f"| {' | '.join(cells)} |"


def memory_table(results):
    rows = [(row, row.measured(results)) for row in table.memory_rows()]
    rows = [(row, measured) for row, measured in rows if measured]
    if not rows:
        return
    yield "## Memory at the peak\n"
    yield "Resident memory of the whole process, mapped weights included; the goal is not more than the peer.\n"
    yield "| work | Apus, MiB | peer | MiB | ratio |"
    yield "|---|---|---|---|---|"
    for row, measured in rows:
        ours, theirs = (measured[side].median / (1 << 20) if measured[side] else 0 for side in ("ours", "theirs"))
        ratio = f"**{measured['ratio'].median:.2f}**" if measured["ratio"] else "–"
        yield f"| {row.title} | {ours:.0f} | {row.peer.split(' ')[0]} | {theirs:.0f} | {ratio} |"


def others(results):
    rounds = results.get("others-s")
    if not rounds:
        return
    yield "## For information\n"
    yield "One round each, S.\n"
    yield "| work | tok/s |"
    yield "|---|---|"
    titles = {
        "transformers generate": "transformers `generate`, bf16, 64 × (64 + 64), prefill included",
        "PyTorch autocast": "PyTorch, train step 4 × 256, f32 weights under bf16 autocast",
        "PyTorch f32": "PyTorch, train step 4 × 256, f32",
    }
    for side, title in titles.items():
        spread = figures.spread(rounds, side, "rate")
        if spread:
            yield f"| {title} | {spread.text()} |"


FAIRNESS = """## What is compared

- **Generation.** llama.cpp's `llama-batched-bench` counts new tokens ÷ seconds of the steps that make one token for every
  sequence (its S_TG), after the prompts. We count the same: steps after the prompts, rows ÷ seconds; the first token of a
  sequence comes from its prompt's pass and counts in neither. We sample (temperature 1, seeded noise, log-probability of
  every choice); llama.cpp does not sample at all there, it feeds random tokens, and computes the logits only. Weights are
  bf16 on both sides, our cache is bf16, llama.cpp's is f16 where its settings do not say otherwise.
- **Groups.** llama.cpp shares one prompt over all 128 sequences (`-pps`), which is kinder to it than eight prompts would be;
  the prefill of one prompt is counted eight times. *All seconds* are those of prompts and decoding.
- **Prefill** fills the cache and computes the logits of the last position of each prompt, on all sides.
- **Audit** is what a verifier runs: one forward pass over prompts and completions, the log-probability of every token of the
  completions, every choice and every proof again. It is compared with prefill of as many tokens, as is a pass with the
  log-probabilities of all tokens and nothing else.
- **Proofs.** Ours with and without them, in three short pairs of processes per round. Where the goal lies within the 95 %
  interval of the median, the verdict says so.
- **Training.** Ours: canonical bf16 forward, backward, clipping, AdamW on f32 master weights and moments, and the new bf16
  weights packed. PyTorch: weights, gradients and moments in bf16 (less memory, less precise), `clip_grad_norm_`, AdamW. Both
  feed 257 tokens as 256 rows, each with a target, and count 256. PyTorch's memory is that of a
  process with fused AdamW, uncompiled, in pages of the usual size.
- **A neighbour** is a busy loop bound to one of the cores; a round in which it was not there all the time counts as failed.
"""


def tables(results):
    """The tables of what was measured, as text."""
    return joined([main_table(results), memory_table(results), matmul_table(results), others(results)])


def write(measured):
    """The page as text."""
    results, profiles = measured["results"], measured.get("profiles") or {}
    limits = [entry["limits"] for rounds in results.values() for entry in rounds if "gigaflops" in entry.get("limits", {})]
    parts = [
        head(measured["machine"], measured["versions"], limits, measured["rounds"], measured.get("minutes")), notes(measured),
        main_table(results), missed.section(results, profiles), [FAIRNESS], settings(measured.get("taken", {})),
        memory_table(results), matmul_table(results), others(results), hot_spots.section(profiles)]
    loop = measured.get("swarm") or {}
    parts += [section(loop[key]) for key, section in SWARM.items() if loop.get(key)]
    return joined(parts)


SWARM = {"demos": swarm.loop_section, "proofs": swarm.proofs_section}


def joined(parts):
    texts = ["\n".join(part).strip() for part in parts]
    return "\n\n".join(text for text in texts if text) + "\n"

"""The lines of the page about goals that are not reached."""

import string

import levers
import table


def section(results, profiles):
    """How far each missed goal is, what the profile says, and the next lever."""
    lines = [
        *(work_line(row, results, profiles) for row in table.work_rows()),
        *(work_line(row, results, profiles, "products, ") for row in table.matmul_rows()),
        *(memory_line(row, results, profiles) for row in table.memory_rows())]
    lines = [line for line in lines if line]
    if lines:
        yield "## Goals that are not reached\n"
        yield from lines


def work_line(row, results, profiles, what=""):
    measured = row.measured(results)
    ratio = measured and measured["ratio"]
    if not ratio or row.goal is None or ratio.median >= row.goal:
        return None
    reached = 100 * ratio.median / row.goal
    text = f"- **{what}{row.title}**: {ratio.median:.2f} × {row.peer} of {row.goal:g}, {reached:.0f} % of the goal"
    if measured["share"]:
        share = measured["share"].median
        text += (
            f", at {100 * share:.0f} % of the measured limit; the goal would be "
            f"{100 * share * row.goal / ratio.median:.0f} % of it")
    return f"{text}. {lever(row.trial, results, profiles)}".rstrip()


def memory_line(row, results, profiles):
    measured = row.measured(results)
    ratio = measured and measured["ratio"]
    # What is printed decides: 1.00 is not more.
    if not ratio or round(ratio.median, 2) <= 1:
        return None
    # The generation rows share a trial with rates, whose lever is another one.
    text = lever(row.trial, results, profiles) if row.trial == "memory" else ""
    return f"- **memory, {row.title}**: {ratio.median:.2f} × the peer's. {text}".rstrip()


def lever(trial, results, profiles):
    """The sentences for a trial whose figures are all known."""
    known = values(trial, results, profiles)
    return " ".join(
        sentence.format(**known) for sentence in levers.LEVERS.get(trial, [])
        if all(name in known for _, name, _, _ in string.Formatter().parse(sentence) if name))


def values(trial, results, profiles):
    recorded = profiles.get(levers.PROFILES.get(trial)) or {}
    kinds = {name: share for share, name in recorded.get("kinds", [])}
    names = {
        "products": ["matrix products"], "waiting": ["handing out work and waiting for it"],
        "others": ["other kernels", "Swift"], "system": ["operating system"],
    }
    found = {key: sum(kinds.get(kind, 0) for kind in of) for key, of in names.items()} if kinds else {}
    products, key = levers.PRODUCTS.get(trial, (None, None))
    for row in table.matmul_rows():
        if (row.trial, row.key) == (products, key) and (measured := row.measured(results)) and measured["share"]:
            found["matmul"] = 100 * measured["share"].median
    return {name: f"{value:.0f}" for name, value in found.items()}

#!/usr/bin/env python3
"""Writes the measured tables of docs/verification.md from reports of `apus audit-report --json`.

    scripts/make-verification-tables.py NAME=report.json ...

Several reports of one name are counted together (runs with other seeds). What stands between the two markers of the page
is replaced.
"""
import json
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "verification.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def interval(count, total):
    """The one-sided 95 % bound where nothing or everything happened, as the command has it."""
    if total == 0:
        return "–"
    if count == 0:
        return f"0 of {total} (at most {100 * (1 - 0.05 ** (1 / total)):.3f} %)"
    if count == total:
        return f"all of {total} (at least {100 * 0.05 ** (1 / total):.3f} %)"
    return f"{count} of {total} ({100 * count / total:.2f} %)"


def rejected(tally):
    return sum(tally["rejected"].values())


def total(tally):
    return tally["accepted"] + tally["inconclusive"] + rejected(tally)


def merged(tallies):
    result = {"accepted": 0, "inconclusive": 0, "rejected": {}}
    for tally in tallies:
        result["accepted"] += tally["accepted"]
        result["inconclusive"] += tally["inconclusive"]
        for check, count in tally["rejected"].items():
            result["rejected"][check] = result["rejected"].get(check, 0) + count
    return result


def share(tally):
    count = total(tally)
    if count == 0:
        return "–"
    rate = 100 * rejected(tally) / count
    return "100" if rejected(tally) == count else "0" if rejected(tally) == 0 else f"{min(rate, 99.9):.1f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def honest(models):
    rows = []
    everything = []
    for name, reports in models.items():
        ways = [way for report in reports for way in report["honest"]]
        tally = merged(way["exact"] for way in ways)
        foreign = merged(way["toploc"] for way in ways)
        everything.append(tally)
        rows_used = sorted({way["row"] for way in ways})
        threads = sorted({way["threads"] for way in ways})
        rows.append(
            [name, f"{reports[0]['model']['parameters']:,}", ", ".join(rows_used), ", ".join(map(str, threads)),
             f"{sum(way['tokens'] for way in ways):,}", interval(total(tally) - tally["accepted"], total(tally)),
             interval(total(foreign) - foreign["accepted"], total(foreign))])
    tally = merged(everything)
    rows.append(["all", "", "", "", "", interval(total(tally) - tally["accepted"], total(tally)), ""])
    return table(
        ["model", "parameters", "rows", "threads", "tokens", "rejected, `exact`", "rejected, `toploc`"], rows)


def attacks(models):
    names = [attack["name"] for attack in next(iter(models.values()))[0]["attacks"]]
    rows = []
    for name in names:
        row = [f"`{name}`"]
        checks = {}
        for reports in models.values():
            found = [a for report in reports for a in report["attacks"] if a["name"] == name]
            tally = merged(a["exact"] for a in found)
            unchanged = sum(a["unchanged"] for a in found)
            for check, count in tally["rejected"].items():
                checks[check] = checks.get(check, 0) + count
            row.append(f"{rejected(tally)} of {total(tally)}" + (f", {unchanged}" if unchanged else ""))
        row.append(", ".join(f"`{check}`" for check in sorted(checks, key=checks.get, reverse=True)))
        rows.append(row)
    head = ["attack"] + [f"{name}: rejected, no-ops" for name in models] + ["by"]
    return table(head, rows)


def foreign_attacks(models):
    names = [attack["name"] for attack in next(iter(models.values()))[0]["attacks"]]
    rows = []
    for name in names:
        row = [f"`{name}`"]
        for reports in models.values():
            found = [a for report in reports for a in report["attacks"] if a["name"] == name]
            seen = "yes" if any(a["seen_over_time"] for a in found) else "no"
            row.append(
                f"{share(merged(a['toploc'] for a in found))} · {share(merged(a['calibrated'] for a in found))} · {seen}")
        rows.append(row)
    return table(["attack"] + list(models), rows)


def thresholds(models):
    rows = []
    names = sorted(next(iter(models.values()))[0]["foreign"]["thresholds"])
    for name in names:
        row = [name.replace("_", " ")]
        first = next(iter(models.values()))[0]
        row.append(f"{first['standard_thresholds'][name]:.4g}")
        for reports in models.values():
            values = [report["foreign"]["thresholds"][name] for report in reports]
            least = name in ("end_chance", "copy_chance")
            row.append(f"{min(values) if least else max(values):.4g}")
        rows.append(row)
    row = ["*honest rollouts rejected by the standard ones*", ""]
    for reports in models.values():
        tally = merged(report["foreign"]["toploc"] for report in reports)
        row.append(interval(rejected(tally), total(tally)))
    rows.append(row)
    return table(["bound", "standard"] + [f"{name}: calibrated" for name in models], rows)


def verifiers(models):
    found = {}
    for reports in models.values():
        for report in reports:
            for verifier in report["verifiers"]:
                found.setdefault(verifier["name"], (verifier["summary"], [], []))
                found[verifier["name"]][1].append(verifier["on_honest"])
                found[verifier["name"]][2].append(verifier["on_forged"])
    rows = []
    for name, (summary, on_honest, on_forged) in found.items():
        one, two = merged(on_honest), merged(on_forged)
        rows.append(
            [f"`{name}`", summary, f"{one['accepted']} of {total(one)}", f"{two['accepted']} of {total(two)}"])
    return table(["verifier", "what it does", "honest groups accepted", "forged groups accepted"], rows)


def costs(models):
    rows = []
    for name, reports in models.items():
        for batch in (64, 1):
            found = [cost for report in reports for cost in report["costs"] if cost["batch"] == batch]
            if not found:
                continue
            cost = sorted(found, key=lambda cost: cost["ratio"])[len(found) // 2]
            per_token = 1e3 / cost["tokens"]
            rows.append(
                [name, batch, f"{per_token * cost['generation_seconds']:.4f}",
                 f"{per_token * cost['verification_seconds']:.4f}", f"**{cost['ratio']:.2f}**",
                 f"{cost['screening_ratio']:.2f}"])
    return table(
        ["model", "batch", "generation, ms per token", "verification, ms per token", "ratio",
         "a first pass over the first chunks alone"], rows)


def main():
    models = {}
    for argument in sys.argv[1:]:
        name, path = argument.split("=", 1)
        models.setdefault(name, []).append(json.loads(Path(path).read_text(encoding="utf-8")))
    if not models:
        sys.exit(__doc__)
    settings = next(iter(models.values()))[0]["settings"]
    parts = [
        f"Groups of {settings['samples']} samples of at most {settings['max_tokens']} tokens.",
        "",
        "**Honest rollouts.** Workers of every row and thread count, alone and in company; each verified on the next row and "
        "thread count.",
        "", *honest(models), "",
        "**Attacks under `exact`.** Rejected of effective rollouts; after the comma those that the attack left as they were.",
        "", *attacks(models), "",
        "**Attacks under `toploc`.** Per cent of the same rollouts rejected with the standard thresholds · with calibrated "
        "ones · whether the margins of all of them together show it.",
        "", *foreign_attacks(models), "",
        "**Calibrated** means: the tightest bounds that no honest rollout of the simulated foreign engine (relative deviation "
        f"{next(iter(models.values()))[0]['foreign']['noise']:g}) exceeds.",
        "", *thresholds(models), "",
        "**Verifiers**, in groups.",
        "", *verifiers(models), "",
        "**Cost** in processor time on one thread, every group audited.",
        "", *costs(models),
    ]
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(parts) + "\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()

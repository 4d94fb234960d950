#!/usr/bin/env python3
"""Measures a real foreign engine: PyTorch behind the completions server of docs/examples, honest and cheating.

    python scripts/foreign-engine/measure.py --model models/s --out measured [--rollouts 512] [--cheated 64]
    python scripts/foreign-engine/measure.py --table measured

Needs torch, transformers and `make build`. The server is this Python's; what it generates is judged by `apus audit-report`
(the orchestrator's checks and a verifier's replay). Honest rollouts come in two runs with other seeds: the first calibrates
thresholds, the second, and every cheat, is judged by those and by the standard ones. A report that is already in --out is kept.
"""
import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
APUS = HERE.parents[1] / ".build" / "release" / "apus"

# Name of the report: (what the server does, its dtype, further options of the report, whether it is one of the long runs).
RUNS = {
    "honest": ("none", "bfloat16", ["--seed", "1"], True),
    "honest, other seed": ("none", "bfloat16", ["--seed", "2"], True),
    "honest, float32": ("none", "float32", ["--seed", "3"], False),
    "honest, top-k 20": ("none", "bfloat16", ["--seed", "4", "--foreign-top-k", "20"], False),
    "previous-version": ("previous-version", "bfloat16", [], False),
    "8-versions-old": ("8-versions-old", "bfloat16", [], False),
    "int8": ("int8", "bfloat16", [], False),
    "int8-dynamic": ("int8-dynamic", "float32", [], False),
    "int4": ("int4", "bfloat16", [], False),
    "temperature-0.9": ("temperature-0.9", "bfloat16", [], False),
    "temperature-0.7": ("temperature-0.7", "bfloat16", [], False),
    "own-top-k": ("own-top-k", "bfloat16", [], False),
    "removed-top-k": ("removed-top-k", "bfloat16", ["--foreign-top-k", "20"], False),
    "own-luck": ("own-luck", "bfloat16", [], False),
}


def serve(cheat, dtype, model, log):
    """A server on a free port: the process and its address."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "cheating_server.py"), "--model", model, "--cheat", cheat, "--dtype", dtype,
         "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True)
    for line in process.stdout:
        if line.startswith("serving "):
            return process, line.split()[-1]
    sys.exit(f"the server does not start; see {log.name}")


def report_path(out, name):
    return out / f"{name.replace(', ', '-').replace(' ', '-')}.json"


def measure(name, arguments, out):
    cheat, dtype, options, is_long = RUNS[name]
    report = report_path(out, name)
    if report.exists():
        return
    honest = report_path(out, "honest")
    if honest.exists():
        options = [*options, "--thresholds", str(honest)]
    if arguments.input:
        options = [*options, "--input", arguments.input]
    began = time.monotonic()
    with open(out / "server.log", "a", encoding="utf-8") as log:
        process, address = serve(cheat, dtype, arguments.model, log)
        try:
            status = subprocess.run(
                [arguments.apus, "audit-report", "--model", arguments.model, "--engine", "openai", "--server", address,
                 "--served-model", "policy", "--requests", "1", "--only-foreign", "--max-tokens", str(arguments.max_tokens),
                 "--foreign", str(arguments.rollouts if is_long else arguments.cheated), "--json", str(report), *options],
                stdout=subprocess.DEVNULL, stderr=log, check=False).returncode
        finally:
            process.kill()
            process.wait()
    # 65 where rollouts were rejected, which is what a cheat is measured for.
    if not report.exists():
        sys.exit(f"{name}: apus audit-report ends with {status}; see {out / 'server.log'}")
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def rate(tally):
    """Rejected of all, with the one-sided 95 % bound where nothing or everything was, and the checks that decided."""
    if tally is None:
        return "–"
    count = sum(tally["rejected"].values())
    total = count + tally["accepted"] + tally["inconclusive"]
    names = sorted(tally["rejected"], key=tally["rejected"].get, reverse=True)
    by = " by " + ", ".join(f"`{name}`" for name in names) if names else ""
    if count == 0:
        return f"0 of {total} (at most {100 * (1 - 0.05 ** (1 / total)):.2g} %)"
    if count == total:
        return f"all {total} (at least {100 * 0.05 ** (1 / total):.3g} %)" + by
    return f"{count} of {total}" + by


def table(out):
    head = ["server", "tokens, not the dictated", "exponents, signs", "mantissa: mean, median",
            "log-probability: largest, median of a sample", "margin: largest, mean of a sample, of all",
            "rejected, standard", "rejected, calibrated"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for name in RUNS:
        if not (path := report_path(out, name)).exists():
            continue
        foreign = json.loads(path.read_text(encoding="utf-8"))["foreign"]
        most = {key: value["largest"] for key, value in foreign["statistics"].items()}
        margins = foreign["margins"]
        row = [
            name, f"{margins['tokens']:,}, {margins['differing']:,}",
            f"{most['exponent_mismatches']:.0f}, {most['sign_mismatches']:.0f}",
            f"{most['mantissa_mean']:.2f}, {most['mantissa_median']:.0f}",
            f"{most['log_probability_error']:.3f}, {most['log_probability_median']:.4f}",
            f"{most['largest_margin']:.3f}, {most['margin_mean']:.5f}, {margins['sum'] / margins['tokens']:.6f}",
            rate(foreign["toploc"]), rate(foreign.get("calibrated")),
        ]
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a Hugging Face directory")
    parser.add_argument("--out", type=Path, help="where reports are kept")
    parser.add_argument("--table", type=Path, metavar="OUT", help="only print the table of kept reports")
    parser.add_argument("--rollouts", type=int, default=512, help="of each of the two honest runs")
    parser.add_argument("--cheated", type=int, default=64, help="of everything else")
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--input", metavar="FILE", help="prompts, as apus audit-report takes them")
    parser.add_argument("--only", nargs="*", choices=RUNS, default=list(RUNS), metavar="NAME")
    parser.add_argument("--apus", default=str(APUS))
    given = parser.parse_args()
    if given.table:
        table(given.table)
    elif given.model and given.out:
        # So small a batch gains nothing from more threads, and loses much where the machine has other work.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        given.out.mkdir(parents=True, exist_ok=True)
        for run in given.only:
            measure(run, given, given.out)
        table(given.out)
    else:
        parser.error("give --model and --out, or --table")

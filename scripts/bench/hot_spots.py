"""Where the time goes: the ten costliest functions, by `perf` where a machine has it."""

import pathlib
import re
import shutil
import subprocess


def profile(program, arguments, few, many, folder):
    """What the repetitions of a bench cost beyond the first ones: its start is in both recordings and cancels.

    The top ten as `functions` and the sums by `kinds`, both as (share in per cent, name); nothing without `perf`.
    """
    if not shutil.which("perf"):
        return {}
    start, whole = (record([program, *arguments, "--repeats", count], folder) for count in (few, many))
    return summary(start, whole)


def record(command, folder):
    """The time of every function of a program, by (kind, name)."""
    data = pathlib.Path(folder) / "perf.data"
    perf = ["perf", "record", "-q", "-F", "499", "-o", str(data), "--", *map(str, command)]
    try:
        if subprocess.run(perf, capture_output=True, timeout=300).returncode:
            return {}
        report = ["perf", "report", "-i", str(data), "--stdio", "-q", "--no-children", "-F", "period,dso,symbol"]
        return parse(subprocess.run(report, capture_output=True, text=True, timeout=300).stdout)
    except subprocess.TimeoutExpired:
        return {}
    finally:
        data.unlink(missing_ok=True)


def parse(report):
    """The lines of `perf report`: `  681362720  apus  [.] name  `."""
    found = {}
    for line in report.splitlines():
        match = re.match(r"\s*(\d+)\s+(\S+)\s+\[([.k])\]\s+(.*?)\s*$", line)
        if match:
            time, binary, space, name = match.groups()
            # A stripped library's functions have addresses for names.
            name = binary if name.startswith("0x") else name
            key = (kind(binary, space, name), name)
            found[key] = found.get(key, 0) + int(time)
    return found


def kind(binary, space, name):
    """What a function is for: kernels are C, everything else of ours is Swift."""
    if space == "k":
        return "operating system"
    if binary.startswith("lib"):
        return "libraries"
    if name.startswith("matmul"):
        return "matrix products"
    if "ComputeTeam" in name or "ComputePool" in name:
        return "handing out work and waiting for it"
    return "Swift" if name.startswith(("$s", "swift_")) else "other kernels"


def summary(start, whole):
    times = {key: time - start.get(key, 0) for key, time in whole.items()}
    times = {key: time for key, time in times.items() if time > 0}
    total = sum(times.values())
    if not start or not total:
        return {}
    kinds = {}
    for (of, _), time in times.items():
        kinds[of] = kinds.get(of, 0) + time
    functions = [
        (100 * time / total, f"{name} (kernel)" if of == "operating system" else name) for (of, name), time in times.items()]
    return {
        "functions": sorted(functions, reverse=True)[:10],
        "kinds": sorted(((100 * time / total, of) for of, time in kinds.items()), reverse=True),
    }


def section(profiles):
    """The page's section: for each recording who has which share, and the functions."""
    if not any(profiles.values()):
        return
    yield "## Where the time goes\n"
    yield (
        "Apus alone under `perf`, all threads: what further repetitions add to a run with few of them, so that its start "
        "does not count.\n")
    for title, recorded in profiles.items():
        if not recorded:
            continue
        yield f"### {title}\n"
        yield ", ".join(f"{name} {share:.0f} %" for share, name in recorded["kinds"]) + ". The ten costliest functions:\n"
        yield "| share | function |"
        yield "|---|---|"
        yield from (f"| {share:.1f} % | `{name}` |" for share, name in recorded["functions"])
        yield ""

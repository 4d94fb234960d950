"""What was measured so far, in a file that is written after every trial."""

import json
import os

# Files of another one are measured anew.
FORMAT = 2


class Kept:
    """results.json: `results` by trial, and in `taken` when, from what and with which settings each was measured.

    A run replaces what it measures and keeps the rest, so that one that breaks off has not lost the others. What a page then
    shows can come from different days; the page says where (`differences`).
    """

    def __init__(self, path):
        self.path = path
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.measured = found if found.get("format") == FORMAT else {"format": FORMAT}
        for key in ("results", "taken", "tuning"):
            self.measured.setdefault(key, {})

    def record(self, name, entries, settings, machine, versions, rounds):
        """One trial's rounds; `rounds` is how many were asked for."""
        self.measured["results"][name] = entries
        self.measured["taken"][name] = {
            "rounds": rounds, "load": machine["load"], "settings": settings, "versions": versions,
            **{key: machine[key] for key in COMMON}}
        self.write()

    def write(self):
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.measured), encoding="utf-8")
        os.replace(part, self.path)


# What must be the same for two trials to belong together.
COMMON = ("revision", "date", "processor", "threads")


def differences(measured):
    """What of each trial is not as in the head of the page, as text by trial."""
    head = measured["machine"] | {"versions": measured["versions"], "rounds": measured["rounds"]}
    found = {}
    for name in measured["results"]:
        taken = measured.get("taken", {}).get(name)
        if taken is None:
            found[name] = "nothing is known about when it was measured"
            continue
        parts = [f"{key} {taken[key]}" for key in (*COMMON, "rounds") if taken[key] != head[key]]
        parts += [
            f"{peer} {version}" for peer, version in taken["versions"].items() if version != head["versions"].get(peer)]
        if parts:
            found[name] = ", ".join(parts)
    return found


def failures(results):
    """Who failed: trial, side, in how many rounds of how many, and the last reason."""
    for name, entries in results.items():
        sides = dict.fromkeys(side for entry in entries for side in entry)
        for side in sides:
            said = [entry[side]["failure"] for entry in entries if "failure" in (entry.get(side) or {})]
            if said:
                yield name, side, len(said), len(entries), said[-1]

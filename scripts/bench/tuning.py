"""Finds the settings with which a peer is fastest, and remembers them."""

import json

from process import Failed

# Who is this close to the best after one try gets a second one.
CLOSE = 0.9


class Tuning:
    """The chosen settings by kind of work; `kept` is a part of results.json, so that the next run need not choose again.

    What was chosen on a machine that was not quiet holds only while it is not: some peers' threads spin for each other, and
    beside others' work every candidate is as slow as the next.
    """

    def __init__(self, kept, machine, quiet, say):
        self.kept = kept
        self.machine = machine
        self.quiet = quiet
        self.say = say

    def choose(self, work, basis, candidates, measure):
        """The fastest of `candidates` (lists or dictionaries) by `measure`, which gives a rate.

        What was chosen before holds while `basis`, the peer's version and the machine, and the candidates are the same. A
        candidate with which the peer fails loses; only where all fail, `Failed` is raised.
        """
        names = {json.dumps(settings): settings for settings in candidates}
        known = self.kept.get(work)
        holds = known and known["basis"] == basis and set(known["rates"]) == set(names)
        if holds and (known["quiet"] or not self.quiet):
            return known["chosen"]
        rates = {name: attempt(measure, settings) for name, settings in names.items()}
        best = max(rates.values())
        if not best:
            raise Failed(f"{work}: no settings work: {', '.join(names)}")
        for name in reversed(names):
            if rates[name] >= CLOSE * best:
                rates[name] = max(rates[name], attempt(measure, names[name]))
        chosen = names[max(rates, key=rates.get)]
        self.kept[work] = {"basis": basis, "quiet": self.quiet, "chosen": chosen, "rates": rates}
        self.say(f"  {work}: {', '.join(f'{name} {rate:.0f}' for name, rate in rates.items())}")
        return chosen


def attempt(measure, settings):
    """The rate with these settings, 0 where it fails."""
    try:
        return measure(settings)
    except Failed:
        return 0


def words(settings):
    """Settings as they are printed: the options of a command line, or what is not false of a dictionary."""
    if isinstance(settings, dict):
        return ", ".join(
            name if value is True else f"{name} {value}" for name, value in settings.items() if value is not False)
    return " ".join(settings)

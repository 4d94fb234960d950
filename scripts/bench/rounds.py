"""Runs trials round by round and says how far it is."""

import sys
import time

import process


class Progress:
    """Lines on standard error: what was done, and the time left."""

    def __init__(self, trials, rounds):
        self.left = {trial.name: trial.seconds(rounds) for trial in trials}
        self.began = time.monotonic()
        self.predicted = 0.0
        self.spent = 0.0

    def done(self, trial, cost, seconds):
        self.left[trial.name] -= cost
        self.predicted += cost
        self.spent += seconds

    def seconds_left(self):
        """What is left by the guesses, corrected by how the guesses did so far."""
        pace = self.spent / self.predicted if self.predicted else 1
        return sum(self.left.values()) * pace

    @staticmethod
    def say(text):
        print(text, file=sys.stderr, flush=True)


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def figures(entry):
    """The rates of a side in a line for people."""
    shown = [f"{key} {value:.0f}" for key, value in entry.items() if key != "peak" and isinstance(value, (int, float))]
    return ", ".join(shown)


def run(trials, rounds, limits, keep):
    """Runs every trial and hands its rounds on as soon as it is done: `keep(trial, entries, settings)`.

    An entry has the figures of each side by its name, and what `limits` said in this round, so that shares of the limit are
    taken in the same minute. The order of the sides turns around from round to round: whoever comes first in one comes last
    in the next. Whoever fails is asked again in the next round and disturbs nobody.
    """
    progress = Progress(trials, rounds)
    for trial in trials:
        settings = chosen(trial, progress.say)
        entries = []
        for number in range(trial.count(rounds)):
            began = time.monotonic()
            entry = {}
            sides = [("limits", limits), *trial.sides.items()]
            for side, work in reversed(sides) if number % 2 else sides:
                try:
                    entry[side] = work()
                except process.Failed as failure:
                    entry[side] = {"failure": str(failure)}
                    progress.say(f"  {trial.name}: {failure}")
                    continue
                if side != "limits":
                    progress.say(f"  {trial.name} {number + 1}, {side}: {figures(entry[side])}")
            entries.append(entry)
            progress.done(trial, trial.cost, time.monotonic() - began)
        keep(trial, entries, settings)
        progress.say(
            f"{trial.name} done; {clock(time.monotonic() - progress.began)} so far, about "
            f"{clock(progress.seconds_left())} left")


def chosen(trial, say):
    """The settings of the peers, by side; a peer for which none can be chosen takes part with its usual ones."""
    settings = {}
    for side, choose in trial.tuned.items():
        try:
            settings[side] = choose()
        except process.Failed as failure:
            say(f"  {trial.name}: {failure}")
    return settings

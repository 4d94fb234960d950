"""Runs trials round by round and says how far it is."""

import sys
import time

import process


class Progress:
    """Lines on standard error: what was done, and the time left."""

    def __init__(self, trials, rounds):
        self.left = {trial.name: (trial.rounds or rounds) * trial.cost for trial in trials}
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


def run(trials, rounds, limits, warm_up=None):
    """The figures of every trial: name → list of rounds, each side → figures.

    `limits` is asked once in every round, so that shares of the limit are taken in the same minute.
    """
    progress = Progress(trials, rounds)
    results = {}
    for trial in trials:
        entries = []
        for round_number in range(trial.rounds or rounds):
            began = time.monotonic()
            entry = {"limits": limits()}
            for side, work in trial.sides.items():
                try:
                    entry[side] = work()
                except process.Failed as failure:
                    entry[side] = {"failure": str(failure)}
                    progress.say(f"  {trial.name}: {failure}")
                    continue
                progress.say(f"  {trial.name} {round_number + 1}, {side}: {figures(entry[side])}")
            entries.append(entry)
            progress.done(trial, trial.cost, time.monotonic() - began)
        results[trial.name] = entries
        progress.say(
            f"{trial.name} done; {clock(time.monotonic() - progress.began)} so far, about "
            f"{clock(progress.seconds_left())} left")
    return results

"""What is made of measurements: medians, spreads, ratios of pairs."""

import math
import statistics


class Spread:
    """A median with the lowest and the highest of several rounds."""

    def __init__(self, values):
        values = [float(value) for value in values]
        if not values:
            raise ValueError("a spread needs at least one value")
        self.median = statistics.median(values)
        self.low = min(values)
        self.high = max(values)
        self.count = len(values)
        self.sorted = sorted(values)

    def interval(self):
        """Where the median is with 95 % confidence, whatever the distribution: None for fewer than six values."""
        tail, left_out = 0.0, 0
        while (tail := tail + math.comb(self.count, left_out) / 2**self.count) <= 0.025:
            left_out += 1
        return (self.sorted[left_out - 1], self.sorted[-left_out]) if left_out else None

    def text(self, form="{:.0f}"):
        """`1234 (1200 to 1300)`; the median alone where there was one round."""
        median = form.format(self.median)
        if self.count == 1:
            return median
        return f"{median} ({form.format(self.low)} to {form.format(self.high)})"


def values(rounds, side, key):
    """The figures of one side by rounds, with None where a round has none."""
    return [(entry.get(side) or {}).get(key) for entry in rounds]


def spread(rounds, side, key):
    """The spread of one side's figure, or None where it was never measured."""
    found = [value for value in values(rounds, side, key) if value is not None]
    return Spread(found) if found else None


def ratio(rounds, ours, theirs, key, their_key=None):
    """The spread of ours ÷ theirs, taken round by round: what disturbs a round disturbs both sides."""
    pairs = zip(values(rounds, ours, key), values(rounds, theirs, their_key or key))
    found = [mine / other for mine, other in pairs if mine is not None and other]
    return Spread(found) if found else None


def verdict(ratio, goal, stretch):
    """How a ratio stands to its goal: `reached`, `beyond the stretch`, or how far below.

    Where the median could as well be on the other side of the goal, that is said too.
    """
    if goal is None or ratio is None:
        return ""
    if stretch is not None and ratio.median >= stretch:
        return "beyond the stretch"
    interval = ratio.interval()
    words = "reached" if ratio.median >= goal else f"{100 * ratio.median / goal:.0f} % of the goal"
    if interval and interval[0] < goal <= interval[1]:
        words += f", undecided: {interval[0]:.3f} to {interval[1]:.3f}"
    return words

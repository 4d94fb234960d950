"""What is made of measurements: medians, spreads, ratios of pairs."""

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


def verdict(median, goal, stretch):
    """How a ratio stands to its goal: `goal`, `stretch`, or how far below."""
    if goal is None or median is None:
        return ""
    if stretch is not None and median >= stretch:
        return "beyond the stretch"
    if median >= goal:
        return "reached"
    return f"{100 * median / goal:.0f} % of the goal"

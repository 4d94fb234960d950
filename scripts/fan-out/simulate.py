#!/usr/bin/env python3
"""10,000 clients at 100 Mb/s, on paper: when the last one has a version, and what it costs whom.

    scripts/fan-out/simulate.py [--clients 10000] [--seed 1]

The model: a tree whose nodes forward a shard when they hold all of it; a node's line is shared evenly by its children, in
both directions nothing else is on it; shards come in order. Client lines are 100 Mb/s times a log-normal factor (median 1,
sigma 0.35); a request costs a round trip of 40 ms per shard; one relay in fifty dies at a random shard, and its children
go on at the next relay after a hedge (twice the usual time of a shard). Publication itself is not in it.
"""

import argparse
import math
import random

MEGABIT = 1e6 / 8
ROUND_TRIP = 0.04
RELAYS_THAT_DIE = 1 / 50


def arrivals(parent, shard, rate, delay_at=None, delay=0.0):
    """When a node holds each shard, given when its parent does."""
    times, free = [], 0.0
    for index, ready in enumerate(parent):
        begin = max(ready, free) + ROUND_TRIP
        if index == delay_at:
            begin += delay
        free = begin + shard / rate
        times.append(free)
    return times


def level(parents, children_of_each, uplink, downlink, shard, generator, dies):
    nodes = []
    for parent in parents:
        share = uplink / children_of_each
        for _ in range(children_of_each):
            rate = min(share, downlink(generator))
            at = generator.randrange(len(parent)) if generator.random() < dies else None
            nodes.append(arrivals(parent, shard, rate, at, 2 * shard / rate))
    return nodes


def clients_of(relays, clients, uplink, shard, generator, dies):
    per_relay = math.ceil(clients / len(relays))
    line = lambda generator: 100 * MEGABIT * generator.lognormvariate(0, 0.35)
    nodes = level(relays, per_relay, uplink, line, shard, generator, dies)
    return sorted(times[-1] for times in nodes[:clients]), per_relay


def scenario(name, size, clients, levels, uplink, generator):
    shard = min(max(size / 16, 64 << 10), 32 << 20)
    nodes = [[0.0] * math.ceil(size / shard)]
    fixed = lambda _: uplink
    for width in levels:
        nodes = level(nodes, width, uplink, fixed, shard, generator, 0)
    ends, per_relay = clients_of(nodes, clients, uplink, shard, generator, RELAYS_THAT_DIE if levels else 0)
    relays = sum(math.prod(levels[: index + 1]) for index in range(len(levels)))
    width = levels[0] if levels else clients
    print(f"| {name} | {relays} | {per_relay} | {ends[len(ends) // 2]:.1f} s | {ends[int(len(ends) * 0.99)]:.1f} s "
          f"| {ends[-1]:.1f} s | {width * size / 1e9:.1f} GB | {per_relay * size / 1e9:.1f} GB |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = random.Random(options.seed)
    gigabit = 1000 * MEGABIT
    sizes = [("Q whole, 1.2 GB", 1.2e9), ("Q difference at 1 % density, 7.2 MB", 7.2e6), ("7B whole, 15 GB", 15e9),
             ("7B difference at 1 %, 90 MB", 90e6)]
    print("| version | relays | clients of a relay | median | 99 % | last | leaves the origin | leaves a relay |")
    print("|---|---|---|---|---|---|---|---|")
    for what, size in sizes:
        for name, levels, uplink in [
            ("origin alone, 10 Gb/s", [], 10 * gigabit),
            ("16 relays of 10 Gb/s", [16], 10 * gigabit),
            ("8 × 25 relays of 1 Gb/s", [8, 25], gigabit),
            ("10 × 10 × 10 relays of 1 Gb/s", [10, 10, 10], gigabit),
        ]:
            scenario(f"{what}: {name}", size, options.clients, levels, uplink, generator)


if __name__ == "__main__":
    main()

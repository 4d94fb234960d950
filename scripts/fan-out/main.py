#!/usr/bin/env python3
"""Fan-out over shaped links: faults, cost as it grows, and shardcast beside it. One JSON line a measurement.

    scripts/fan-out/main.py faults    --model DIR [--only kill,stall]
    scripts/fan-out/main.py growth    --model DIR [--clients 1,2,4,8,16,32]
    scripts/fan-out/main.py shardcast --model DIR --python VENV/bin/python --package VENV/lib/.../shardcast
    scripts/fan-out/simulate.py                     # 10,000 clients, on paper

Needs root, `ip` and `tc` (iproute2), curl, and `make build`. Each node is a network namespace behind a link of 40 MB/s
in both directions. Standard library only (Python 3.11).
"""

import argparse
import glob
import json
import os
import statistics
import sys
import tempfile
import threading
import time

import apus_tree
import members
import network
import shape
import shardcast_tree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["faults", "growth", "shardcast"])
    parser.add_argument("--model", required=True, help="a Hugging Face directory, the version that is published")
    parser.add_argument("--second", help="another of the same shape, for the replay of an old manifest")
    parser.add_argument("--binaries", default=f"{ROOT}/.build/release")
    parser.add_argument("--rate", type=int, default=40, help="megabytes a second of every link")
    parser.add_argument("--clients", default="8")
    parser.add_argument("--only", default="", help="some of the faults; or one of the two systems")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--python", help="of shardcast's environment")
    parser.add_argument("--package", help="the folder of the package shardcast")
    parser.add_argument("--check-interval", type=int, default=30, help="of shardcast's middle nodes, in seconds")
    parser.add_argument("--poll", type=float, default=5, help="of shardcast's clients, in seconds")
    parser.add_argument("--folder", default="/var/tmp", help="where the nodes' files go; not in /tmp")
    return parser.parse_args()


def report(**line):
    print(json.dumps({key: round(value, 3) if isinstance(value, float) else value for key, value in line.items()}),
          flush=True)


def size_of(model):
    return sum(os.path.getsize(path) for path in glob.glob(f"{model}/*"))


class FirstShards(threading.Thread):
    """Looks at the disks: when a client holds the first shard, and how many its relay holds then."""

    def __init__(self, tree, client, relay, shard):
        super().__init__(daemon=True)
        self.partial = tree.path(f"client-{client}", ".partial-v1", "model.safetensors")
        self.shards = tree.path(f"cache-{relay}", "shards")
        self.shard, self.held, self.isOver = shard, None, False

    def run(self):
        while self.held is None and not self.isOver:
            try:
                # Written in order; the second shard begins when the first is checked.
                if os.stat(self.partial).st_blocks * 512 > self.shard:
                    self.held = sum(
                        entry.stat().st_size > self.shard // 2 for entry in os.scandir(self.shards))
            except FileNotFoundError:
                pass
            time.sleep(0.002)


def one(options, clients, folder, fault=None):
    """One publication; returns what was measured."""
    plan = shape.Shape(clients)
    victim = plan.second[0]
    size = size_of(options.model)
    with network.Network(plan.nodes, options.rate) as net:
        hostile = {victim: [fault]} if fault in ("corrupt", "truncate", "stall") else {}
        if fault == "another-run":
            other = f"{folder}/other"
            foreign = apus_tree.Tree(net, plan, options.binaries, other)
            foreign.publish(options.second or options.model, 1)
            hostile = {victim: ["directory", f"{other}/origin"]}
        if fault == "replay":
            hostile = {victim: ["replay", f"{folder}/run/origin/manifests/v1"]}
        tree = apus_tree.Tree(net, plan, options.binaries, f"{folder}/run", hostile)
        version = 1
        try:
            if fault == "replay":
                tree.publish(options.model, 1)
                version = 2
            tree.start_relays()
            model = options.model if version == 1 else options.second
            if version == 1:
                tree.start_clients()
                time.sleep(1)
            shard = min(max(-(-size // 16), 65536), 32 << 20)
            probe = FirstShards(tree, plan.clients[-1], plan.upstreams(plan.clients[-1])[0], shard)
            if fault is None:
                probe.start()
            began, publishing = tree.publish(model, version)
            if version == 2:
                tree.start_clients()
            if fault == "kill":
                cache = tree.path(f"cache-{victim}", "shards")
                members.wait_for("shards at the victim", lambda: len(os.listdir(cache)) >= 5)
                tree.kill(victim)
            ends = tree.finish()
            probe.isOver = True
            received = tree.received()
            sent = tree.metric(plan.origin, "sent_bytes_total")
            wire = net.sent(plan.origin)
            wrong = tree.wrong_files(model, version)
        finally:
            tree.close()
        return {
            "fault": fault or "none", "clients": clients, "relays": len(plan.relays), "bytes": size,
            "publish_seconds": publishing, "last_client_seconds": max(ends.values()) - began,
            "median_client_seconds": statistics.median(ends.values()) - began,
            "origin_sent_ratio": sent / (len(plan.first) * size), "origin_wire_ratio": wire / (len(plan.first) * size),
            "client_received_ratio": max(received.values()) / size, "wrong_files": len(wrong),
            "relay_shards_when_client_had_one": probe.held, **tree.used(),
        }


def faults(options):
    chosen = options.only.split(",") if options.only else [
        "none", "kill", "corrupt", "truncate", "stall", "another-run", "replay"]
    clean = None
    for fault in chosen:
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                measured = one(options, int(options.clients), folder, None if fault == "none" else fault)
            if fault == "none":
                clean = measured["last_client_seconds"]
            lost = measured["last_client_seconds"] - clean if clean else None
            report(**measured, seconds_lost=lost)


def growth(options):
    for clients in options.clients.split(","):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            report(**one(options, int(clients), folder))


def beside(options):
    for _ in range(options.rounds):
        if options.only != "shardcast":
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                report(system="apus", **one(options, int(options.clients), folder))
        if options.only == "apus":
            continue
        plan = shape.Shape(int(options.clients))
        with tempfile.TemporaryDirectory(dir=options.folder) as folder, network.Network(plan.nodes, options.rate) as net:
            tree = shardcast_tree.Tree(
                net, plan, options.python, options.package, f"{folder}/run", options.check_interval, options.poll)
            try:
                tree.start(f"{options.model}/model.safetensors")
                began = tree.publish()
                ends = tree.finish()
                wire = net.sent(plan.origin)
            finally:
                tree.close()
            wanted = apus_tree.digest(f"{options.model}/model.safetensors")
            wrong = sum(
                apus_tree.digest(path) != wanted for path in glob.glob(f"{folder}/run/out-*/download_*.bin"))
            size = os.path.getsize(f"{options.model}/model.safetensors")
            report(
                system="shardcast", clients=len(plan.clients), relays=len(plan.relays), bytes=size,
                check_interval=options.check_interval, poll=options.poll,
                last_client_seconds=max(ends.values()) - began,
                median_client_seconds=statistics.median(ends.values()) - began,
                origin_wire_ratio=wire / (len(plan.first) * size), wrong_files=wrong, **tree.used())


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("network namespaces need root")
    chosen = arguments()
    {"faults": faults, "growth": growth, "shardcast": beside}[chosen.what](chosen)

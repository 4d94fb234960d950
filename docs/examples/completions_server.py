#!/usr/bin/env python3
"""A completions server for `rollout-worker join --engine openai`, in PyTorch: what a server must do, in 200 lines.

    python completions_server.py --model DIR [--port 8000] [--device cpu]

It answers POST /v1/completions as OpenAI's endpoint does, and understands the four additions of docs/foreign-engines.md:
token ids in and out, the final hidden states, the sampling noise of the run, and POST /update_weights_from_disk.
Needs torch and transformers. One request at a time: this is a reference, not a fast server.
"""

import argparse
import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy
import torch
from transformers import AutoModelForCausalLM

LARGEST_REQUEST = 64 << 20


def philox(counters, key):
    """Philox4x32-10 for rows of four counter words: rows of four random words."""
    words = counters.astype(numpy.uint64)
    low, high = numpy.uint64(key[0]), numpy.uint64(key[1])
    mask = numpy.uint64(0xFFFFFFFF)
    for _ in range(10):
        first = words[:, 0] * numpy.uint64(0xD2511F53)
        second = words[:, 2] * numpy.uint64(0xCD9E8D57)
        words = numpy.stack([
            (second >> numpy.uint64(32)) ^ words[:, 1] ^ low, second & mask,
            (first >> numpy.uint64(32)) ^ words[:, 3] ^ high, first & mask,
        ], axis=1)
        low, high = (low + numpy.uint64(0x9E3779B9)) & mask, (high + numpy.uint64(0xBB67AE85)) & mask
    return words


def exponentials(words, position, vocabulary):
    """The run's noise at one position: an exponentially distributed number for each token (rule 10 of the arithmetic)."""
    blocks = (vocabulary + 3) // 4
    counters = numpy.empty((blocks, 4), dtype=numpy.uint64)
    counters[:, 0], counters[:, 1] = position, numpy.arange(blocks)
    counters[:, 2], counters[:, 3] = words[2], words[3]
    uniform = philox(counters, words[:2]).reshape(-1)[:vocabulary]
    share = numpy.minimum((uniform.astype(numpy.float64) + 0.5) * 2.0 ** -32, 1 - 2.0 ** -24)
    return torch.from_numpy(-numpy.log1p(-share))


def filtered(scores, top_k, top_p, min_p):
    """Tokens that the filters leave; scores are logits divided by the temperature."""
    keep = torch.ones_like(scores, dtype=torch.bool)
    order = scores.argsort(descending=True, stable=True)
    if top_k:
        keep[order[top_k:]] = False
    probabilities = torch.softmax(scores.masked_fill(~keep, -torch.inf), -1)
    if 0 < top_p < 1:
        before = probabilities[order].cumsum(-1) - probabilities[order]
        keep[order[before >= top_p]] = False
    if min_p:
        keep &= probabilities >= min_p * probabilities.max()
    return scores.masked_fill(~keep, -torch.inf)


class Engine:
    """A model and what it has computed; one request at a time."""

    def __init__(self, path, device, dtype):
        self.device, self.dtype, self.lock = device, dtype, threading.Lock()
        self.load(path)

    def load(self, path):
        model = AutoModelForCausalLM.from_pretrained(path, dtype=self.dtype).to(self.device).eval()
        with self.lock:
            self.model, self.path = model, path

    @torch.inference_mode()
    def complete(self, request):
        with self.lock:
            return {
                "object": "text_completion", "model": request.get("model", ""),
                "choices": self.choices(request),
            }

    def choices(self, request):
        prompt, samples = request["prompt"], request.get("n", 1)
        limit, stops = request["max_tokens"], set(request.get("stop_token_ids") or [])
        noise = request.get("noise") or [None] * samples
        generator = torch.Generator().manual_seed(request.get("seed", 0))
        ids = torch.tensor([prompt] * samples, device=self.device)
        cache, live = None, set(range(samples))
        out = [{"tokens": [], "logprobs": [], "rows": []} for _ in range(samples)]
        while live:
            # After the last norm: what the output projection reads.
            answer = self.model.model(input_ids=ids, past_key_values=cache, use_cache=True)
            cache, hidden = answer.past_key_values, answer.last_hidden_state[:, -1]
            logits = self.model.lm_head(hidden).float().cpu()
            rows = hidden.to(torch.bfloat16).cpu()
            following = []
            for index in range(samples):
                if index not in live:
                    following.append(prompt[0])
                    continue
                sample = out[index]
                position = len(prompt) + len(sample["tokens"])
                token, logprob = self.choose(logits[index], request, noise[index], position, generator)
                sample["tokens"].append(token)
                sample["logprobs"].append(logprob)
                sample["rows"].append(rows[index])
                following.append(token)
                if token in stops or len(sample["tokens"]) == limit:
                    live.discard(index)
            ids = torch.tensor(following, device=self.device)[:, None]
        return [self.choice(index, sample, stops) for index, sample in enumerate(out)]

    @staticmethod
    def choose(logits, request, words, position, generator):
        """A token and its log-probability over the whole vocabulary at the temperature."""
        temperature = request.get("temperature", 1)
        if temperature == 0:
            token = int(logits.argmax())
            return token, float(torch.log_softmax(logits.double(), -1)[token])
        scores = logits.double() / temperature
        kept = filtered(scores, request.get("top_k") or 0, request.get("top_p") or 1, request.get("min_p") or 0)
        if words is not None:
            races = exponentials(words, position, len(kept))
        else:
            races = torch.empty(len(kept), dtype=torch.float64).exponential_(generator=generator)
        token = int((kept - races.log()).argmax())
        return token, float(torch.log_softmax(scores, -1)[token])

    @staticmethod
    def choice(index, sample, stops):
        rows = torch.stack(sample["rows"]).contiguous()
        data = rows.view(torch.int16).numpy().astype("<i2").tobytes()
        return {
            "index": index, "text": "", "token_ids": sample["tokens"],
            "finish_reason": "stop" if sample["tokens"][-1] in stops else "length",
            "logprobs": {"token_logprobs": [min(0.0, value) for value in sample["logprobs"]]},
            "hidden_states": {
                "dtype": "bfloat16", "shape": list(rows.shape), "data": base64.b64encode(data).decode(),
            },
        }


def handler(engine):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send({"object": "list", "data": [{"id": engine.path, "object": "model"}]})

        def do_POST(self):
            length = int(self.headers.get("content-length", 0))
            if not 0 < length <= LARGEST_REQUEST:
                return self.send({"error": "the request has no length, or too much of it"}, 413)
            try:
                request = json.loads(self.rfile.read(length))
                if self.path == "/update_weights_from_disk":
                    engine.load(request["model_path"])
                    self.send({"success": True, "message": "loaded"})
                elif self.path == "/v1/completions":
                    self.send(engine.complete(request))
                else:
                    self.send({"error": f"there is no {self.path}"}, 404)
            except Exception as error:  # whatever a request provokes is an answer to it
                self.send({"error": f"{type(error).__name__}: {error}", "success": False}, 400)

        def send(self, value, status=200):
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a Hugging Face directory")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    arguments = parser.parse_args()
    served = Engine(arguments.model, arguments.device, getattr(torch, arguments.dtype))
    server = ThreadingHTTPServer((arguments.host, arguments.port), handler(served))
    print(f"serving {arguments.model} at http://{arguments.host}:{server.server_port}/v1", flush=True)
    server.serve_forever()

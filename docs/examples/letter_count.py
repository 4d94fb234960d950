#!/usr/bin/env python3
"""An environment for Apus in Python: count a letter in a word. See docs/environments.md."""

import json
import random
import sys


def task(seed, index, split):
    # A task depends on (seed, index, split) alone, and the two splits share no prompt.
    chosen = random.Random(f"{seed}/{index}/{split}")
    length = chosen.choice([4, 6, 8] if split == "train" else [5, 7])
    word = "".join(chosen.choice("abc") for _ in range(length))
    return {"prompt": f"a in {word}>", "answer": str(word.count("a"))}


def score(prompt, answer, info, completion, finished):
    return {"reward": 1.0 if finished and completion == answer else 0.0}


def handle(request):
    method = request["method"]
    if method == "describe":
        return {"protocol": 1}
    if method == "task":
        return task(request["seed"], request["index"], request["split"])
    if method == "score":
        return score(*(request[key] for key in ("prompt", "answer", "info", "completion", "finished")))
    raise ValueError(f"unknown method {method}")


for line in sys.stdin:
    request = json.loads(line)
    try:
        reply = {"id": request["id"], "result": handle(request)}
    except Exception as error:  # an error is a third state: never a reward of 0
        reply = {"id": request["id"], "error": {"message": str(error)}}
    print(json.dumps(reply), flush=True)

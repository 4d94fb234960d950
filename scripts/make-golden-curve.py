#!/usr/bin/env python3
"""A golden loss curve: 50 steps of supervised fine-tuning of a small Qwen3 by transformers and torch.optim.AdamW.

    python scripts/make-golden-curve.py Tests/TrainingTests/Fixtures/curve

Writes the start (`config.json` and `model.safetensors` in bf16) and `curve.json`: the settings, every step's sequences in
order, and the loss of every step before its update. PyTorch trains f32 weights with f32 arithmetic, mean negative
log-likelihood of the completions' tokens, clipping by global norm, a linear warm-up and a constant rate. The task is
one that is learned within the steps: a completion repeats its prompt backwards. Needs torch and transformers 5.
"""
import json
import random
import sys
from pathlib import Path

import torch
import transformers

STEPS, BATCH, WARM_UP = 50, 8, 5
SETTINGS = {"learning_rate": 3e-3, "warm_up_steps": WARM_UP, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8,
            "weight_decay": 0.01, "clip_norm": 1.0}


def main(folder):
    torch.set_num_threads(1)
    torch.manual_seed(5)
    config = transformers.Qwen3Config(
        vocab_size=32, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
        intermediate_size=96, max_position_embeddings=128, tie_word_embeddings=True, bos_token_id=None, eos_token_id=1,
        pad_token_id=None, attn_implementation="eager", rope_parameters={"rope_type": "default", "rope_theta": 1e4},
        initializer_range=0.08)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").to(torch.bfloat16)
    model.save_pretrained(folder)
    model.float().train()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=SETTINGS["learning_rate"], betas=(SETTINGS["beta1"], SETTINGS["beta2"]),
        eps=SETTINGS["epsilon"], weight_decay=SETTINGS["weight_decay"])
    draw = random.Random(7)
    steps, losses = [], []
    for step in range(1, STEPS + 1):
        rows = []
        for _ in range(BATCH):
            prompt = [draw.randrange(4, 12) for _ in range(draw.randrange(3, 9))]
            rows.append({"prompt": prompt + [2], "completion": prompt[::-1] + [1]})
        total, count = 0.0, 0
        for row in rows:
            tokens = torch.tensor(row["prompt"] + row["completion"])
            first = len(row["prompt"])
            logits = model(tokens[None]).logits[0, first - 1 : -1]
            total = total + torch.nn.functional.cross_entropy(logits, tokens[first:], reduction="sum")
            count += len(tokens) - first
        loss = total / count
        for group in optimizer.param_groups:
            group["lr"] = SETTINGS["learning_rate"] * min(1, step / WARM_UP)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["clip_norm"])
        optimizer.step()
        steps.append(rows)
        losses.append(loss.item())
    (folder / "curve.json").write_text(json.dumps(
        {"settings": SETTINGS, "losses": losses, "steps": steps}, separators=(",", ":")) + "\n")
    print(" ".join(f"{loss:.3f}" for loss in losses))


if __name__ == "__main__":
    output = Path(sys.argv[1])
    output.mkdir(parents=True, exist_ok=True)
    main(output)

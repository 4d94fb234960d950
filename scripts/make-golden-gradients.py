#!/usr/bin/env python3
"""Golden gradients of a small qwen3-like model, by PyTorch autograd.

The model emulates the rounding points of docs/arithmetic.md (bf16 weights, matmul inputs, cache and attention numerators)
with straight-through derivatives, so that its gradients are those of the hand-written backward pass.

    python scripts/make-golden-gradients.py Tests/TransformerTests/Fixtures/gradients

Writes NAME.json (configuration, tokens, targets, loss slopes, expected log-probabilities) and NAME.safetensors
(`weight/<tensor>` and `gradient/<tensor>`, float32) per case. Needs torch and safetensors.
"""
import json
import math
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file


def straight_through(x):
    """Rounds to bf16; the derivative is one."""
    return x + (x.to(torch.bfloat16).to(x.dtype) - x).detach()


class Model:
    def __init__(self, case, generator):
        self.case = case
        hidden, heads, shared = case["hidden_size"], case["num_attention_heads"], case["num_key_value_heads"]
        width, inner, vocabulary = case["head_dim"], case["intermediate_size"], case["vocab_size"]
        shapes = {"model.embed_tokens.weight": (vocabulary, hidden)}
        for layer in range(case["num_hidden_layers"]):
            prefix = f"model.layers.{layer}."
            shapes[prefix + "input_layernorm.weight"] = (hidden,)
            shapes[prefix + "self_attn.q_proj.weight"] = (heads * width, hidden)
            shapes[prefix + "self_attn.k_proj.weight"] = (shared * width, hidden)
            shapes[prefix + "self_attn.v_proj.weight"] = (shared * width, hidden)
            shapes[prefix + "self_attn.o_proj.weight"] = (hidden, heads * width)
            if case["qk_norm"]:
                shapes[prefix + "self_attn.q_norm.weight"] = (width,)
                shapes[prefix + "self_attn.k_norm.weight"] = (width,)
            shapes[prefix + "post_attention_layernorm.weight"] = (hidden,)
            shapes[prefix + "mlp.gate_proj.weight"] = (inner, hidden)
            shapes[prefix + "mlp.up_proj.weight"] = (inner, hidden)
            shapes[prefix + "mlp.down_proj.weight"] = (hidden, inner)
        shapes["model.norm.weight"] = (hidden,)
        if not case["tie_word_embeddings"]:
            shapes["lm_head.weight"] = (vocabulary, hidden)
        self.weights = {}
        for name, shape in shapes.items():
            noise = torch.randn(shape, generator=generator)
            value = 1 + 0.2 * noise if len(shape) == 1 else noise * (0.5 if "embed" in name else shape[-1] ** -0.5)
            self.weights[name] = value.requires_grad_(True)

    def w(self, name):
        return straight_through(self.weights[name])

    def norm(self, x, name):
        r = 1 / torch.sqrt((x * x).mean(-1, keepdim=True) + self.case["rms_norm_eps"])
        return straight_through(x * r * self.w(name))

    def rotate(self, x):
        """x: [length, heads, width], positions from 0; halves."""
        length, _, width = x.shape
        inverse = self.case["rope_theta"] ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
        angle = torch.arange(length, dtype=torch.float32)[:, None] * inverse.to(torch.float32)[None, :]
        cos = torch.cos(angle.double()).float()[:, None, :]
        sin = torch.sin(angle.double()).float()[:, None, :]
        a, b = x[..., : width // 2], x[..., width // 2 :]
        return straight_through(torch.cat([a * cos - b * sin, b * cos + a * sin], -1))

    def log_probabilities(self, tokens):
        case = self.case
        heads, shared, width = case["num_attention_heads"], case["num_key_value_heads"], case["head_dim"]
        length = len(tokens)
        x = self.w("model.embed_tokens.weight")[torch.tensor(tokens)]
        mask = torch.tril(torch.ones(length, length, dtype=torch.bool))
        for layer in range(case["num_hidden_layers"]):
            p = f"model.layers.{layer}."
            h = self.norm(x, p + "input_layernorm.weight")
            q = (h @ self.w(p + "self_attn.q_proj.weight").T).view(length, heads, width)
            k = (h @ self.w(p + "self_attn.k_proj.weight").T).view(length, shared, width)
            v = straight_through(h @ self.w(p + "self_attn.v_proj.weight").T).view(length, shared, width)
            if case["qk_norm"]:
                q = self.norm(q, p + "self_attn.q_norm.weight")
                k = self.norm(k, p + "self_attn.k_norm.weight")
            q, k = self.rotate(q), self.rotate(k)
            k, v = (t.repeat_interleave(heads // shared, 1) for t in (k, v))
            scores = torch.einsum("ihd,jhd->hij", q, k) * (1 / math.sqrt(width))
            scores = scores.masked_fill(~mask, -math.inf)
            e = torch.exp(scores - scores.max(-1, keepdim=True).values.detach())
            total = torch.einsum("hij,jhd->ihd", straight_through(e), v)
            out = straight_through(total / e.sum(-1).T[:, :, None]).reshape(length, heads * width)
            x = x + out @ self.w(p + "self_attn.o_proj.weight").T
            h = self.norm(x, p + "post_attention_layernorm.weight")
            gate, up = h @ self.w(p + "mlp.gate_proj.weight").T, h @ self.w(p + "mlp.up_proj.weight").T
            x = x + straight_through(gate * torch.sigmoid(gate) * up) @ self.w(p + "mlp.down_proj.weight").T
        h = self.norm(x, "model.norm.weight")
        head = "model.embed_tokens.weight" if case["tie_word_embeddings"] else "lm_head.weight"
        logits = h @ self.w(head).T / case["temperature"]
        return torch.log_softmax(logits, -1)


def make(name, folder, lengths, seed, **changes):
    case = {
        "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
        "intermediate_size": 24, "vocab_size": 29, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "qk_norm": True,
        "tie_word_embeddings": True, "temperature": 1.0,
    } | changes
    generator = torch.Generator().manual_seed(seed)
    model = Model(case, generator)
    sequences, loss = [], 0.0
    for length in lengths:
        tokens = torch.randint(0, case["vocab_size"], (length,), generator=generator).tolist()
        first = max(1, length // 3)
        slopes = torch.randn(length - first, generator=generator)
        rows = model.log_probabilities(tokens)
        chosen = rows[torch.arange(first - 1, length - 1), torch.tensor(tokens[first:])]
        entropy = -(rows.exp() * rows).sum(-1)[first - 1 : length - 1]
        loss = loss + (chosen * slopes).sum()
        sequences.append({
            "tokens": tokens, "first_target": first, "slopes": slopes.tolist(),
            "log_probabilities": chosen.tolist(), "entropies": entropy.tolist(),
        })
    loss.backward()
    tensors = {"weight/" + n: w.detach() for n, w in model.weights.items()}
    tensors |= {"gradient/" + n: w.grad for n, w in model.weights.items()}
    save_file(tensors, folder / f"{name}.safetensors")
    (folder / f"{name}.json").write_text(json.dumps({"configuration": case, "sequences": sequences}) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    output = Path(sys.argv[1])
    output.mkdir(parents=True, exist_ok=True)
    make("tied-norm", output, [2, 7, 19, 33], 1)
    make("untied-norm", output, [12, 5, 80], 2, tie_word_embeddings=False, temperature=0.8)
    make("tied-plain", output, [16, 17], 3, qk_norm=False)
    make("untied-plain", output, [9, 24, 3], 4, qk_norm=False, tie_word_embeddings=False, num_key_value_heads=4)

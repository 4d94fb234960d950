#!/usr/bin/env python3
"""Golden gradients of a tiny random model of every family, by PyTorch autograd.

    python scripts/make-golden-gradients.py Tests/TransformerTests/Fixtures/gradients

For each case a folder with `config.json` (as transformers writes it), `case.json` (tokens, targets, slopes, expected
log-probabilities, and PyTorch's own error in bf16) and `case.safetensors`, where for every tensor

    weight/NAME    bf16  the weights
    rounded/NAME   f32   the gradient of a forward pass with Apus' rounding points (docs/arithmetic.md) and derivatives
                         straight through them: what the backward pass computes in f32 mode, up to the order of sums
    plain/NAME     f32   the gradient of transformers' model in f32 without any rounding: what the bf16 mode estimates

The loss is the slopes' sum of log-probabilities of the targets; in all cases but the one with a temperature every slope is
-1 / targets, so the loss is the mean negative log-likelihood. The rounded gradient is that of `sequences`, which are few
enough that no sum lies so near to a rounding boundary that the order of its terms decides; the plain one is that of
`more_sequences`, enough to compare errors. `bf16_errors` in `case.json` is, per tensor, the norm of PyTorch's bf16 gradient
less the plain one, divided by the plain one's norm.

The model with rounding points is written here and must equal transformers' when its rounding is switched off; the script
asserts that. Needs torch, transformers 5 and safetensors.
"""
import json
import math
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file

rounding = True


def straight_through(x):
    """Rounds to bf16; the derivative is one."""
    return x + (x.to(torch.bfloat16).to(x.dtype) - x).detach() if rounding else x


class Model:
    """A decoder-only transformer with the rounding points of the canonical arithmetic."""

    def __init__(self, config, weights, inverse_frequencies):
        self.config, self.weights, self.inverse = config, weights, inverse_frequencies

    def w(self, name):
        return straight_through(self.weights[name])

    def linear(self, x, name):
        y = x @ self.w(name + ".weight").T
        return y + self.w(name + ".bias") if name + ".bias" in self.weights else y

    def norm(self, x, name):
        r = 1 / torch.sqrt((x * x).mean(-1, keepdim=True) + self.config.rms_norm_eps)
        return straight_through(x * r * self.w(name))

    def rotate(self, x, layer):
        """x: [length, heads, width], positions from 0; halves."""
        if not (getattr(self.config, "no_rope_layers", None) or [1] * (layer + 1))[layer]:
            return straight_through(x)
        length, _, width = x.shape
        angle = torch.arange(length, dtype=torch.float32)[:, None] * self.inverse[None, :]
        cos = torch.cos(angle.double()).float()[:, None, :]
        sin = torch.sin(angle.double()).float()[:, None, :]
        a, b = x[..., : width // 2], x[..., width // 2 :]
        return straight_through(torch.cat([a * cos - b * sin, b * cos + a * sin], -1))

    def window(self, layer):
        types = getattr(self.config, "layer_types", None)
        if types is not None and types[layer] != "sliding_attention":
            return None
        return getattr(self.config, "sliding_window", None)

    def log_probabilities(self, tokens, temperature):
        config = self.config
        heads, shared, width = config.num_attention_heads, config.num_key_value_heads, config.head_dim
        length = len(tokens)
        x = self.w("model.embed_tokens.weight")[torch.tensor(tokens)]
        distance = torch.arange(length)[:, None] - torch.arange(length)[None, :]
        for layer in range(config.num_hidden_layers):
            p = f"model.layers.{layer}."
            h = self.norm(x, p + "input_layernorm.weight")
            q = self.linear(h, p + "self_attn.q_proj").view(length, heads, width)
            k = self.linear(h, p + "self_attn.k_proj").view(length, shared, width)
            v = straight_through(self.linear(h, p + "self_attn.v_proj")).view(length, shared, width)
            if p + "self_attn.q_norm.weight" in self.weights:
                q = self.norm(q, p + "self_attn.q_norm.weight")
                k = self.norm(k, p + "self_attn.k_norm.weight")
            q, k = self.rotate(q, layer), self.rotate(k, layer)
            k, v = (t.repeat_interleave(heads // shared, 1) for t in (k, v))
            scores = torch.einsum("ihd,jhd->hij", q, k) * (1 / math.sqrt(width))
            mask = (distance < 0) | (distance >= (self.window(layer) or length))
            scores = scores.masked_fill(mask, -math.inf)
            e = torch.exp(scores - scores.max(-1, keepdim=True).values.detach())
            total = torch.einsum("hij,jhd->ihd", straight_through(e), v)
            out = straight_through(total / e.sum(-1).T[:, :, None]).reshape(length, heads * width)
            x = x + self.linear(out, p + "self_attn.o_proj")
            h = self.norm(x, p + "post_attention_layernorm.weight")
            gate, up = self.linear(h, p + "mlp.gate_proj"), self.linear(h, p + "mlp.up_proj")
            x = x + self.linear(straight_through(gate * torch.sigmoid(gate) * up), p + "mlp.down_proj")
        h = self.norm(x, "model.norm.weight")
        head = "lm_head.weight" if "lm_head.weight" in self.weights else "model.embed_tokens.weight"
        return torch.log_softmax(h @ self.w(head).T / temperature, -1)


SIZES = dict(
    hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8, intermediate_size=24,
    vocab_size=29, max_position_embeddings=256, bos_token_id=None, eos_token_id=1, pad_token_id=None,
    attn_implementation="eager")
DEFAULT = {"rope_type": "default", "rope_theta": 1e4}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}
LINEAR = {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}


def cases():
    """Name, configuration, lengths of the sequences, temperature (None: mean negative log-likelihood)."""
    def config(kind, **changes):
        return getattr(transformers, kind + "Config")(**{**SIZES, "rms_norm_eps": 1e-6, "rope_parameters": DEFAULT,
                                                         "tie_word_embeddings": True, **changes})
    yield "llama", config("Llama", rms_norm_eps=1e-5), [2, 7, 19, 33], None
    yield "llama-untied", config(
        "Llama", tie_word_embeddings=False, rope_parameters=LLAMA3, num_key_value_heads=4), [12, 5, 61], None
    yield "llama-biased", config(
        "Llama", attention_bias=True, mlp_bias=True, rope_parameters=LINEAR, num_key_value_heads=1), [9, 52, 3], None
    yield "mistral", config("Mistral", sliding_window=11, tie_word_embeddings=False), [8, 13, 90], None
    yield "qwen2", config("Qwen2"), [30, 6, 17], None
    yield "qwen2-windowed", config(
        "Qwen2", use_sliding_window=True, sliding_window=7, max_window_layers=1), [30, 6, 57], None
    yield "qwen3", config("Qwen3", rope_parameters={"rope_type": "default", "rope_theta": 1e6}), [40, 5, 8], None
    yield "qwen3-tempered", config("Qwen3", tie_word_embeddings=False), [12, 5, 80], 0.8
    yield "smollm3", config("SmolLM3", no_rope_layers=[1, 0]), [24, 50], None


def relative(found, golden):
    return ((found.double() - golden.double()).norm() / golden.double().norm().clamp_min(1e-30)).item()


def make(folder, number, name, config, lengths, temperature):
    global rounding
    generator = torch.Generator().manual_seed(100 + number)
    torch.manual_seed(number)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().train()
    with torch.no_grad():
        for key, value in model.named_parameters():
            noise = torch.randn(value.shape, generator=generator)
            spread = 0.5 if "embed" in key else 0.2 if value.dim() == 1 else value.shape[-1] ** -0.5
            value.copy_((noise * spread + ("norm" in key)).to(torch.bfloat16))

    def draw(lengths):
        count = sum(n - max(1, n // 3) for n in lengths)
        for length in lengths:
            first = max(1, length // 3)
            slopes = torch.randn(length - first, generator=generator) if temperature else torch.full(
                (length - first,), -1 / count)
            tokens = torch.randint(0, config.vocab_size, (length,), generator=generator).tolist()
            yield {"tokens": tokens, "first_target": first, "slopes": slopes.tolist()}

    sequences, more = list(draw(lengths)), list(draw([200, 150, 90, 180]))

    def loss(rows_of, sequences, note=False):
        total = 0.0
        for sequence in sequences:
            rows = rows_of(sequence["tokens"])
            first, tokens = sequence["first_target"], torch.tensor(sequence["tokens"])
            chosen = rows[torch.arange(first - 1, len(tokens) - 1), tokens[first:]]
            if note:
                sequence["log_probabilities"] = chosen.tolist()
                sequence["entropies"] = (-(rows.exp() * rows).sum(-1)[first - 1 : len(tokens) - 1]).tolist()
            total = total + (chosen * torch.tensor(sequence["slopes"])).sum()
        return total

    def hugging_face(model):
        return lambda tokens: torch.log_softmax(
            model(torch.tensor(tokens)[None]).logits[0].float() / (temperature or 1), -1)

    loss(hugging_face(model), more).backward()
    plain = {n: p.grad.clone() for n, p in model.named_parameters()}
    half = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").to(torch.bfloat16)
    half.load_state_dict(model.state_dict())
    loss(hugging_face(half), more).backward()
    errors = {n: relative(p.grad, plain[n]) for n, p in half.named_parameters()}

    weights = {n: p.detach().clone().requires_grad_(True) for n, p in model.named_parameters()}
    own = Model(config, weights, model.model.rotary_emb.inv_freq.float())
    rounding = False
    loss(lambda tokens: own.log_probabilities(tokens, temperature or 1), more).backward()
    worst = max(relative(weights[n].grad, plain[n]) for n in plain)
    assert worst < 2e-5, f"{name}: the model of this script is not that of transformers: {worst}"
    for weight in weights.values():
        weight.grad = None
    rounding = True
    loss(lambda tokens: own.log_probabilities(tokens, temperature or 1), sequences, note=True).backward()

    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    config.architectures = [type(model).__name__]
    config.save_pretrained(path)
    tensors = {"weight/" + n: w.detach().to(torch.bfloat16) for n, w in weights.items()}
    tensors |= {"rounded/" + n: w.grad for n, w in weights.items()} | {"plain/" + n: g for n, g in plain.items()}
    save_file({n: t.contiguous() for n, t in tensors.items()}, path / "case.safetensors")
    (path / "case.json").write_text(json.dumps(
        {"temperature": temperature or 1.0, "bf16_errors": errors, "sequences": sequences, "more_sequences": more}) + "\n")
    print(f"{name}: {sum(p.numel() for p in weights.values())} parameters; without rounding {worst:.1e} from "
          f"transformers; PyTorch's bf16 errs by {min(errors.values()):.1e} to {max(errors.values()):.1e}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for number, case in enumerate(cases()):
        make(Path(sys.argv[1]), number, *case)

#!/usr/bin/env python3
"""Make the golden fixtures of the Transformer room with PyTorch and transformers.

    python3 scripts/make-golden-models.py Tests/TransformerTests/Fixtures

For each family: a tiny random model saved by `transformers` in bf16, and beside it `golden.safetensors` with

    tokens           [T] i64
    logits           [T, V] f32   transformers, the bf16 weights computed in f32
    emulated_hidden  [T, H] f32   an own forward pass with Apus' rounding points (docs/arithmetic.md), sums in f64
    emulated_logits  [T, V] f32   the same

Needs torch 2.6 and transformers 5 (any with Qwen3). The fixtures are committed; rerun only to change them.
With a second argument `--check DIR` it opens a directory written by Apus in transformers and prints its logits' digest.
"""

import argparse
import pathlib

import torch
import transformers
from safetensors.torch import save_file

TOKENS = 41  # more than two cache pages of 16


def families():
    common = dict(rms_norm_eps=1e-6, max_position_embeddings=256, attention_bias=False, use_cache=True)
    yield "qwen3", transformers.Qwen3ForCausalLM, transformers.Qwen3Config(
        vocab_size=97, hidden_size=32, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2, head_dim=10,
        intermediate_size=56, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1e4},
        bos_token_id=None, eos_token_id=10, pad_token_id=0, **common)
    yield "llama", transformers.LlamaForCausalLM, transformers.LlamaConfig(
        vocab_size=90, hidden_size=30, num_hidden_layers=2, num_attention_heads=5, num_key_value_heads=1, head_dim=6,
        intermediate_size=41, tie_word_embeddings=False, rope_parameters={"rope_type": "default", "rope_theta": 5e5},
        bos_token_id=1, eos_token_id=[2, 3], pad_token_id=0, **common)


def bf16(x):
    return x.float().to(torch.bfloat16).double()


def rms_norm(x, weight, eps):
    """bf16((x · r) · w): one rounding, after the weight."""
    return bf16(x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps) * weight)


def rotate(x, theta):
    """x is [T, heads, D] with halves (a, b); one rounding after the rotation."""
    length, _, width = x.shape
    inverse = (theta ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)).float()
    angle = torch.arange(length, dtype=torch.float32)[:, None] * inverse
    cosine, sine = angle.double().cos()[:, None], angle.double().sin()[:, None]
    a, b = x[..., : width // 2], x[..., width // 2 :]
    return bf16(torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=-1))


def attention(q, k, v):
    """Rule 7: p = bf16(exp(s - max)), the denominator over what was not rounded, one rounding at the end."""
    length, heads, width = q.shape
    group = heads // k.shape[1]
    k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
    scores = torch.einsum("thd,shd->hts", q, k) / width**0.5
    scores = scores.masked_fill(torch.ones(length, length, dtype=torch.bool).triu(1), float("-inf"))
    e = torch.exp(scores - scores.amax(-1, keepdim=True))
    mixed = torch.einsum("hts,shd->thd", bf16(e), v) / e.sum(-1).transpose(0, 1)[..., None]
    return bf16(mixed)


def emulate(model, tokens):
    config = model.config
    weights = {name: value.double() for name, value in model.state_dict().items()}
    theta = config.rope_parameters["rope_theta"]
    heads, pairs, width = config.num_attention_heads, config.num_key_value_heads, config.head_dim
    x = weights["model.embed_tokens.weight"][tokens]
    for index in range(config.num_hidden_layers):
        layer = {k.split(f"layers.{index}.")[1]: v for k, v in weights.items() if f"layers.{index}." in k}
        h = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
        q = (h @ layer["self_attn.q_proj.weight"].T).view(-1, heads, width)
        k = (h @ layer["self_attn.k_proj.weight"].T).view(-1, pairs, width)
        v = bf16(h @ layer["self_attn.v_proj.weight"].T).view(-1, pairs, width)
        if "self_attn.q_norm.weight" in layer:
            q = rms_norm(q, layer["self_attn.q_norm.weight"], config.rms_norm_eps)
            k = rms_norm(k, layer["self_attn.k_norm.weight"], config.rms_norm_eps)
        a = attention(rotate(q, theta), rotate(k, theta), v).reshape(len(tokens), -1)
        x = x + a @ layer["self_attn.o_proj.weight"].T
        h = rms_norm(x, layer["post_attention_layernorm.weight"], config.rms_norm_eps)
        gate, up = h @ layer["mlp.gate_proj.weight"].T, h @ layer["mlp.up_proj.weight"].T
        x = x + bf16(gate / (1 + torch.exp(-gate)) * up) @ layer["mlp.down_proj.weight"].T
    hidden = rms_norm(x, weights["model.norm.weight"], config.rms_norm_eps)
    return hidden, hidden @ weights["lm_head.weight"].T


def make(folder, name, model_class, config):
    torch.manual_seed(20260101)
    model = model_class(config).eval()
    with torch.no_grad():
        for key, value in model.named_parameters():
            # Large enough that attention is sharp and every norm weight matters.
            spread = 0.3 if value.dim() == 2 else 0.2
            value.copy_(torch.randn_like(value) * spread + (1.0 if value.dim() == 1 else 0.0))
    model.to(torch.bfloat16).save_pretrained(folder / name)
    model.float()
    tokens = torch.randint(0, config.vocab_size, (TOKENS,))
    with torch.no_grad():
        logits = model(tokens[None]).logits[0]
        hidden, emulated = emulate(model, tokens)
    save_file(
        {"tokens": tokens, "logits": logits.contiguous(), "emulated_hidden": hidden.float().contiguous(),
         "emulated_logits": emulated.float().contiguous()},
        folder / name / "golden.safetensors")
    difference = (logits - emulated.float()).abs()
    print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters; bf16 rounding moves logits by at most "
          f"{difference.max():.4f}, {difference.mean():.5f} in the mean, of a spread of {logits.std():.3f}")


def check(directory):
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32)
    with torch.no_grad():
        logits = model(torch.arange(10, 42)[None]).logits[0]
    print(f"{directory}: {type(model).__name__}, {sum(p.numel() for p in model.parameters())} parameters, "
          f"log-probability of 43 after 10...41: {torch.log_softmax(logits[-1], -1)[43]:.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--check", metavar="DIR")
    arguments = parser.parse_args()
    if arguments.check:
        check(arguments.check)
    if arguments.folder:
        for family in families():
            make(arguments.folder, *family)

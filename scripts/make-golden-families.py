#!/usr/bin/env python3
"""Make a tiny random model of every family and variation with transformers, and what PyTorch computes with it.

    python3 scripts/make-golden-families.py Tests/TransformerTests/Fixtures/families
    python3 scripts/make-golden-families.py Tests/TransformerTests/Fixtures/families --check SAVED

Each model is a directory as `save_pretrained` leaves it, with `golden.safetensors` beside the weights:

    tokens     [T] i64
    reference  [T, V] f32   the stored weights computed in binary32
    bfloat16   [T, V] bf16  the same model in bfloat16, as PyTorch users run it: how far off that is, is the measure

With `--check SAVED` nothing is made: every directory under SAVED, written by Apus from the one of the same name, is opened
by transformers, and its tensors and logits must be those of the original in bfloat16. The tests write such directories
when APUS_SAVE_FAMILIES names a folder (see `FamilyRoundTripTests`).

Needs torch 2.6 and transformers 5. The fixtures are committed; rerun only to change them.
"""

import argparse
import json
import pathlib
import shutil

import torch
import transformers
from safetensors.torch import load_file, save_file

TOKENS = 53  # more than three cache pages of 16, and no multiple of them

SMALL = dict(vocab_size=61, hidden_size=24, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2,
             intermediate_size=40, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=None, eos_token_id=2,
             pad_token_id=0)
PLAIN = {"rope_type": "default", "rope_theta": 1e4}


def variations():
    """name, config class, its settings, element type and largest part on disk."""
    llama, mistral, qwen2, qwen3, smollm3 = (
        getattr(transformers, name) for name in
        ("LlamaConfig", "MistralConfig", "Qwen2Config", "Qwen3Config", "SmolLM3Config"))
    bf16, f16, f32 = torch.bfloat16, torch.float16, torch.float32
    yield "llama-biases", llama, dict(
        attention_bias=True, mlp_bias=True, tie_word_embeddings=True, rope_parameters=PLAIN), bf16, None
    yield "llama-llama3", llama, dict(
        num_key_value_heads=6, tie_word_embeddings=False, rope_parameters={
            "rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32}), f32, None
    yield "llama-linear", llama, dict(
        num_key_value_heads=3, tie_word_embeddings=True,
        rope_parameters={"rope_type": "linear", "rope_theta": 1e4, "factor": 2.5}), f16, None
    yield "llama-odd", llama, dict(
        vocab_size=53, hidden_size=35, num_attention_heads=7, num_key_value_heads=1, head_dim=6, intermediate_size=37,
        tie_word_embeddings=False, rope_parameters=PLAIN), bf16, None
    yield "mistral", mistral, dict(
        sliding_window=None, num_key_value_heads=1, tie_word_embeddings=False, rope_parameters=PLAIN), bf16, None
    yield "mistral-window", mistral, dict(
        sliding_window=19, head_dim=10, tie_word_embeddings=True, rope_parameters=PLAIN), bf16, None
    yield "qwen2", qwen2, dict(tie_word_embeddings=True, rope_parameters=PLAIN), f32, "16KB"
    yield "qwen2-window", qwen2, dict(
        num_hidden_layers=3, use_sliding_window=True, sliding_window=7, max_window_layers=1, tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6}), bf16, None
    yield "qwen3-biases", qwen3, dict(
        head_dim=12, attention_bias=True, tie_word_embeddings=False, rope_parameters=PLAIN), bf16, None
    yield "qwen3-window", qwen3, dict(
        num_hidden_layers=3, head_dim=8, use_sliding_window=True, sliding_window=33, tie_word_embeddings=True,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"], rope_parameters=PLAIN), bf16, None
    yield "smollm3", smollm3, dict(
        num_hidden_layers=3, no_rope_layers=[1, 0, 1], tie_word_embeddings=True, rope_parameters=PLAIN), bf16, None
    yield "smollm3-window", smollm3, dict(
        num_hidden_layers=3, no_rope_layers=[1, 0, 1], use_sliding_window=True, sliding_window=16, attention_bias=True,
        mlp_bias=True, tie_word_embeddings=False, rope_parameters=PLAIN), bf16, None


def open_model(folder, dtype):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()


def logits(model, tokens):
    with torch.no_grad():
        return model(tokens[None]).logits[0]


def make(folder, name, config_class, settings, dtype, part):
    torch.manual_seed(20260201)
    config = config_class(**{**SMALL, **settings})
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for key, value in model.named_parameters():
            spread = 0.2 if value.dim() == 1 else value.shape[1] ** -0.5
            value.copy_(torch.randn_like(value) * (1.0 if "embed" in key else spread))
            if "norm" in key:
                value.add_(1.0)
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    model.to(dtype).save_pretrained(place, **({"max_shard_size": part} if part else {}))
    if name == "llama-linear":
        older_file(place / "config.json")
    tokens = torch.randint(0, config.vocab_size, (TOKENS,))
    reference = logits(open_model(place, torch.float32), tokens)
    rounded = logits(open_model(place, torch.bfloat16), tokens)
    save_file({"tokens": tokens, "reference": reference.contiguous(), "bfloat16": rounded.contiguous()},
              place / "golden.safetensors")
    error = (rounded.float() - reference).norm() / reference.norm()
    print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters, bfloat16 is off by {error:.5f}")


def older_file(path):
    """The same settings as releases before 5 wrote them."""
    config = json.loads(path.read_text())
    rotary = config.pop("rope_parameters")
    config["rope_theta"] = rotary["rope_theta"]
    config["rope_scaling"] = {"type": rotary["rope_type"], "factor": rotary["factor"]}
    config["torch_dtype"] = config.pop("dtype")
    path.write_text(json.dumps(config, indent=2) + "\n")


def check(original, saved):
    model, ours = open_model(original, torch.bfloat16), open_model(saved, torch.bfloat16)
    assert type(model) is type(ours), f"{saved}: {type(ours).__name__}"
    expected, found = model.state_dict(), ours.state_dict()
    assert expected.keys() == found.keys(), f"{saved}: {expected.keys() ^ found.keys()}"
    for name, value in expected.items():
        assert torch.equal(value, found[name]), f"{saved}: {name} differs"
    stored = {}
    for file in saved.glob("*.safetensors"):
        stored |= load_file(file)
    assert all(value.dtype == torch.bfloat16 for value in stored.values()), f"{saved}: not bfloat16"
    tokens = load_file(original / "golden.safetensors")["tokens"]
    assert torch.equal(logits(model, tokens), logits(ours, tokens)), f"{saved}: other logits"
    print(f"{saved.name}: {len(stored)} tensors equal, logits equal")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--check", metavar="SAVED", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.check:
        directories = sorted(path for path in arguments.check.iterdir() if path.is_dir())
        assert directories, f"{arguments.check} holds no directory"
        for directory in directories:
            check(arguments.folder / directory.name, directory)
    else:
        for variation in variations():
            make(arguments.folder, *variation)

#!/usr/bin/env python3
"""Make the golden fixtures of LoRA adapters with PyTorch, transformers and PEFT.

    python3 scripts/make-golden-adapters.py Tests/TransformerTests/Fixtures

Needs what make-golden-models.py made there (the base models), torch, transformers, safetensors and peft. Writes

    adapters/NAME/               an adapter saved by PEFT for the base model of that name
    adapters/NAME.safetensors    tokens, PEFT's logits in f32, `merged/<tensor>` by rule 16 of docs/arithmetic.md, the
                                 slopes of a loss, and `gradient/<factor>` by PEFT in f32 with the factors rounded to bf16
    adapters/straight-NAME.*     as make-golden-gradients.py, with adapters: the rounding points of the arithmetic with
                                 straight-through derivatives; `weight/`, `factor/` and `gradient/` tensors
"""
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import numpy
import peft
import torch
import transformers
from safetensors.torch import save_file

here = Path(__file__).parent
spec = importlib.util.spec_from_file_location("gradients", here / "make-golden-gradients.py")
gradients = importlib.util.module_from_spec(spec)
spec.loader.exec_module(gradients)

ADAPTERS = {
    "llama": dict(r=3, lora_alpha=4, target_modules=["q_proj", "v_proj", "down_proj"]),
    "qwen3": dict(r=4, lora_alpha=6, use_rslora=True, target_modules="all-linear"),
}


def to_bf16(x):
    return x.to(torch.bfloat16).to(torch.float32)


def merge(base, up, down, scale):
    """Rule 16. Products of bf16 are exact in binary32, so a fused multiply-add is one addition, exact in binary64 but
    for a rounding to binary32 (terms of very different size excepted, which these factors do not have)."""
    up, down = up.double().numpy(), down.double().numpy()
    chain = numpy.zeros((up.shape[0], down.shape[1]), numpy.float32)
    for pair in range((up.shape[1] + 1) // 2):
        for k in (2 * pair + 1, 2 * pair):
            if k < up.shape[1]:
                chain = (chain.astype(numpy.float64) + numpy.outer(up[:, k], down[k])).astype(numpy.float32)
    change = chain * numpy.float32(scale)
    merged = torch.from_numpy(base.float().numpy() + change).to(torch.bfloat16)
    return torch.where(torch.from_numpy(change == 0), base, merged)


def make_peft(name, folder):
    torch.manual_seed(7)
    base = transformers.AutoModelForCausalLM.from_pretrained(folder / name, dtype=torch.float32)
    stored = {k: v.clone() for k, v in base.state_dict().items()}
    model = peft.get_peft_model(base, peft.LoraConfig(task_type="CAUSAL_LM", **ADAPTERS[name])).eval()
    for key, value in model.named_parameters():
        if "lora_" in key:
            with torch.no_grad():
                value.copy_(torch.randn_like(value) * (0.3 if "lora_A" in key else 0.1))
    target = folder / "adapters" / name
    shutil.rmtree(target, ignore_errors=True)
    model.save_pretrained(target)  # f32, so that our rounding is tested too
    (target / "README.md").unlink(missing_ok=True)
    factors = {}
    with torch.no_grad():
        for key, value in model.named_parameters():
            if "lora_" in key:
                value.copy_(to_bf16(value))
                factors[key.replace(".default", "")] = value
    tokens = torch.randint(0, base.config.vocab_size, (33,))
    logits = model(tokens[None]).logits[0]
    slopes = torch.randn(len(tokens) - 1) / len(tokens)
    chosen = torch.log_softmax(logits[:-1], -1)[torch.arange(len(tokens) - 1), tokens[1:]]
    (chosen * slopes).sum().backward()
    golden = {"tokens": tokens, "logits": logits.detach().contiguous(), "slopes": slopes}
    config = peft.PeftConfig.from_pretrained(target)
    scale = config.lora_alpha / (config.r**0.5 if config.use_rslora else config.r)
    for key, value in factors.items():
        golden["gradient/" + key] = value.grad
        if "lora_A" in key:
            weight = key.removeprefix("base_model.model.").replace(".lora_A", "")
            golden["merged/" + weight] = merge(
                stored[weight].to(torch.bfloat16), factors[key.replace("lora_A", "lora_B")].detach(), value.detach(), scale)
    save_file({k: v.contiguous() for k, v in golden.items()}, folder / "adapters" / f"{name}.safetensors")


class Adapted(gradients.Model):
    """The emulated model with merged adapters; only the factors learn."""

    def __init__(self, case, generator):
        super().__init__(case, generator)
        self.factors = {}
        for name, value in self.weights.items():
            value.requires_grad_(False)
            if name.split(".")[-2] in case["target_modules"]:
                prefix = "base_model.model." + name.removesuffix(".weight")
                down = torch.randn(case["rank"], value.shape[1], generator=generator) * value.shape[1] ** -0.5
                up = torch.randn(value.shape[0], case["rank"], generator=generator) * 0.2
                self.factors[prefix + ".lora_A.weight"] = down.requires_grad_(True)
                self.factors[prefix + ".lora_B.weight"] = up.requires_grad_(True)

    def w(self, name):
        rounded = super().w(name)
        prefix = "base_model.model." + name.removesuffix(".weight")
        if prefix + ".lora_A.weight" not in self.factors:
            return rounded
        down, up = (gradients.straight_through(self.factors[f"{prefix}.lora_{x}.weight"]) for x in "AB")
        return gradients.straight_through(rounded + (up @ down) * (self.case["alpha"] / self.case["rank"]))


def make_straight(name, folder, lengths, seed, **changes):
    case = {
        "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
        "intermediate_size": 24, "vocab_size": 29, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "qk_norm": True,
        "tie_word_embeddings": True, "temperature": 1.0,
    } | changes
    generator = torch.Generator().manual_seed(seed)
    model = Adapted(case, generator)
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
    tensors |= {"factor/" + n: w.detach() for n, w in model.factors.items()}
    tensors |= {"gradient/" + n: w.grad for n, w in model.factors.items()}
    save_file(tensors, folder / f"straight-{name}.safetensors")
    (folder / f"straight-{name}.json").write_text(json.dumps({"configuration": case, "sequences": sequences}) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    output = Path(sys.argv[1])
    (output / "adapters").mkdir(parents=True, exist_ok=True)
    for name in ADAPTERS:
        make_peft(name, output)
    make_straight("all", output / "adapters", [2, 7, 33], 1, rank=4, alpha=8.0, target_modules=[
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])
    make_straight("some", output / "adapters", [16, 70], 2, rank=3, alpha=4.0, target_modules=["k_proj", "down_proj"],
                  tie_word_embeddings=False, qk_norm=False, temperature=0.8)

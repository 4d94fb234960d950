#!/usr/bin/env python3
"""Opens a LoRA adapter that Apus wrote in PEFT and compares it with the model that Apus merged.

    apus model merge --model BASE --adapter ADAPTER --out MERGED
    python3 scripts/check-adapter.py BASE ADAPTER MERGED

Three comparisons: PEFT's own merge against Apus' tensors (they may differ by one rounding of bf16), the logits of PEFT's
unmerged f32 model against those of the merged model in f32, and that the adapter changes anything at all. Factors are
rounded to bf16 first, as the arithmetic wants them; a published adapter is bf16 already. Needs torch, transformers and
peft. Ends with status 1 if something does not agree.
"""
import argparse
import sys

import peft
import torch
import transformers


def load(path, dtype=torch.float32):
    return transformers.AutoModelForCausalLM.from_pretrained(path, dtype=dtype).eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base")
    parser.add_argument("adapter")
    parser.add_argument("merged")
    arguments = parser.parse_args()
    torch.manual_seed(1)
    merged = load(arguments.merged)
    adapted = peft.PeftModel.from_pretrained(load(arguments.base), arguments.adapter).eval()
    with torch.no_grad():
        for name, value in adapted.named_parameters():
            if "lora_" in name:
                value.copy_(value.to(torch.bfloat16))
    base = load(arguments.base)
    tokens = torch.randint(0, merged.config.vocab_size, (1, min(64, merged.config.max_position_embeddings)))
    with torch.no_grad():
        logits = adapted(tokens).logits
        ours = merged(tokens).logits
        plain = base(tokens).logits
    spread = logits.std().item()
    error = (ours - logits).abs().mean().item() / spread
    effect = (plain - logits).abs().mean().item() / spread
    print(f"logits: {error:.2e} of their spread apart; the adapter moves them by {effect:.2e}")

    own = {name: value.to(torch.bfloat16) for name, value in adapted.merge_and_unload().state_dict().items()}
    before = base.state_dict()
    worst, different, total = 0.0, 0, 0
    for name, value in merged.state_dict().items():
        theirs = own[name].float()
        # Where base and change cancel, what was lost is measured by what was added.
        step = torch.maximum(torch.maximum(value.abs(), theirs.abs()), before[name].abs()).clamp(min=1e-30) * 2**-7
        worst = max(worst, ((value - theirs).abs() / step).max().item())
        different += (value != theirs).sum().item()
        total += value.numel()
    print(f"merged tensors: {different} of {total} elements differ, by at most {worst:.2f} of the last place of bf16")
    if not (error < 0.02 and worst <= 1 and different <= total * 1e-2):
        sys.exit("PEFT and Apus disagree about this adapter")
    if effect == 0:
        print("the adapter changes nothing")


if __name__ == "__main__":
    main()

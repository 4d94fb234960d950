#!/usr/bin/env python3
"""Writes a Hugging Face model directory as people publish them, with random weights.

    scripts/make-real-model.py --shape s --out models/s
    scripts/make-real-model.py --shape q --out models/q
    scripts/make-real-model.py --shape tiny --out Tests/RolesTests/Fixtures/real

s has the architecture of SmolLM2-135M (llama), q of Qwen3-0.6B (qwen3); tiny is a qwen3 of 60 kB for tests. The weights
and the files around them are written by `transformers`; the tokenizer is a byte-level BPE with the family's own
pre-tokenizer, trained by `tokenizers` on this Python's library (tiny: on the text below). The chat template and the list
of stop tokens are of the usual kind. Nothing is downloaded.

Needs: torch, transformers, tokenizers.
"""

import argparse
import json
import pathlib
import sysconfig

import tokenizers
import torch
import transformers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHATML = (
    "{%- for message in messages %}"
    "{%- if loop.first and message.role != 'system' and default_system %}"
    "{{- '<|im_start|>system\\n' + default_system + '<|im_end|>\\n' }}"
    "{%- endif %}"
    "{{- '<|im_start|>' + message.role + '\\n' }}"
    "{%- if message.role == 'assistant' %}"
    "{% generation %}{{- message.content + '<|im_end|>' }}{% endgeneration %}{{- '\\n' }}"
    "{%- else %}{{- message.content + '<|im_end|>\\n' }}{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and not enable_thinking %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"
    "{%- endif %}"
)

TINY_TEXT = [
    "What is the sum of two numbers? The answer is the sum of both, said in one word.",
    "Sort the digits 3 1 4 1 5 9 2 6: they are 1 1 2 3 4 5 6 9 in order.",
    "Schwalben und Segler fliegen über dem Fluss. Les martinets dorment en volant. Стрижи летят высоко.",
    "def answer(question):\n    return 42  # the usual one\n",
    "雨燕は空で眠る。 ¿Qué hora es? 🐦",
] * 4


def library_text():
    """The sources and comments of this Python's library: a few million characters that every machine has."""
    for path in sorted(pathlib.Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        yield path.read_text(encoding="utf-8", errors="replace")


def tokenizer(shape):
    bpe = tokenizers.Tokenizer(models.BPE())
    if shape == "s":
        bpe.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    else:
        bpe.normalizer = normalizers.NFC()
        bpe.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(tokenizers.Regex(QWEN2_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ])
    bpe.decoder = decoders.ByteLevel()
    bpe.post_processor = processors.ByteLevel(trim_offsets=False)
    size = {"tiny": 288, "s": 24_000, "q": 32_000}[shape]
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=[], show_progress=False)
    bpe.train_from_iterator(TINY_TEXT if shape == "tiny" else library_text(), trainer)
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    bpe.add_special_tokens([tokenizers.AddedToken(name, special=True, normalized=False) for name in special])
    bpe.add_tokens([tokenizers.AddedToken(name, special=False, normalized=False) for name in ["<think>", "</think>"]])
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>", model_max_length=4096)
    fast.chat_template = CHATML
    return fast


def model(shape, eos, pad):
    common = dict(tie_word_embeddings=True, eos_token_id=eos[0], pad_token_id=pad, bos_token_id=None)
    if shape == "s":
        config = transformers.LlamaConfig(
            vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
            num_key_value_heads=3, max_position_embeddings=8192, rms_norm_eps=1e-5, rope_theta=100_000.0, **common)
        return transformers.LlamaForCausalLM(config)
    sizes = dict(
        q=dict(vocab_size=151936, hidden_size=1024, intermediate_size=3072, num_hidden_layers=28,
               num_attention_heads=16, num_key_value_heads=8, head_dim=128, max_position_embeddings=40960),
        tiny=dict(vocab_size=304, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                  num_key_value_heads=1, head_dim=16, max_position_embeddings=256),
    )[shape]
    config = transformers.Qwen3Config(rms_norm_eps=1e-6, rope_theta=1_000_000.0, **sizes, **common)
    return transformers.Qwen3ForCausalLM(config)


CHATS = [
    [{"role": "user", "content": "Sort the digits 2 1."}],
    [{"role": "system", "content": "Say <|im_end|> never."}, {"role": "user", "content": "¿Qué? 雨燕 🐦"}],
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c\n"}],
]


def shrink_and_record(directory, fast):
    """Makes the fixture small, and writes beside it what `transformers` makes of a few prompts."""
    path = directory / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()), ensure_ascii=False, separators=(",", ":")))
    (directory / "model.safetensors").chmod(0o644)
    with open(directory.parent / "prompts.jsonl", "w", encoding="utf-8") as file:
        for messages in CHATS:
            ids = fast.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=False)
            file.write(json.dumps({"messages": messages, "ids": ids}, ensure_ascii=False) + "\n")
        for text in ["The answer is 42.", "  x<|im_end|>y\n\n", "été 雨燕 🐦"]:
            file.write(json.dumps({"text": text, "ids": fast(text)["input_ids"]}, ensure_ascii=False) + "\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shape", choices=["tiny", "s", "q"], required=True)
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    torch.manual_seed(options.seed)
    fast = tokenizer(options.shape)
    eos = [fast.convert_tokens_to_ids(name) for name in ["<|im_end|>", "<|endoftext|>"]]
    network = model(options.shape, eos, eos[1]).to(torch.bfloat16)
    network.generation_config = transformers.GenerationConfig(
        eos_token_id=eos, pad_token_id=eos[1], do_sample=True, temperature=0.7, top_p=0.8)
    network.save_pretrained(options.out)
    fast.save_pretrained(options.out)
    if options.shape == "tiny":
        shrink_and_record(pathlib.Path(options.out), fast)
    parameters = sum(p.numel() for p in network.parameters())
    print(f"{options.out}: {network.config.model_type}, {parameters} parameters, {len(fast)} tokens, ends at {eos}")


if __name__ == "__main__":
    main()

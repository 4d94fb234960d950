#!/usr/bin/env python3
"""Golden tokenizers: small ones trained with each family's exact settings, and what the `tokenizers` package makes of text.

    python3 scripts/make-golden-tokenizers.py Tests/TokenizersTests/Fixtures

Writes lines.json (what the lines of text are made of), one <family>.json each, which is a tokenizer.json, and
golden.json: for every family the ids and texts of some examples in full, and hashes of the ids and texts of 20,480 lines
that the Swift test builds again from lines.json. Training breaks ties by chance, so the files of two runs differ: commit
all of one. Needs: tokenizers.
"""
import json
import os
import sys

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LINES, BLOCK, SEED = 20480, 256, 20260
MASK = (1 << 64) - 1
CASED = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

WORDS = """the of and to in is that for it with as was on be at by this have from or had not are but which you one all can
swift apus swarm tokens trainer relay verifier weights gradient reward Hello world don't I'll we've they're it's she'd I'M
Don'T you'LL they'Re 'sample 'tis rock'n'roll naïve café façade über Ärger Straße São coração niño señor Łódź źdźbło jalapeño
œuvre Ångström Ελληνικά αλφάβητο ψυχή Русский текст быстро лететь українська мова עברית שָׁלוֹם العربية السَّلامُ فارسی हिन्दी
नमस्ते क्षत्रिय বাংলা தமிழ் ไทยภาษา ກ ខ្មែរ 한국어 토크나이저 값 日本語 トークナイザ ひらがな 漢字 中文分詞 測試 一二三 ﬁne ﬀ ǅ ⅷ ½ ² ٣٤٥ ४५६ ๗๘
12 345 6789 1234567 3.14159 1,000,000 0x1F 1e-9 2026-11-22 50% $9.99 №5 v1.2.3""".split()
PIECES = [
    " ", "  ", "   ", "\t", "\t\t", "\n", "\n\n", "\r\n", "\r", " \n ", "\n  ", "  \n\n\t", "\u00a0", "\u2003", "\u3000",
    "\u200b", "\u2028", "\u0085", "\u1680", "\u180e", "\u202f", "\ufeff", "\u000b", "\u000c", "\u001c", "\u0000",
    "\u0001", "\u0007", "\u001b[31m", "\u007f", "\u00ad", "\u200d", "\u2060", "\ufffd", "\u0378", "\ue000", "\U000e0001",
    "def f(x):\n    return x ** 2\n", "if (a && b) { c[i] += 1; }", "let x: [Int] = []", "// comment", "#include <stdio.h>",
    "<html>&amp;</html>", "SELECT * FROM t WHERE a='b';", '{"key": [1, 2.5, null]}', "a_b-c/d\\e", "user@example.com",
    "https://example.com/a?b=c&d=%20", "!!!", "...", "?!", "—", "“quoted”", "«»", "…", "==>", "<=>", "***", "___", "\\n",
    "😀", "👩‍👩‍👧‍👦", "👍🏽", "🇩🇪🇫🇷", "1️⃣", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🧑🏿‍🚀", "☃", "♞", "𝔘𝔫𝔦", "𝟙𝟚", "𐍈", "𓀀", "𠀀𪚥",
    "e\u0301", "a\u0308\u0323", "a\u0323\u0308", "o\u0302\u0301", "\u1e9b\u0323", "q\u0307\u0323", "A\u030a", "\u212b",
    "\u1100\u1161\u11a8", "\uac00\u11a8", "\u0915\u093c", "\u09c7\u09be", "\u0344", "\u0958", "\ufb2c", "\u2126", "\uf900",
    "\u0301", "\u0323\u0301\u0308", "i\u0307", "\u0130\u0131", "\u017f", "'\u017f", "'S", "'lL", "\u2581", "\u2581\u2581",
    "a\u2581b", "\u2581 \u2581", "<0x0A>", "<unk>", "<s>", "</s>", "<|endoftext|>", "<|im_start|>user\n", "<|im_end|>",
    "<|begin_of_text|>", "<|eot_id|>", "<|eot_id", "<tool_call>", "</tool_call>", "[MASK]", "[MASK]\n", " [MASK] ", "[W]",
    "x[W]", "[W]é", "cafe\u0301[N]", "[N\u00c5]", "[NA\u030a]", "[L] ", " [L]", "  [L]", "[R] ", "[R]  ", "[RL] [RL]",
]
RANGES = [
    [0x20, 0x7F], [0x20, 0x7F], [0x20, 0x7F], [0x00, 0x20], [0x80, 0x250], [0x2B0, 0x400], [0x400, 0x600], [0x600, 0xE00],
    [0xE00, 0x1200], [0x1E00, 0x2000], [0x2000, 0x2C00], [0x3000, 0x3200], [0x4E00, 0x9FFF], [0xAC00, 0xD7A4],
    [0xE000, 0x10000], [0x10000, 0x20000], [0x1D100, 0x1D800], [0x1F300, 0x1FB00], [0x20000, 0x34000], [0, 0xD800],
]


class SplitMix64:
    def __init__(self, seed):
        self.state = seed & MASK

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, bound):
        return self.next() % bound


def line(fragments, index):
    rng = SplitMix64(SEED + index)
    text = ""
    for _ in range(1 + rng.below(12)):
        kind = rng.below(8)
        if kind < 4:
            text += fragments[rng.below(len(fragments))]
        elif kind < 7:
            text += " " + fragments[rng.below(len(fragments))]
        else:
            low, high = RANGES[rng.below(len(RANGES))]
            text += chr(low + rng.below(high - low))
    return text


class Hash:
    """FNV-1a over 64 bits."""

    def __init__(self):
        self.value = 0xCBF29CE484222325

    def add(self, data):
        value = self.value
        for byte in data:
            value = ((value ^ byte) * 0x100000001B3) & MASK
        self.value = value

    def ids(self, ids):
        for each in ids:
            self.add(each.to_bytes(4, "little"))
        self.add(b"\xff\xff\xff\xff")

    def text(self, text):
        self.add(text.encode())
        self.add(b"\xff")

    def __str__(self):
        return f"{self.value:016x}"


def special(content, **flags):
    return AddedToken(content, special=True, normalized=False, **flags)


def train(pre_tokenizer, corpus, size, normalizer=None, byte_level=True, specials=()):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(specials), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if byte_level else [], limit_alphabet=400))
    return json.loads(tokenizer.to_str())["model"]


def strings(model):
    """Merges as files before 2024 write them."""
    model["merges"] = [" ".join(pair) for pair in model["merges"]]
    return model


def byte_level(corpus, splitter, normalizer=None, *, uses_regex=False, add_prefix_space=False, specials=(), size=700):
    level = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=uses_regex)
    pre = pre_tokenizers.Sequence([splitter, level]) if splitter else level
    return train(pre, corpus, size, normalizer, specials=specials), pre


def assemble(model, normalizer, pre, post, decoder, added):
    tokenizer = Tokenizer(models.BPE())
    parts = json.loads(tokenizer.to_str())
    parts["model"] = model
    tokenizer = Tokenizer.from_str(json.dumps(parts))
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre:
        tokenizer.pre_tokenizer = pre
    if post:
        tokenizer.post_processor = post
    if decoder:
        tokenizer.decoder = decoder
    for token in added:
        tokenizer.add_tokens([token])
    parts = json.loads(tokenizer.to_str())
    parts["model"] = model
    return parts


def sentence_piece(corpus, *, fuse=True, fallback=True, size=700):
    """A vocabulary as SentencePiece writes them: unknown, begin, end, bytes, then merges and characters."""
    raw = train(pre_tokenizers.Metaspace(prepend_scheme="always", split=True), corpus, size, byte_level=False)
    names = ["<unk>", "<s>", "</s>"] + ([f"<0x{b:02X}>" for b in range(256)] if fallback else [])
    known = sorted(raw["vocab"], key=raw["vocab"].get)
    if "▁" not in known:
        known.append("▁")
    raw["vocab"] = {name: index for index, name in enumerate(names + [n for n in known if n not in names])}
    raw.update(unk_token="<unk>", fuse_unk=fuse, byte_fallback=fallback)
    return raw


def families(corpus):
    level_decoder = decoders.ByteLevel(add_prefix_space=True, trim_offsets=True, use_regex=True)
    level_post = processors.ByteLevel(trim_offsets=False)
    piece_decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    piece_post = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    piece_added = [special("<unk>"), special("<s>"), special("</s>")]

    model, pre = byte_level(corpus, None, uses_regex=True, specials=["<|endoftext|>"])
    yield "gpt2", assemble(strings(model), None, pre, level_post, level_decoder, [
        AddedToken("<|endoftext|>", special=True, normalized=True)])

    split = pre_tokenizers.Split(Regex(CASED % r"\p{N}{1,3}"), "isolated", invert=False)
    model, pre = byte_level(corpus, split)
    model["ignore_merges"] = True
    # Tokens that no merges lead to, which Llama 3 has too: only ignoring merges finds them.
    for word in ("Ġjalape\u00c3\u00b1o", "Ġgradient", "Ġverifier", "Ġweights", "transformer"):
        model["vocab"].setdefault(word, len(model["vocab"]))
    first = len(model["vocab"])
    post = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(
        single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
        special_tokens=[("<|begin_of_text|>", first)])])
    yield "llama3", assemble(model, None, pre, post, level_decoder, [
        special("<|begin_of_text|>"), special("<|end_of_text|>"), special("<|eot_id|>")])

    split = pre_tokenizers.Split(Regex(CASED % r"\p{N}"), "isolated", invert=False)
    model, pre = byte_level(corpus, split, normalizers.NFC())
    yield "qwen2", assemble(strings(model), normalizers.NFC(), pre, processors.ByteLevel(trim_offsets=False), decoders.ByteLevel(), [
        special("<|endoftext|>"), special("<|im_start|>"), special("<|im_end|>"),
        AddedToken("<tool_call>", normalized=False), AddedToken("</tool_call>", normalized=False)])

    model, pre = byte_level(
        corpus, pre_tokenizers.Digits(individual_digits=True), uses_regex=True,
        specials=["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    yield "smollm2", assemble(model, None, pre, None, level_decoder, [
        special("<|endoftext|>"), special("<|im_start|>"), special("<|im_end|>")])

    yield "llama2", assemble(
        strings(sentence_piece(corpus)),
        normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None, piece_post,
        piece_decoder, piece_added)

    yield "mistral", assemble(
        sentence_piece(corpus), None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), piece_post,
        piece_decoder, piece_added)

    # What no published file has together: every flag of added tokens, unknown tokens, the Metaspace decoder.
    model = sentence_piece(corpus, fuse=False, fallback=False, size=600)
    yield "odd-pieces", assemble(
        model, normalizers.NFC(), pre_tokenizers.Metaspace(prepend_scheme="always", split=True), piece_post,
        decoders.Metaspace(prepend_scheme="always"), piece_added + [
            AddedToken("[MASK]", lstrip=True, rstrip=True, special=True, normalized=False),
            AddedToken("[W]", single_word=True, normalized=False),
            AddedToken("[NA\u030a]", normalized=True), AddedToken("[N]", normalized=True, special=True),
            AddedToken("[L]", lstrip=True, normalized=False), AddedToken("[R]", rstrip=True, normalized=True),
            AddedToken("[RL]", rstrip=True, lstrip=True, single_word=True)])

    split = pre_tokenizers.Sequence([
        pre_tokenizers.Split("'", "merged_with_next"), pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.Split(" ", "merged_with_previous")])
    model, pre = byte_level(corpus, split, add_prefix_space=True, size=500)
    yield "odd-bytes", assemble(
        model, normalizers.Sequence([normalizers.Replace("\t", "    "), normalizers.NFC()]), pre, None, None, [
            special("<|endoftext|>"), AddedToken("café", normalized=True), AddedToken(" [W]", normalized=True),
            AddedToken("[MASK]", single_word=True, rstrip=True)])


def examples(fragments):
    yield from [
        "", " ", "Hello world", " Hello  world ", "don't DON'T I'll WE'VE 'sample", "12345 3.14", "a\r\n\r\n  b\n \n",
        "café cafe\u0301", "\u1100\u1161\u11a8", "日本語のテキスト", "👩‍👩‍👧‍👦👍🏽", "<s>Hello</s> <s> ▁x", "x<|endoftext|>y",
        "<|im_start|>user\nHi<|im_end|>\n", " tokens tokens", "\u0000\u0001\u007f", "a\u2003\u00a0b", "  [MASK]  x[W] [W] ",
        "[RL] [RL]", "if x:\n        return  0\n\n\n", "'\u017ft", "1٣٤½²ⅷ", "\ufffd", "<0x0A>", "▁▁ ▁a▁",
    ]
    for index in range(12):
        yield line(fragments, index)


def golden(tokenizer, fragments, lines):
    result = {"examples": [], "ids": [], "plain": [], "texts": [], "random": []}
    for text in examples(fragments):
        tokenizer.encode_special_tokens = True
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = False
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        result["examples"].append({
            "text": text, "ids": ids, "plain": plain, "special": tokenizer.encode(text).ids,
            "decoded": tokenizer.decode(ids, skip_special_tokens=False),
            "skipped": tokenizer.decode(ids, skip_special_tokens=True)})
    for start in range(0, len(lines), BLOCK):
        block = lines[start : start + BLOCK]
        ids, plain, texts = Hash(), Hash(), Hash()
        for encoding in tokenizer.encode_batch(block, add_special_tokens=False):
            ids.ids(encoding.ids)
            texts.text(tokenizer.decode(encoding.ids, skip_special_tokens=False))
            texts.text(tokenizer.decode(encoding.ids, skip_special_tokens=True))
        tokenizer.encode_special_tokens = True
        for encoding in tokenizer.encode_batch(block, add_special_tokens=False):
            plain.ids(encoding.ids)
        tokenizer.encode_special_tokens = False
        result["ids"].append(str(ids))
        result["plain"].append(str(plain))
        result["texts"].append(str(texts))
    # Ids that no text would give: broken characters, ids without a token, special ones anywhere.
    bound = max(tokenizer.get_vocab().values()) + 3
    for start in range(8):
        hashed = Hash()
        for index in range(BLOCK):
            rng = SplitMix64(SEED * 7 + start * BLOCK + index)
            ids = [rng.below(bound) for _ in range(1 + rng.below(24))]
            hashed.text(tokenizer.decode(ids, skip_special_tokens=False))
            hashed.text(tokenizer.decode(ids, skip_special_tokens=True))
        result["random"].append(str(hashed))
    return result


def normalization():
    """Hashes of NFC over every scalar, and over sequences of those that compose."""
    nfc = normalizers.NFC()
    scalars = Hash()
    for c in range(0x110000):
        if not 0xD800 <= c < 0xE000 and nfc.normalize_str(chr(c)) != chr(c):
            scalars.text(chr(c) + nfc.normalize_str(chr(c)))
    ranges = [
        [0x300, 0x370], [0x300, 0x370], [0x316, 0x346], [0x41, 0x7B], [0xC0, 0x180], [0x1100, 0x1200], [0xAC00, 0xAD00],
        [0x900, 0xE00], [0x1E00, 0x2000], [0x3040, 0x3100], [0x591, 0x5F5], [0x610, 0x6EE], [0x1D15E, 0x1D1AE],
        [0x11000, 0x11A00], [0xF900, 0xFB4F], [0x1AB0, 0x1B45], [0x20D0, 0x2130], [0xFE20, 0xFE30], [0x1000, 0x10A0],
    ]
    sequences = []
    for start in range(32):
        hashed = Hash()
        for index in range(1024):
            rng = SplitMix64(SEED * 3 + start * 1024 + index)
            text = ""
            for _ in range(1 + rng.below(8)):
                low, high = ranges[rng.below(len(ranges))]
                text += chr(low + rng.below(high - low))
            hashed.text(nfc.normalize_str(text))
        sequences.append(str(hashed))
    return {"scalars": str(scalars), "ranges": ranges, "sequences": sequences}


def classes(tokenizer):
    """Hashes of ids of texts in which every scalar stands beside letters, digits, signs and spaces."""
    result = []
    for start in range(0, 0x20000, 0x800):
        if 0xD800 <= start < 0xE000:
            continue
        hashed = Hash()
        texts = ["".join(f"{chr(c)}a{chr(c)}1{chr(c)} {chr(c)}'{chr(c)}.\n" for c in range(s, s + 64))
                 for s in range(start, start + 0x800, 64)]
        for encoding in tokenizer.encode_batch(texts, add_special_tokens=False):
            hashed.ids(encoding.ids)
        result.append(str(hashed))
    return result


def main():
    out = sys.argv[1]
    fragments = WORDS + PIECES
    lines = [line(fragments, index) for index in range(LINES)]
    with open(os.path.join(out, "lines.json"), "w") as file:
        json.dump({"seed": SEED, "count": LINES, "block": BLOCK, "fragments": fragments, "ranges": RANGES}, file,
                  separators=(",", ":"))
    result = {"tokenizers": tokenizers.__version__, "normalization": normalization(), "families": {}}
    corpus = [text for text in lines[:6000] if "<" not in text and "[" not in text]
    corpus += ["the cat sat on the mat and the tokens of the swarm were trained by the trainer with the weights"] * 200
    for name, parts in families(corpus):
        text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
        with open(os.path.join(out, f"{name}.json"), "w") as file:
            file.write(text)
        tokenizer = Tokenizer.from_str(text)
        print(name, len(text), tokenizer.get_vocab_size())
        result["families"][name] = golden(tokenizer, fragments, lines)
        if name in ("gpt2", "llama3", "qwen2", "smollm2"):
            result["families"][name]["classes"] = classes(tokenizer)
    with open(os.path.join(out, "golden.json"), "w") as file:
        json.dump(result, file, separators=(",", ":"))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes Sources/Tokenizers/Generated: what the `tokenizers` package calls a letter, a number, white space and NFC.

    python3 scripts/make-unicode-tables.py

Four Unicode versions meet in that package (Oniguruma's for the patterns, the Rust standard library's for digits, the
`regex` crate's for added tokens, `unicode-normalization-alignments`' for NFC), so the tables are not taken from any
Unicode file: every scalar is put to the package itself, and what it answers is what is written.
Needs: tokenizers (the version is written into the files).
"""
import os
import unicodedata

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

OUT = os.path.join(os.path.dirname(__file__), "..", "Sources", "Tokenizers", "Generated")
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
BLOCK = 4096
LETTER, NUMBER, SPACE, NUMERIC, WORD, STABLE = 1, 2, 4, 8, 16, 32


def blocks():
    for start in range(0, len(SCALARS), BLOCK):
        yield SCALARS[start : start + BLOCK]


def matching(pattern):
    """The scalars that a class of the pattern language holds."""
    split = pre_tokenizers.Split(Regex(pattern), "removed")
    found = set()
    for block in blocks():
        kept = set("".join(text for text, _ in split.pre_tokenize_str("".join(map(chr, block)))))
        found |= {c for c in block if chr(c) not in kept}
    return found


def numeric():
    """The scalars that the Digits pre-tokenizer isolates."""
    digits = pre_tokenizers.Digits(individual_digits=True)
    found = set()
    for block in blocks():
        text = "".join("a" + chr(c) + "a" for c in block)
        found |= {ord(piece) for piece, _ in digits.pre_tokenize_str(text) if len(piece) == 1 and piece != "a"}
    return found


def word():
    """The scalars beside which a single-word added token is not found."""
    tokenizer = Tokenizer(models.BPE({"x": 0}, []))
    tokenizer.add_tokens([AddedToken("#", single_word=True, normalized=False)])
    found = set()
    for block in blocks():
        text = "".join(" " + chr(c) + "#" for c in block)
        taken = {start for (start, _) in tokenizer.encode(text).offsets}
        found |= {c for k, c in enumerate(block) if 3 * k + 2 not in taken and c not in (0x23, 0x78)}
    return found | {0x78}


def combining_classes(decomposes):
    """The canonical combining class of every scalar, by the order that NFD puts it in among known marks."""
    nfd = normalizers.NFD()
    candidates = [c for c in SCALARS if c not in decomposes and not 0xAC00 <= c <= 0xD7A3]

    def swapped(first, second, some):
        """Those of `some` that NFD reorders, where `first` and `second` make the pair from a scalar."""
        text = "".join("a" + chr(first(c)) + chr(second(c)) for c in some)
        result = nfd.normalize_str(text)
        assert len(result) == len(text)
        return {c for k, c in enumerate(some) if result[3 * k + 1] != chr(first(c))}

    lowest, highest = 0x334, 0x345
    marks = set()
    for start in range(0, len(candidates), BLOCK):
        some = candidates[start : start + BLOCK]
        marks |= swapped(lambda c: c, lambda c: lowest, some) | swapped(lambda c: highest, lambda c: c, some)
    marks = sorted(marks)
    known = {}
    for c in marks:
        known.setdefault(unicodedata.combining(chr(c)), c)
    assert known[1] == lowest and known[240] == highest
    result = {}
    for value, mark in known.items():
        above = swapped(lambda c: c, lambda c: mark, marks)
        below = swapped(lambda c: mark, lambda c: c, marks)
        for c in marks:
            if c not in above and c not in below:
                assert c not in result, hex(c)
                result[c] = value
    assert set(result) == set(marks)
    return result


def compositions():
    """Canonical decompositions in one step: scalar -> (first, second or 0, whether NFC composes it again)."""
    nfc, nfd = normalizers.NFC(), normalizers.NFD()
    result, whole = {}, {}
    for c in SCALARS:
        whole.setdefault(nfd.normalize_str(chr(c)), c)
    for c in SCALARS:
        if 0xAC00 <= c <= 0xD7A3:
            continue
        full = nfd.normalize_str(chr(c))
        if full == chr(c):
            assert nfc.normalize_str(chr(c)) == chr(c), hex(c)
            continue
        composed = nfc.normalize_str(chr(c))
        if composed == chr(c):
            first, second = nfc.normalize_str(full[:-1]), full[-1]
            assert len(first) == 1 and nfc.normalize_str(first + second) == chr(c), hex(c)
            result[c] = (ord(first), ord(second), True)
        elif len(full) == 1:
            result[c] = (ord(full), 0, False)
        else:
            # An excluded composite: any pair with the same full decomposition serves.
            result[c] = (whole[full[:-1]], ord(full[-1]), False)
    return result


def wrap(words, width=112):
    lines, line = [], ""
    for each in words:
        if line and len(line) + 1 + len(each) > width:
            lines.append(line)
            line = each
        else:
            line = each if not line else line + " " + each
    return "\n".join("        " + text for text in lines + [line])


def write(name, summary, members):
    body = f'''// Generated by scripts/make-unicode-tables.py from tokenizers {tokenizers.__version__}. Do not edit.

/// {summary}
enum {name} {{
'''
    parts = []
    for member, comment, words in members:
        parts.append(f'    /// {comment}\n    static let {member}: StaticString = """\n{wrap(words)}\n        """\n')
    with open(os.path.join(OUT, name + ".swift"), "w") as file:
        file.write(body + "\n".join(parts) + "}\n")


def ranges(flags):
    """Hexadecimal pairs: the distance from the last range's first scalar, and the value from there on."""
    words, last, value = [], 0, 0
    for c in range(0x110000):
        now = flags.get(c, 0)
        if now != value:
            words += [f"{c - last:x}", f"{now:x}"]
            last, value = c, now
    return words


def main():
    os.makedirs(OUT, exist_ok=True)
    pairs = compositions()
    order = combining_classes(pairs)
    seconds = {second for _, second, composes in pairs.values() if composes and second}
    seconds |= set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))

    flags = {c: STABLE for c in SCALARS}
    for c in set(order) | seconds | {c for c, (_, _, composes) in pairs.items() if not composes}:
        flags[c] = 0
    for bit, members in (
        (LETTER, matching(r"\p{L}")), (NUMBER, matching(r"\p{N}")), (SPACE, matching(r"\s")),
        (NUMERIC, numeric()), (WORD, word()),
    ):
        print(f"flag {bit}: {len(members)} scalars")
        for c in members:
            flags[c] |= bit
    write("CharacterClassTable", "The flags of every Unicode scalar, as ranges.", [
        ("ranges", "Pairs of a distance and the flags from there on.", ranges(flags)),
    ])
    words = []
    last = 0
    for c in sorted(pairs):
        first, second, composes = pairs[c]
        words += [f"{c - last:x}", f"{first:x}", f"{second:x}" + ("" if composes else "!")]
        last = c
    write("CompositionTable", "Canonical decompositions and combining classes.", [
        ("pairs", "Distance, first and second scalar (0: none) of each composite; `!` marks what NFC never composes.",
         words),
        ("combiningClasses", "Pairs of a distance and the combining class from there on.", ranges(order)),
    ])
    print(f"{len(pairs)} decompositions, {len(order)} marks")


if __name__ == "__main__":
    main()

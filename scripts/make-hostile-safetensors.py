#!/usr/bin/env python3
"""Writes the fixtures of Tests/SafetensorsTests: safetensors files and indexes that break one rule each, and valid oddities.

    python scripts/make-hostile-safetensors.py

A hostile file lies in a folder named after the rule that must refuse it (SafetensorsError.Rule). Nothing beyond the Python
standard library is needed; the files are the same bytes every time.
"""
import json
import pathlib
import shutil
import struct

ROOT = pathlib.Path(__file__).resolve().parent.parent / "Tests/SafetensorsTests/Fixtures"


def file(header, data=0, length=None):
    """A file of a header (text, bytes or a dictionary), a data section, and an optional false header length."""
    if isinstance(header, dict):
        header = json.dumps(header, separators=(",", ":"))
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + bytes([7]) * data


def tensor(shape, begin, end, dtype="U8"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def one(text, data=0):
    """A file whose only tensor is `a` with the entry `text`."""
    return file('{"a":{%s}}' % text, data)


U8 = '"dtype":"U8"'
HOSTILE = {
    "fileTooShort": {"empty": b"", "seven-bytes": bytes(7)},
    "headerTooLarge": {
        "one-byte-over-the-limit": file("{}", length=100_000_001),
        "two-gigabytes": file("{}", length=1 << 31),
        "length-with-the-top-bit": file("{}", length=1 << 63),
        "length-of-all-ones": file("{}", length=(1 << 64) - 1),
        "length-that-wraps-with-the-prefix": file("{}", length=(1 << 64) - 8),
    },
    "headerBeyondFile": {
        "one-byte-beyond": file("{}", length=3),
        "largest-allowed-length": file("{}", length=100_000_000),
        "no-header-at-all": struct.pack("<Q", 2),
    },
    "malformedHeader": {
        "length-zero": file(""),
        "array": file("[]"),
        "number": file("1"),
        "unfinished": file('{"a":'),
        "text-after-the-object": file("{} {}"),
        "null-bytes-after-the-object": file(b"{}\0\0"),
        "byte-order-mark": file(b"\xef\xbb\xbf{}"),
        "two-commas": file('{"__metadata__":{},,}'),
        "trailing-comma": file('{"__metadata__":{},}'),
        "comment": file("{/**/}"),
        "single-quotes": file("{'__metadata__':{}}"),
        "name-not-utf8": file(b'{"\xc3\x28":{}}'),
        "name-of-overlong-utf8": file(b'{"\xc0\xaf":{}}'),
        "name-of-a-surrogate-in-utf8": file(b'{"\xed\xa0\x80":{}}'),
        "newline-in-a-name": file('{"a\nb":{}}'),
        "unknown-escape": file('{"a\\x":{}}'),
        "half-a-surrogate": file('{"\\ud800":{}}'),
        "surrogate-and-letter": file('{"\\ud800\\u0041":{}}'),
        "nested-600-deep": file('{"a":' * 600),
        "name-of-5000-bytes": file('{"%s":{%s,"shape":[1],"data_offsets":[0,1]}}' % ("n" * 5000, U8), 1),
        "metadata-number": file('{"__metadata__":{"a":1}}'),
        "metadata-nested": file('{"__metadata__":{"a":{}}}'),
        "metadata-null": file('{"__metadata__":null}'),
        "metadata-list": file('{"__metadata__":[]}'),
        "entry-empty": one(""),
        "entry-null": file('{"a":null}'),
        "entry-as-a-list": file('{"a":["U8",[1],[0,1]]}', 1),
        "entry-with-another-key": one(U8 + ',"shape":[1],"data_offsets":[0,1],"strides":[1]', 1),
        "dtype-missing": one('"shape":[1],"data_offsets":[0,1]', 1),
        "dtype-number": one('"dtype":1,"shape":[1],"data_offsets":[0,1]', 1),
        "shape-missing": one(U8 + ',"data_offsets":[0,1]', 1),
        "shape-number": one(U8 + ',"shape":1,"data_offsets":[0,1]', 1),
        "shape-nested": one(U8 + ',"shape":[[1]],"data_offsets":[0,1]', 1),
        "offsets-missing": one(U8 + ',"shape":[1]', 1),
        "offsets-under-the-old-name": one(U8 + ',"shape":[1],"offsets":[0,1]', 1),
        "offsets-three": one(U8 + ',"shape":[1],"data_offsets":[0,1,2]', 1),
        "dimension-negative": one(U8 + ',"shape":[-1],"data_offsets":[0,1]', 1),
        "dimension-minus-zero": one(U8 + ',"shape":[-0],"data_offsets":[0,0]'),
        "dimension-fraction": one(U8 + ',"shape":[1.0],"data_offsets":[0,1]', 1),
        "dimension-exponent": one(U8 + ',"shape":[1e0],"data_offsets":[0,1]', 1),
        "dimension-leading-zero": one(U8 + ',"shape":[01],"data_offsets":[0,1]', 1),
        "dimension-hexadecimal": one(U8 + ',"shape":[0x1],"data_offsets":[0,1]', 1),
        "dimension-text": one(U8 + ',"shape":["1"],"data_offsets":[0,1]', 1),
        "dimension-true": one(U8 + ',"shape":[true],"data_offsets":[0,1]', 1),
        "dimension-of-2-to-63": one(U8 + ',"shape":[9223372036854775808],"data_offsets":[0,1]', 1),
        "dimensions-65": one(U8 + ',"shape":[%s],"data_offsets":[0,1]' % ",".join(["1"] * 65), 1),
        "offset-negative": one(U8 + ',"shape":[1],"data_offsets":[-1,0]', 1),
        "offset-of-2-to-64": one(U8 + ',"shape":[1],"data_offsets":[0,18446744073709551616]', 1),
    },
    "duplicateKey": {
        "tensor": file('{"a":{%s,"shape":[1],"data_offsets":[0,1]},"a":{%s,"shape":[1],"data_offsets":[1,2]}}' % (U8, U8), 2),
        "tensor-by-an-escape": file(
            '{"a":{%s,"shape":[1],"data_offsets":[0,1]},"\\u0061":{%s,"shape":[1],"data_offsets":[1,2]}}' % (U8, U8), 2
        ),
        "metadata": file('{"__metadata__":{},"__metadata__":{}}'),
        "metadata-entry": file('{"__metadata__":{"a":"1","a":"2"}}'),
        "dtype": one(U8 + ',"dtype":"U8","shape":[1],"data_offsets":[0,1]', 1),
        "shape": one(U8 + ',"shape":[1],"shape":[1],"data_offsets":[0,1]', 1),
        "offsets": one(U8 + ',"shape":[1],"data_offsets":[0,1],"data_offsets":[0,1]', 1),
    },
    "unknownType": {
        "F7": file({"a": tensor([1], 0, 1, "F7")}, 1),
        "lower-case": file({"a": tensor([1], 0, 1, "u8")}, 1),
        "empty": file({"a": tensor([1], 0, 1, "")}, 1),
        "torch-name": file({"a": tensor([1], 0, 2, "bfloat16")}, 2),
    },
    "badShape": {
        "product-overflows": file({"a": tensor([1 << 32, 1 << 32], 0, 0)}),
        "product-wraps-to-the-size": file({"a": tensor([(1 << 32) + 1, (1 << 32) + 1], 0, 1)}, 1),
        "bytes-overflow": file({"a": tensor([1 << 61], 0, 0, "F64")}),
        "overflow-hidden-by-a-zero": file({"a": tensor([1 << 32, 1 << 32, 0], 0, 0)}),
        "half-a-byte": file({"a": tensor([3], 0, 1, "F4")}, 1),
        "six-bits": file({"a": tensor([1], 0, 1, "F6_E2M3")}, 1),
    },
    "badOffsets": {
        "none": file({"a": {"dtype": "U8", "shape": [0], "data_offsets": []}}),
        "one": file({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0]}}, 1),
        "reversed": file({"a": tensor([1], 1, 0)}, 1),
    },
    "sizeMismatch": {
        "below-the-shape": file({"a": tensor([2], 0, 1)}, 1),
        "above-the-shape": file({"a": tensor([1], 0, 2)}, 2),
        "elements-counted-as-bytes": file({"a": tensor([2], 0, 2, "F32")}, 2),
        "scalar-without-bytes": file({"a": tensor([], 0, 0)}),
        "zero-size-with-bytes": file({"a": tensor([0], 0, 1)}, 1),
        "end-at-the-largest-number": file({"a": tensor([1], 0, (1 << 63) - 1)}, 1),
    },
    "gapOrOverlap": {
        "first-tensor-not-at-zero": file({"a": tensor([1], 1, 2)}, 2),
        "gap": file({"a": tensor([1], 0, 1), "b": tensor([1], 2, 3)}, 3),
        "overlap": file({"a": tensor([2], 0, 2), "b": tensor([2], 1, 3)}, 3),
        "same-bytes": file({"a": tensor([2], 0, 2), "b": tensor([2], 0, 2)}, 2),
        "inside-another": file({"a": tensor([4], 0, 4), "b": tensor([1], 1, 2)}, 4),
        "zero-size-behind-the-end": file({"a": tensor([1], 0, 1), "b": tensor([0], 2, 2)}, 1),
        "zero-size-inside-another": file({"a": tensor([2], 0, 2), "b": tensor([0], 1, 1)}, 2),
    },
    "wrongFileEnd": {
        "bytes-after-the-last-tensor": file({"a": tensor([1], 0, 1)}, 2),
        "file-cut-in-a-tensor": file({"a": tensor([3], 0, 3)}, 2),
        "file-cut-before-the-data": file({"a": tensor([3], 0, 3)}),
        "data-without-tensors": file("{}", 1),
    },
}

TYPES = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip


def every_type():
    header, end = {}, 0
    for name, bits in TYPES.items():
        header[name] = tensor([2, 4], end, end + bits, name)
        end += bits
    return file(header, end)


VALID = {
    "no-tensors": file("{}"),
    "metadata-only": file({"__metadata__": {"format": "pt", "": ""}}),
    "metadata-last": file('{"a":{%s,"shape":[1],"data_offsets":[0,1]},"__metadata__":{"format":"pt"}}' % U8, 1),
    "metadata-with-escapes": file(r'{"__metadata__":{"\u00e9\ud83d\ude00":"\"\\\/\b\f\n\r\t"}}'),
    "scalar": file({"a": tensor([], 0, 2, "BF16")}, 2),
    "zero-size": file({"a": tensor([0], 0, 0), "b": tensor([4, 0, 2], 0, 0, "F32"), "c": tensor([1], 0, 1)}, 1),
    "zero-size-at-the-end": file({"a": tensor([1], 0, 1), "b": tensor([0], 1, 1)}, 1),
    "unordered-header": file({"c": tensor([1], 3, 4), "a": tensor([2], 1, 3), "b": tensor([1], 0, 1)}, 4),
    "keys-in-any-order": one('"data_offsets":[0,1],"shape":[1],"dtype":"U8"', 1),
    "white-space": file(' \t\r\n{ "a" : { "dtype" : "U8" , "shape" : [ 1 ] , "data_offsets" : [ 0 , 1 ] } } \n\n', 1),
    "unaligned": file('{"a":{%s,"shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}' % U8, 5),
    "name-with-slash-and-dots": file({"../a": tensor([1], 0, 1)}, 1),
    "name-empty": file({"": tensor([1], 0, 1)}, 1),
    "rank-64": file({"a": tensor([1] * 64, 0, 1)}, 1),
    "every-type": every_type(),
}

ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
PARTS = {ONE: file({"one": tensor([1], 0, 1)}, 1), TWO: file({"two": tensor([2], 0, 2)}, 2)}


def index(weight_map):
    return json.dumps({"metadata": {"total_size": 3}, "weight_map": weight_map})


HOSTILE_INDEXES = {
    "not-json": "{",
    "array": "[]",
    "no-map": "{}",
    "empty-map": '{"weight_map":{}}',
    "map-of-numbers": '{"weight_map":{"one":1}}',
    "duplicate-name": '{"weight_map":{"one":"%s","two":"%s","two":"%s"}}' % (ONE, TWO, TWO),
    "path-upwards": index({"one": "../" + ONE, "two": TWO}),
    "path-absolute": index({"one": "/etc/passwd.safetensors", "two": TWO}),
    "path-with-backslash": index({"one": "x\\" + ONE, "two": TWO}),
    "hidden-file": index({"one": "." + ONE, "two": TWO}),
    "null-byte": index({"one": ONE + "\0.safetensors", "two": TWO}),
    "pickle": index({"one": "pytorch_model.bin", "two": TWO}),
    "missing-part": index({"one": "model-00009-of-00002.safetensors", "two": TWO}),
    "wrong-part": index({"one": TWO, "two": TWO}),
    "unknown-tensor": index({"one": ONE, "two": TWO, "three": TWO}),
    "tensor-left-out": index({"one": ONE, "two": TWO}),
}


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    for rule, files in HOSTILE.items():
        for name, data in files.items():
            path = ROOT / "hostile" / rule / f"{name}.safetensors"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    (ROOT / "valid").mkdir()
    for name, data in VALID.items():
        (ROOT / "valid" / f"{name}.safetensors").write_bytes(data)
    for name, text in HOSTILE_INDEXES.items():
        folder = ROOT / "hostile-index" / name
        folder.mkdir(parents=True)
        for part, data in PARTS.items():
            (folder / part).write_bytes(data)
        (folder / "model.safetensors.index.json").write_text(text)
    extra = file({"two": tensor([2], 0, 2), "three": tensor([0], 2, 2)}, 2)
    (ROOT / "hostile-index/tensor-left-out" / TWO).write_bytes(extra)
    print(sum(map(len, HOSTILE.values())), "hostile files,", len(VALID), "valid ones,", len(HOSTILE_INDEXES), "indexes")


if __name__ == "__main__":
    main()

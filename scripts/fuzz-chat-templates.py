#!/usr/bin/env python3
"""Compares the template interpreter with Jinja on random templates.

    scripts/fuzz-chat-templates.py --seconds 60 --seed 1 [--runner COMMAND] [--keep FILE]

Each round writes templates from a grammar, renders them as transformers does, and has ours render them. Both must give
the same text or both an error; what ours names "unsupported" or "limit" is counted apart. A runner reads one case a
line ({"template", "chat"}) and writes one result a line ({"text"} or {"error", "kind"}); without one, `swift test` runs
the suite's own hook (APUS_TEMPLATE_CASES, APUS_TEMPLATE_RESULTS). --keep appends the cases that differ.
Needs transformers and jinja2.
"""

import argparse
import collections
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time

from chat_template_reference import render

VARIABLES = {
    "s": "Hello World", "t": " a,b ,c\n", "u": "straße ΑΣ e\u0301 \u00e9 🦜 ǆ İ", "e": "", "q": "it's \"q\" \\ \t<&>",
    "n": 7, "z": 0, "m": -3, "f": 2.5, "g": -0.0, "h": 1e20, "p": True, "w": False, "o": None,
    "l": [3, 1, 2], "k": ["b", "A", "c", "a"], "x": [1, "a", None, 2.5, True], "v": [],
    "d": {"a": 1, "b": [1, 2], "items": "shadow", "c": {"d": "deep", "e": None}}, "c": {},
    "y": [{"r": "user", "c": "x", "n": 2}, {"r": "bot", "c": "Y", "n": 1}, {"r": "user", "n": 1}],
}
NAMES = list(VARIABLES) * 3 + ["missing", "loop", "ns", "a1", "a2", "messages"]
STRINGS = ["", "a", "l", ",", " ", "x y", "Hello", "é", "\\n", "\\t", "\\'", "{{", "<&>", "%s", "%d|%5.1f", "{}", "{0}-{a}", "abcabc",
           "1", "-12", " 42 ", "3.7", "1e3", "0x1f", "ſß", "A-b c", "\\u00e9", "\\x41", "\\q", "🦜"]
# What a name, a filter or a method is usually used with, so that most templates come to an end.
TYPED_NAMES = {"str": ["s", "t", "u", "e", "q", "messages[0].content", "'a b'", "'Hello'", "d.c.d"], "num": ["n", "z", "m", "f", "g", "h", "p", "3", "1.5"],
               "list": ["l", "k", "x", "v", "y", "[1, 2]", "range(4)", "d.b"], "dict": ["d", "c", "y[0]", "y[1]", "d.c", "{'a': 1, 2: 'b'}"]}
FILTERS_OF = {
    "str": ["upper", "lower", "capitalize", "title", "trim", "length", "first", "last", "list", "int", "float", "reverse", "replace", "indent",
            "tojson", "e", "safe", "wordcount", "center", "truncate", "string", "default", "join", "sort", "unique"],
    "num": ["abs", "round", "int", "float", "string", "tojson", "default"],
    "list": ["length", "first", "last", "list", "reverse", "sort", "unique", "join", "tojson", "sum", "batch", "slice", "select", "reject", "min", "max", "string"],
    "dict": ["length", "list", "items", "dictsort", "tojson", "first", "last", "string", "join"],
}
METHODS_OF = {
    "list": ["index(1)", "count(1)", "copy()", "append(1)", "pop()"],
    "dict": ["keys()", "values()", "items()", "get('a')", "get('zz')", "get('zz', 5)", "get(n)", "copy()", "pop()", "a", "items", "n", "r", "c.d", "b"],
    "num": ["real"],
}
FILTERS = [
    ("upper", 0), ("lower", 0), ("capitalize", 0), ("title", 0), ("trim", 0), ("trim", 1), ("length", 0), ("first", 0), ("last", 0),
    ("list", 0), ("string", 0), ("int", 0), ("int", 1), ("float", 0), ("abs", 0), ("reverse", 0), ("sort", 0), ("unique", 0),
    ("join", 0), ("join", 1), ("replace", 2), ("replace", 3), ("default", 1), ("d", 1), ("tojson", 0), ("round", 0), ("round", 1),
    ("indent", 0), ("indent", 1), ("items", 0), ("dictsort", 0), ("min", 0), ("max", 0), ("sum", 0), ("e", 0), ("safe", 0),
    ("batch", 1), ("slice", 1), ("center", 1), ("wordcount", 0), ("truncate", 1), ("count", 0), ("select", 0), ("reject", 0), ("format", 1),
]
NAMED_FILTERS = [
    "map(attribute='n')", "map(attribute='r')", "map('upper')", "map('length')", "map(attribute='c', default='-')", "map('default', 'z')",
    "selectattr('r')", "selectattr('r', 'equalto', 'user')", "rejectattr('c', 'defined')", "rejectattr('n', 'gt', 1)", "select('odd')",
    "select('string')", "reject('none')", "sort(reverse=true)", "sort(attribute='n')", "sort(attribute='n,r')", "sort(case_sensitive=true)",
    "groupby('r')", "groupby('n')", "tojson(indent=2)", "tojson(ensure_ascii=true)", "tojson(sort_keys=true)", "tojson(separators=(',', ':'))",
    "join(', ', attribute='r')", "default('x', true)", "default(none, boolean=true)", "dictsort(by='value')", "dictsort(reverse=true)",
    "indent(2, true)", "indent(width=1, blank=true)", "round(1, 'floor')", "round(method='ceil')", "unique(attribute='n')", "attr('a')",
    "sum(attribute='n')", "min(attribute='n')", "max(case_sensitive=true)", "truncate(5, true)", "int(default=5)", "int(0, 16)",
]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping", "sequence", "iterable",
         "callable", "odd", "even", "lower", "upper", "escaped", "filter", "test"]
TESTS_OF_ONE = ["equalto", "eq", "ne", "gt", "ge", "lt", "le", "in", "divisibleby", "sameas"]
METHODS = [
    "upper()", "lower()", "title()", "capitalize()", "swapcase()", "strip()", "lstrip()", "rstrip()", "strip('a ')", "split()", "split(',')",
    "split(',', 1)", "split(' ')", "split(none, 1)", "rsplit(' ', 1)", "rsplit(none, 1)", "splitlines()", "splitlines(true)", "partition(',')", "rpartition('l')",
    "startswith('H')", "endswith(('d', 'x'))", "startswith('e', 1)", "find('l')", "rfind('l')", "find('o', 5)", "find('zz')", "index('l')", "count('l')",
    "count('')", "replace('l', 'LL')", "replace('l', '', 1)", "replace('', '-')", "join(['a', 'b'])", "join(k)", "isdigit()", "isalpha()", "isalnum()",
    "isspace()", "isupper()", "islower()", "zfill(5)", "ljust(14, '.')", "rjust(14)", "center(15, '*')", "removeprefix('He')", "removesuffix('ld')",
    "keys()", "values()", "items()", "get('a')", "get('zz')", "get('zz', 5)", "get(n)", "copy()", "append(1)", "pop()", "index(1)", "count(1)",
    "format(1, a=2)", "format(s, n)", "items", "a", "c.d", "b[0]", "n", "r", "real", "index", "first", "last", "length", "previtem",
    "nextitem", "cycle('a', 'b')", "changed(n)", "revindex", "depth0",
]


# Errors of ours where Jinja goes on: it folds slices of literals at compile time to "undefined", and prints addresses.
KNOWN = ["cannot be sliced", "is printed"]


class Grammar:
    def __init__(self, rng):
        self.rng = rng
        self.locals = []

    def pick(self, *choices):
        return self.rng.choice(choices)

    def expression(self, depth=3):
        r = self.rng.random
        if depth <= 0 or r() < 0.18:
            return self.atom()
        kind = self.rng.randrange(15)
        sub = lambda: self.expression(depth - 1)
        if r() < 0.7:
            return self.typed(self.pick("str", "str", "num", "list", "dict"), depth)
        if kind == 0:
            if r() < 0.1:
                # Jinja computes powers and repetitions of any size.
                return f"{sub()} {self.pick('**', '*')} {self.pick('0', '1', '2', '-1', '0.5', 'true', 's')}"
            return f"{sub()} {self.pick('+', '-', '/', '//', '%', '~', '~', '+')} {sub()}"
        if kind == 1:
            return f"({sub()} {self.pick('==', '!=', '<', '>', '<=', '>=', 'in', 'not in')} {sub()})"
        if kind == 2:
            return f"({sub()} {self.pick('and', 'or')} {sub()})"
        if kind == 3:
            return f"(not {sub()})"
        if kind == 4:
            return f"({sub()} if {sub()}" + (f" else {sub()})" if r() < 0.8 else ")")
        if kind in (5, 6):
            name, count = self.rng.choice(FILTERS)
            arguments = ", ".join(self.small() for _ in range(count))
            return f"{self.base(depth)}|{name}" + (f"({arguments})" if count else "")
        if kind == 7:
            return f"{self.base(depth)}|{self.rng.choice(NAMED_FILTERS)}" + self.pick("", "", "|list", "|join('-')", "|first")
        if kind in (8, 9):
            return f"{self.base(depth)}.{self.rng.choice(METHODS)}"
        if kind == 10:
            negated = self.pick("", "not ")
            if r() < 0.6:
                return f"({self.base(depth)} is {negated}{self.rng.choice(TESTS)})"
            return f"({self.base(depth)} is {negated}{self.rng.choice(TESTS_OF_ONE)}({sub()}))"
        if kind == 11:
            return f"{self.base(depth)}[{self.subscript(depth)}]"
        if kind == 12:
            return "[" + ", ".join(sub() for _ in range(self.rng.randrange(4))) + "]"
        if kind == 13:
            return "{" + ", ".join(f"{self.key()}: {sub()}" for _ in range(self.rng.randrange(3))) + "}"
        return f"({sub()}, {sub()})" if r() < 0.5 else f"-{self.atom()}"

    def typed(self, kind, depth):
        """An expression that begins with a value of a kind and treats it as such."""
        base = self.rng.choice(TYPED_NAMES[kind])
        if kind == "str" and depth > 1 and self.rng.random() < 0.4:
            base = f"({self.typed('str', depth - 1)} {self.pick('+', '~')} {self.typed('str', depth - 1)}|string)"
        if kind == "num" and depth > 1 and self.rng.random() < 0.6:
            base = f"({self.typed('num', depth - 1)} {self.pick('+', '-', '*', '/', '//', '%', '<', '==', 'or')} {self.typed('num', depth - 1)})"
        choice = self.rng.random()
        if choice < 0.45:
            name = self.rng.choice(FILTERS_OF[kind])
            count = max([c for n, c in FILTERS if n == name], default=0)
            arguments = ", ".join(self.small() for _ in range(count))
            base += f"|{name}" + (f"({arguments})" if count else "")
        elif choice < 0.7 and kind != "num":
            methods = METHODS_OF.get(kind) or METHODS[:METHODS.index("keys()")]
            base += "." + self.rng.choice(methods)
        elif choice < 0.8 and kind != "num":
            base += f"[{self.subscript(1)}]"
        elif choice < 0.9 and kind == "list":
            base += "|" + self.rng.choice(NAMED_FILTERS) + self.pick("", "|list", "|join('-')", "|first", "|tojson")
        return base

    def key(self):
        return self.pick("'a'", "'b'", "1", "1.0", "true", "none", "(1, 2)", "s", "'é'")

    def base(self, depth):
        if self.rng.random() < 0.75:
            return self.atom()
        return f"({self.expression(depth - 1)})"

    def small(self):
        return self.pick("'a'", "''", "', '", "2", "0", "-1", "'x'", "1", "10", "none", "true", "s", "3")

    def subscript(self, depth):
        index = lambda: self.pick("", "0", "1", "-1", "2", "-2", "n", "5", "none", "-9")
        if self.rng.random() < 0.5:
            text = f"{index()}:{index()}"
            return text + (f":{index()}" if self.rng.random() < 0.4 else "")
        return self.pick("0", "1", "-1", "'a'", "'items'", "'zz'", "'upper'", "n", "true", "1.0", "none", "'n'", self.expression(depth - 2))

    def atom(self):
        kind = self.rng.randrange(10)
        if kind < 5:
            return self.rng.choice(NAMES + self.locals * 2)
        if kind < 7:
            return "'" + self.rng.choice(STRINGS) + "'" if self.rng.random() < 0.8 else '"' + self.rng.choice(["a'b", "x", "{%"]) + '"'
        if kind == 7:
            return self.pick("0", "1", "2", "-1", "3", "10", "1.5", "0.1", "1e3", "100000", "1_000", "1e-7", "1e16", "123456789.123")
        if kind == 8:
            return self.pick("true", "false", "none", "True", "None", "range(3)", "range(1, 6, 2)", "range(5, 0, -2)", "[]", "{}", "()", "(1,)")
        return self.pick("namespace(a=1)", "dict(a=1)", "dict(d)", "dict([('a', 2)])", "range(n)", "ns.a", "ns.b", "loop.index", "loop.last")

    def sign(self):
        return self.rng.choice(["", "", "", "-", "+"])

    def tag(self, content):
        return "{%" + self.sign() + self.pick(" ", "") + content + self.pick(" ", "") + self.sign() + "%}"

    def text(self):
        return self.pick("", "x", " ", "\n", "  \n", "a b\n  ", "\t", "é\n", "}", "{", "{ {", "%}", "\n\n", "# ", "'")

    def output(self):
        return "{{" + self.pick("", "-", " ") + " " + self.expression() + " " + self.pick("", "-", "") + "}}"

    def block(self, depth):
        kind = self.rng.randrange(17)
        body = lambda: self.body(depth - 1)
        if depth <= 0 or kind < 5:
            return self.output()
        if kind == 5:
            text = self.tag(f"if {self.expression(2)}") + body()
            if self.rng.random() < 0.3:
                text += self.tag(f"elif {self.expression(2)}") + body()
            if self.rng.random() < 0.5:
                text += self.tag("else") + body()
            return text + self.tag("endif")
        if kind in (6, 7, 8):
            target, names = self.pick(("i", ["i"]), ("i, j", ["i", "j"]), ("a1", ["a1"]), ("(i, j)", ["i", "j"]))
            sequence = self.pick("l", "k", "y", "d", "d.items()", "d|items", "x", "range(3)", "s", "missing", "c.items()", "y|map(attribute='n')",
                                 "k|batch(2)", self.expression(2))
            condition = self.pick("", "", f" if {self.expression(2)}", " if i", " if loop.index > 1")
            before = list(self.locals)
            self.locals += names + ["loop.index", "loop.last", "loop"]
            text = self.tag(f"for {target} in {sequence}{condition}") + body()
            if self.rng.random() < 0.25:
                text += self.tag(f"if {self.expression(1)}") + self.tag(self.pick("break", "continue")) + self.tag("endif") + body()
            self.locals = before
            if self.rng.random() < 0.3:
                text += self.tag("else") + body()
            return text + self.tag("endfor")
        if kind in (9, 10):
            return self.tag(f"set {self.pick('a1', 'a2', 's', 'n', 'a1, a2', 'ns.a', 'ns.b', 'i')} = {self.expression(2)}")
        if kind == 11:
            return self.tag(f"set {self.pick('a1', 'a2', 's')}{self.pick('', '|upper', '|trim')}") + body() + self.tag("endset")
        if kind == 12:
            before = list(self.locals)
            self.locals += ["b1", "b2"]
            signature = self.pick("", "b1", "b1, b2=1", "b1='x', b2=b1", "b1, b2=s")
            extra = self.pick("", "", "{{ varargs }}", "{{ kwargs }}", "{{ caller() }}")
            text = self.tag(f"macro m1({signature})") + body() + extra + self.tag("endmacro")
            self.locals = before
            call = self.pick("m1()", "m1(1)", "m1(n, 2)", "m1(b1=s)", "m1(1, 2, 3)", "m1(b2=1, zz=3)", "m1(*l)", "m1(**c)")
            return text + ("{{ " + call + " }}" if self.rng.random() < 0.7 else self.tag("call " + call) + body() + self.tag("endcall"))
        if kind == 13:
            return self.tag(f"filter {self.pick('upper', 'trim', 'indent(2)', 'replace(s, n)')}") + body() + self.tag("endfilter")
        if kind == 14:
            return self.tag(f"with {self.pick('a1', 's', 'b3')} = {self.expression(2)}") + body() + self.tag("endwith")
        if kind == 15:
            return self.pick("{#" + self.sign() + " c " + self.sign() + "#}", self.tag("raw") + "{{ x }}{% y %}" + self.tag("endraw"))
        return self.tag("generation") + body() + self.tag("endgeneration")

    def body(self, depth):
        return "".join(self.text() + self.block(depth) for _ in range(self.rng.randrange(1, 4))) + self.text()

    def template(self):
        if self.rng.random() < 0.4:
            return "{{ " + self.expression(4) + " }}"
        start = self.tag("set ns = namespace(a=0, b='q')") if self.rng.random() < 0.7 else ""
        return start + self.body(3)


def own(cases, runner):
    """The results of the interpreter under test."""
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    if runner:
        output = subprocess.run(shlex.split(runner), input=lines, capture_output=True, text=True)
        results = output.stdout.removesuffix("\n").split("\n")
    else:
        with tempfile.TemporaryDirectory() as directory:
            paths = {"APUS_TEMPLATE_CASES": f"{directory}/cases.jsonl", "APUS_TEMPLATE_RESULTS": f"{directory}/results.jsonl"}
            with open(paths["APUS_TEMPLATE_CASES"], "w") as file:
                file.write(lines)
            command = ["swift", "test", "-c", "release", "-Xswiftc", "-enable-testing", "--filter", "ChatTemplatesTests.DifferentialTests"]
            output = subprocess.run(command, env={**os.environ, **paths}, capture_output=True, text=True)
            with open(paths["APUS_TEMPLATE_RESULTS"]) as file:
                results = file.read().removesuffix("\n").split("\n")
    if len(results) != len(cases):
        sys.exit(f"{len(results)} results for {len(cases)} cases\ncase: {lines.splitlines()[len(results)]}\n{output.stderr[-2000:]}")
    return [json.loads(line) for line in results]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--round", type=int, default=2000, help="templates in one round")
    parser.add_argument("--runner")
    parser.add_argument("--keep")
    options = parser.parse_args()
    counts = collections.Counter()
    deadline = time.monotonic() + options.seconds
    seed = options.seed
    while time.monotonic() < deadline:
        cases, expected = [], []
        for index in range(options.round):
            template = Grammar(random.Random(f"{seed}/{index}")).template()
            case = {"template": template, "chat": {"messages": [{"role": "user", "content": "hi"}], "extra": VARIABLES}}
            try:
                result = {"text": render(case)[0]}
                # Addresses and lone surrogates are no results.
                if " at 0x" in result["text"] or any("\ud800" <= c <= "\udfff" for c in result["text"]):
                    continue
            except RecursionError:
                continue
            except Exception as error:
                result = {"error": f"{type(error).__name__}: {error}"}
            cases.append(case)
            expected.append(result)
        for case, theirs, ours in zip(cases, expected, own(cases, options.runner)):
            if "text" in theirs and ours.get("text") == theirs["text"]:
                counts["equal texts"] += 1
            elif "error" in theirs and "error" in ours:
                counts["errors in both"] += 1
            elif ours.get("kind") in ("unsupported", "limit"):
                counts[ours["kind"]] += 1
            elif any(known in ours.get("error", "") for known in KNOWN):
                counts["known"] += 1
            else:
                counts["different"] += 1
                print(json.dumps(case["template"]), "\n  jinja:", json.dumps(theirs)[:300], "\n  ours: ", json.dumps(ours)[:300])
                if options.keep:
                    with open(options.keep, "a") as file:
                        file.write(json.dumps({"template": case["template"], "theirs": theirs}) + "\n")
        seed += 1
    print(dict(counts))
    sys.exit(1 if counts["different"] else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes the golden renderings of Tests/ChatTemplatesTests/Fixtures with transformers.

    scripts/make-golden-chat-templates.py

Reads Fixtures/templates/*.jinja (written here, in the styles of published templates) and writes
    chats.json        the conversations, tool lists and documents that the cases name
    renderings.jsonl  {"template", "chat", "tools", "documents", "prompt", "extra", "text" | "error", "marks"}
    expressions.jsonl {"template", "text" | "error"}: small templates over the variables of variables.json
Needs transformers 5 and jinja2. The kept cases of fuzz-chat-templates.py come from its grammar by seed.
"""

import copy
import json
import pathlib
import random
import re
import runpy

from chat_template_reference import render

FIXTURES = pathlib.Path(__file__).parent.parent / "Tests/ChatTemplatesTests/Fixtures"
FUZZ = runpy.run_path(str(pathlib.Path(__file__).parent / "fuzz-chat-templates.py"))

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a place, say “São Paulo” <now>",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "City"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
                "days": {"type": "integer"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "limit": {"type": ["number", "boolean"]},
            },
            "required": ["location"],
        },
        "return": {"type": "number", "description": "The °C"},
    },
}
CLOCK = {"type": "function", "function": {"name": "now", "description": "Time", "parameters": {"type": "object", "properties": {}}}}


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def system(content):
    return {"role": "system", "content": content}


def call(arguments, identifier="abcDEF123"):
    return {"id": identifier, "type": "function", "function": {"name": "get_weather", "arguments": arguments}}


def tool(content, identifier="abcDEF123"):
    return {"role": "tool", "name": "get_weather", "tool_call_id": identifier, "content": content}


CHATS = {
    "one turn": [user("Hello there")],
    "system": [system("You are terse."), user("Hi")],
    "turns": [user(" Hi \n"), assistant("  Hello!\n\n"), user("Again?"), assistant("Yes."), user("ok")],
    "system and turns": [system(" Be brief.\n"), user("Hi"), assistant("Hello"), user("2+2?"), assistant("4")],
    "unicode": [system("Ünïcødé 🦜"), user("日本語 e\u0301 \u00e9 👩‍👩‍👧 \u200b\u00a0x\u2028y"), assistant("Ça va — “bien” ñ"), user("\u0645\u0631\u062d\u0628\u0627\n\ttab")],
    "syntax": [user("{{ 7*7 }} {% if x %} {# c #} {%- raw %} <|im_end|> </s> [INST]"), assistant("<think>{{ }}</think> \\n 'q' \"d\" & < >"), user("'it''s' \"q\" \\ back")],
    "empty": [system(""), user(""), assistant(""), user(" ")],
    "thinking": [user("2+2"), assistant("<think>\nlet me see\n</think>\n\n4"), user("3+3"), assistant("<think>hmm</think>6")],
    "reasoning": [user("2+2"), assistant("4", reasoning_content="two and two\n"), user("and 3+3?")],
    "call": [system("Use tools."), user("Weather in Rome?"), assistant("", tool_calls=[call({"location": "Rome", "days": 3, "x": [1.5, True, None, "ü\"<"]})]), tool("{\"t\": 21.5}"), assistant("21.5 °C"), user("Thanks")],
    "two calls": [user("Weather?"), assistant("Let me look.", tool_calls=[call({"location": "Rome"}, "aaaaaaaa1"), call({"location": "Oslo"}, "aaaaaaaa2")]), tool("21", "aaaaaaaa1"), tool("-3", "aaaaaaaa2")],
    "null content": [user("Weather?"), {"role": "assistant", "content": None, "tool_calls": [call({"location": "Rome"})]}, tool({"temp": 21.0, "ok": True})],
    "arguments as text": [user("Weather?"), assistant("", tool_calls=[call("{\"location\": \"Rome\"}")]), tool("ok")],
    "reasoned call": [user("Weather?"), assistant("", reasoning="I need the tool", tool_calls=[call({"location": "Rome"})]), tool("21"), assistant("It is 21")],
    "parts": [user([{"type": "text", "text": "What is "}, {"type": "text", "text": "this?"}]), assistant([{"type": "text", "text": "A thing"}]), user("ok")],
    "two users": [user("a"), user("b")],
    "unknown role": [{"role": "weird", "content": "x"}, user("b")],
    "assistant first": [assistant("I begin"), user("then")],
    "no content": [{"role": "user"}],
}
TOOLS = {"one": [WEATHER], "two": [CLOCK, WEATHER]}
DOCUMENTS = {"docs": [{"title": "Doc é", "text": "Some text\nmore"}, {"title": "B", "text": "Zwei"}]}
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
TIME = [2025, 3, 9, 14, 5, 6]

EXPRESSIONS = r"""
{{ 1 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % -3 }} {{ -7 % 3 }} {{ 7.5 % -2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }}
{{ 1e16 }} {{ 1e15 }} {{ 1.0 }} {{ 1e-5 }} {{ 0.0001 }} {{ 123456789012345680.0 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }} {{ -0.0 }} {{ 100000000000000000000.0 }} {{ 0.1 + 0.2 }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 == true }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ none == false }} {{ 9007199254740993 == 9007199254740992.0 }}
{{ 'a' in 'cat' }} {{ 1 in [1.0] }} {{ 'a' in {'a': 1} }} {{ 'x' not in k }} {{ 3 in range(4) }} {{ 'a' in missing }}
{{ true and 'x' }} {{ '' or 'y' }} {{ not '' }} {{ none or missing or 'z' }} {{ 'a' if false }} {{ 'a' if false else 'b' if false else 'c' }}
{{ 'a' ~ 1 ~ none ~ [1] ~ 1.5 }} {{ 'ab' * 3 }} {{ 3 * [1] }} {{ (1,) + (2,) }}
{{ 'it\'s' }} {{ ["it's", 'say "x"', 'both \' "', 'n\n\t\\', '\x00\x7f\u200b\xa0é🦜'] }}
{{ {'a': [1, {'b': (1, 2)}], 1: none, true: false, (1,): 'x'} }} {{ (1,) }} {{ () }} {{ [] }} {{ {} }} {{ range(3) }} {{ range(1, 9, 3) }} {{ missing }}{{ [missing] }}
{{ d['items'] }} {{ d.items()|list }} {{ d.keys() }} {{ d.values()|list }} {{ c.items() }} {{ d.a }} {{ d.c.d }} {{ d.zz }} {{ d.zz is defined }} {{ d.c.e is none }} {{ d['c']['e'] }}
{{ d.zz.y }}
{{ missing.x }}
{{ missing + 1 }}
{{ missing() }}
{{ 'a' + 1 }}
{{ none + 'a' }}
{{ none|length }}
{{ 1 / 0 }}
{{ [1] < ['a'] }}
{{ l.append(4) }}
{{ d.update({'x': 1}) }}
{{ d.pop('a') }}
{{ s.__class__ }}|{{ d.__class__.__mro__ }}
{{ ''.__class__.__mro__ }}
{{ s[0] }}{{ s[-1] }}{{ s[1:4] }}{{ s[::-1] }}{{ s[-3:] }}{{ s[:-3] }}{{ s[::2] }}{{ s[10:2:-3] }}{{ s[99] }}{{ s['x'] }} {{ l[::-1] }} {{ l[1:] }} {{ range(10)[2:8:2] }} {{ range(10)[::-1]|list }}
{{ u|length }} {{ u[8:10] }} {{ u|list }} {{ u|reverse }} {{ 'é' == 'e\u0301' }} {{ {'é': 1}['e\u0301'] is defined }} {{ '👩‍👩‍👧'|length }} {{ u.find('🦜') }}
{{ u.upper() }} {{ u.lower() }} {{ u.title() }} {{ u.capitalize() }} {{ u.swapcase() }} {{ u|title }} {{ 'ΑΣ ΑΣΑ Σ'.lower() }} {{ 'ﬁ ŉ'.upper() }} {{ 'ǆ'|capitalize }}
{{ ' a b '.split() }} {{ ' a b '.split(' ') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ 'a b  c '.split(none, 1) }} {{ ' a b  c '.rsplit(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'aXXbXX'.split('XX') }}
{{ 'a\nb\r\nc\u2028d\n'.splitlines() }} {{ 'a\nb'.splitlines(true) }} {{ 'a=b=c'.partition('=') }} {{ 'a=b=c'.rpartition('=') }} {{ 'x'.partition('=') }}
{{ '  x '.strip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'xya'.lstrip('yx') }}|{{ 'a\u3000\x1f'.rstrip() }}|{{ 'a\u200b'.strip() }}|{{ '<think>x</think>'.lstrip('<think>') }}
{{ 'abcabc'.replace('b', 'X') }} {{ 'abcabc'.replace('b', 'X', 1) }} {{ 'abc'.replace('', '-') }} {{ 'abc'|replace('b', 1) }} {{ 123|replace(2, 'x') }} {{ 'aaa'|replace('a', 'b', 2) }}
{{ 'abc'.startswith(('x', 'a')) }} {{ 'abc'.endswith('bc') }} {{ 'abc'.startswith('b', 1) }} {{ 'abc'.find('c', 1, 2) }} {{ 'abcabc'.rfind('b') }} {{ 'aaa'.count('aa') }} {{ 'abc'.count('') }} {{ 'abc'.index('c') }}
{{ 'abc'.index('z') }}
{{ ','.join(['a', 'b']) }} {{ ','.join('abc') }} {{ ','.join({'x': 1, 'y': 2}) }} {{ k|join }} {{ x|join('-') }} {{ y|join(',', attribute='r') }} {{ s|join(' ') }}
{{ ','.join([1]) }}
{{ '5'.zfill(3) }} {{ '-5'.zfill(4) }} {{ 'a'.ljust(3, '.') }} {{ 'a'.rjust(3) }} {{ 'ab'.center(5, '*') }} {{ 'abc'.center(6, '*') }} {{ 'a'|center(4) }}|
{{ '12'.isdigit() }} {{ '²'.isdigit() }} {{ '½'.isnumeric() }} {{ 'a1'.isalnum() }} {{ 'ab'.isalpha() }} {{ ' \t'.isspace() }} {{ ''.isspace() }} {{ 'AB'.isupper() }} {{ 'aB'.islower() }} {{ '1a' is lower }}
{{ '%s is %d years, %5.2f%% %r %x %05d %-4s|' % ('Al', 42, 12.345, 'q', 255, 42, 'a') }} {{ '%s' % 'x' }} {{ '%(a)s' % {'a': 1} }} {{ '%s %s'|format(1, [2]) }} {{ '%+d % d %#x %e %g' % (1, 2, 255, 12345.678, 0.0001) }}
{{ '%s %s' % 'x' }}
{{ '%s' % ('a', 'b') }}
{{ '{} {}'.format(1, 'a') }} {{ '{0}{1}{0}'.format('a', 'b') }} {{ '{a}-{b[0]}'.format(a=1, b=[2]) }} {{ '{:>5}|{:<5}|{:^5}|{:05d}|{:.2f}|{:,}|{:x}'.format('a', 'b', 'c', 42, 3.14159, 1234567, 255) }} {{ '{{}}'.format() }} {{ '{!r}'.format('a') }}
{{ d|tojson }} {{ d|tojson(indent=2) }} {{ d|tojson(indent=0) }} {{ {'é': '🦜\u2028\x7f\x1b/"\\'}|tojson }} {{ {'é': '🦜\x7f'}|tojson(ensure_ascii=true) }} {{ {'b': 1, 'a': 2}|tojson(sort_keys=true) }} {{ [1, {'a': []}, {}]|tojson(indent=4) }} {{ [1, 2]|tojson(separators=(',', ':')) }}
{{ {1: 2, none: 3, true: 4, 1.5: 5}|tojson }} {{ 1e20|tojson }} {{ 1.0|tojson }} {{ (1, 2)|tojson }} {{ 'a<b>&\'c\''|tojson }} {{ true|tojson }} {{ [[], {}, [[]]]|tojson(indent=1) }}
{{ missing|tojson }}
{{ (y|map(attribute='r'))|tojson }}
{{ {(1, 2): 3}|tojson }}
{{ y|map(attribute='r')|list }} {{ y|map(attribute='c')|list }} {{ y|map(attribute='c', default='-')|list }} {{ k|map('upper')|join }} {{ y|selectattr('r', 'equalto', 'user')|map(attribute='n')|list }} {{ y|rejectattr('c', 'defined')|list }} {{ l|select('odd')|list }} {{ l|reject('gt', 1)|list }} {{ x|select|list }}
{{ 'yes' if y|selectattr('r', 'equalto', 'nobody') else 'no' }} {{ (y|selectattr('r', 'equalto', 'user')|list)[-1].n }} {{ y|selectattr('r', 'eq', 'user')|first }} {{ (y|map(attribute='n'))[0] is defined }}
{{ (y|map(attribute='n'))|length }}
{{ l|sort }} {{ k|sort }} {{ k|sort(case_sensitive=true) }} {{ y|sort(attribute='n')|map(attribute='n')|list }} {{ l|sort(reverse=true) }} {{ d|dictsort }} {{ {'b': 1, 'A': 2}|dictsort(by='value') }} {{ k|unique|list }} {{ ['a', 'A']|unique|list }} {{ l|min }} {{ k|max }} {{ l|sum }} {{ y|sum(attribute='n') }} {{ y|groupby('r') }}
{{ [1, 'a']|sort }}
{{ l|batch(2)|list }} {{ l|batch(2, 0)|list }} {{ range(7)|slice(3)|list }} {{ range(7)|slice(3, 'x')|list }} {{ l|first }} {{ l|last }} {{ v|first is defined }} {{ s|first }} {{ d|first }} {{ l|reverse|list }}
{{ '42'|int }} {{ '4x'|int }} {{ '4.7'|int }} {{ 'x'|int(5) }} {{ '0x1f'|int(0, 16) }} {{ ' 7 '|int }} {{ '1_0'|int }} {{ 4.9|int }} {{ none|int }} {{ '1e3'|float }} {{ 'inf'|float }} {{ 'x'|float }} {{ '.5'|float }} {{ '5.'|float }} {{ true|int }}
{{ 2.5|round }} {{ 3.5|round }} {{ 2.675|round(2) }} {{ 42.55|round(1, 'floor') }} {{ 42.51|round(1, 'ceil') }} {{ 1234|round(-2) }} {{ 7|round }} {{ -3|abs }} {{ 1234.5|round(-2) }}
{{ missing|default('x') }} {{ ''|default('x') }} {{ ''|default('x', true) }} {{ none|d('x') }} {{ 0|d('x', boolean=true) }}
{{ 'a\nb\n\nc'|indent }}|{{ 'a\nb'|indent(2, true) }}|{{ 'a\n\nb'|indent(2, blank=true) }}|{{ 'a\nb'|indent('> ') }}|{{ 'a\n'|indent }}|
{{ 'a < b'|e }} {{ ('<'|safe) + '<' }} {{ '<'|e|e }} {{ '<'|safe ~ '<' }} {{ ('<'|e) is escaped }} {{ 'x'|safe|length }}
{{ 'hello world foo'|truncate(9) }} {{ 'hello world foo'|truncate(9, true) }} {{ 'hello'|truncate(3, true, '', 0) }} {{ 'a b_c d'|wordcount }} {{ "it's o-k (yes) <x>"|title }}
{{ 1 is number }} {{ true is number }} {{ true is integer }} {{ 1.0 is float }} {{ 's' is string }} {{ d is mapping }} {{ l is sequence }} {{ s is sequence }} {{ d is sequence }} {{ 1 is iterable }} {{ missing is iterable }} {{ none is none }} {{ missing is undefined }} {{ 3 is odd }} {{ 4 is divisibleby 2 }} {{ 4 is divisibleby(3) }} {{ 1 is in [1] }} {{ 'a' is eq 'a' }} {{ 1 is not string }} {{ true is true }} {{ 1 is true }} {{ 'upper' is filter }} {{ none is sameas none }} {{ range is callable }} {{ not x is string }}
{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('a', 'b') }}{{ loop.changed(i > 1) }};{% endfor %}
{% for a, b in d.items() %}{{ a }}={{ b }}{{ ', ' if not loop.last }}{% endfor %}|{% for (a, (b, c)) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}|{% for x in [] %}{% else %}none{% endfor %}|{% for c in 'héy' %}{{ c }}.{% endfor %}|{% for k in d %}{{ k }}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for a, b in [(1, 2, 3)] %}{% endfor %}
{% for i in 5 %}{% endfor %}
{% for i in range(6) if i is even %}{{ i }}{{ loop.length }}{% endfor %}|{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 4 %}{% break %}{% endif %}{{ i }}{% else %}e{% endfor %}|{% for i in l %}{% break %}{% else %}e{% endfor %}|{% for i in missing %}x{% else %}empty{% endfor %}
{% set ns = namespace(found=false) %}{% for i in l if not ns.found %}{% set ns.found = true %}{{ i }}{% endfor %}{{ ns.found }}{{ ns.zz is defined }}{{ ns }}
{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }},{% endfor %}{{ x }}|{% if true %}{% set x = 9 %}{% endif %}{{ x }}|{% for i in [1] %}{{ n }}{% set n = 5 %}{{ n }}{% endfor %}{{ n }}
{% macro m() %}[{{ n }}]{% endmacro %}{{ m() }}{% set n = 1 %}{{ m() }}|{% macro r(i) %}{% if i > 0 %}{{ i }}{{ r(i - 1) }}{% endif %}{% endmacro %}{{ r(3) }}|{% macro a(x, y='d', z=x) %}{{ x }}{{ y }}{{ z }}{% endmacro %}{{ a(1) }}{{ a(1, z=2) }}{{ a() }}{{ a(y=3) }}|{{ a }}
{% macro a(x) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ a(1, 2, 3, q=4) }}|{% macro c(x) %}<{{ caller(x) }}>{% endmacro %}{% call(v) c(5) %}{{ v }}{{ n }}{% endcall %}|{% macro e() %}{{ caller is defined }}{% endmacro %}{{ e() }}
{% macro a(x) %}{{ x }}{% endmacro %}{{ a(1, 2) }}
{% macro a(x) %}{{ x }}{% endmacro %}{{ a(zz=2) }}
{% macro a(x) %}{{ a(x) }}{% endmacro %}{{ a(1) }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set a, b = b, a %}{{ a }}{{ b }}|{% set t %}  x {{ n }} {% endset %}[{{ t }}]{% set t | upper | trim %} y {% endset %}[{{ t }}]|{% filter upper %}a{{ s }}{% endfilter %}|{% with q = 3, r = n %}{{ q }}{{ r }}{% endwith %}{{ q }}|{% print 1, 2 %}
{% set a.b = 1 %}
{% set d.b = 1 %}
{% set ns = namespace(_x=1) %}
{% set ns = namespace() %}{% set ns._x = 1 %}
{% raw %}{{ x }}{% y %}{% endraw %}|{%- raw -%}  {{ {%- endraw -%}  |{# a {{ b }} #}x{#- c -#}  y
  {% if true %}
    x
  {%- endif %}

  {%+ if true +%}
y
{% endif -%}

  z {{- ' a ' -}} b
{% if true %}a{% elif 1 / 0 %}b{% else %}c{% endif %}{% if false: %}x{% endif %}
{{ range(3)|list }}{{ dict(a=1, b=2) }}{{ dict([('x', 1)]) }}{{ dict(d, a=5) }}{{ range(0) }}{{ dict.fromkeys('ab', 1) }}
{{ range(100001) }}
{{ raise_exception('no: ' ~ n) }}
{{ strftime_now('%d %b %Y %H:%M:%S %A %B %-d %j %y %I %p %e %%') }}
{{ 'a' 'b' "c" }}{{ 1_000 }}{{ 0x1f }}{{ 0b11 }}{{ 0o17 }}{{ 1.5e2 }}{{ "\x41\u00e9\U0001F99C\101\q\
" }}{{ '\é' }}
{{ [1, 2,] }}{{ (1, 2,) }}{{ {'a': 1,} }}{{ l.0 }}{{ d.b.1 }}{{ ((1)) }}{{ 1, 2 }}{{ -n }}{{ +n }}{{ - -n }}{{ not not n }}{{ -n|abs }}{{ -1 ** 2 }}{{ 1 + 2 ~ 3 * 4 }}{{ 10 - 2 - 3 }}{{ 2 * 3 % 4 }}{{ 1 if n else 2, 3 }}
{{ d.get('a') }}{{ d.get('z') }}{{ d.get('z', 1) }}{{ d['get'] is callable }}{{ {'get': 1}['get'] }}{{ {'get': 1}.get is callable }}{{ d.keys()|list }}{{ d|length }}{{ d|list }}{{ 'a' in d.keys() }}{{ 1 in d.values() }}
{{ s is defined and s is not none and s|length > 3 and 'H' in s }}{{ loop is defined }}{{ l == [3, 1, 2] }}{{ d == {'b': [1, 2], 'a': 1, 'items': 'shadow', 'c': {'e': none, 'd': 'deep'}} }}{{ (1, 2) == [1, 2] }}
{{ unknown_filter|nofilter }}
{% if false %}{{ s|nofilter }}{% endif %}ok
{{ s is notest }}
{% foo %}
{% if %}x{% endif %}
{{ 1 + }}
{{ (1 }}
{{ 'open }}
{{ [1, 2 }
{% for i in l %}
{% endfor %}
{{ a b }}
{# open
{% raw %} open
{{ 1 ] }}
{% break %}
{% set loop = 1 %}{{ loop }}
{% for i in l %}{% set loop = 1 %}{% endfor %}
{% macro m(a, a) %}{% endmacro %}
{% macro m(a=1, b) %}{% endmacro %}
{% set true = 1 %}
{{ m(a=1, 2) }}
{{ x is string is defined }}
{{ a.b.c }}
{{ 9223372036854775807 - 1 }}
"""


def result(case, marks=False):
    try:
        text, ranges = render(case, marks)
    except (Exception, RecursionError) as error:
        return {"error": type(error).__name__}
    return {"text": text, "marks": ranges} if marks else {"text": text}


def write_lines(name, lines):
    with open(FIXTURES / name, "w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(name, len(lines), (FIXTURES / name).stat().st_size, "bytes,", sum("error" in line for line in lines), "errors")


def renderings():
    for path in sorted((FIXTURES / "templates").glob("*.jinja")):
        source = path.read_text(encoding="utf-8")
        takes_tools = "tools" in source
        marked = "generation" in source.replace("add_generation_prompt", "")
        for name, messages in CHATS.items():
            variants = [{"prompt": True}]
            if name in ("one turn", "system and turns", "call"):
                variants += [{"prompt": False}]
            if takes_tools and name in ("system", "turns", "call", "two calls", "null content", "two users", "unicode"):
                variants += [{"prompt": True, "tools": "one" if name in ("turns", "unicode") else "two"}]
            if "enable_thinking" in source and name in ("turns", "thinking"):
                variants += [{"prompt": True, "extra": {"enable_thinking": False}}]
            if "custom_tools" in source and name == "system":
                variants += [{"prompt": True, "tools": "one", "extra": {"tools_in_user_message": False, "date_string": "1 Jan 2025"}}]
            if "documents" in source and name == "turns":
                variants += [{"prompt": True, "documents": "docs"}]
            for variant in variants:
                chat = {
                    "messages": copy.deepcopy(messages), "tools": TOOLS.get(variant.get("tools")),
                    "documents": DOCUMENTS.get(variant.get("documents")), "add_generation_prompt": variant["prompt"],
                    "extra": {**TOKENS, **variant.get("extra", {})}, "time": TIME,
                }
                yield {"template": path.stem, "chat": name, **variant, **result({"template": source, "chat": chat}, marked)}


def expressions():
    chat = {"messages": [user("hi")], "extra": FUZZ["VARIABLES"]}
    templates = [line for line in EXPRESSIONS.strip("\n").split("\n")]
    # A backslash or a block at the end of a line goes on in the next one.
    joined, open_lines = [], ""
    for line in templates:
        open_lines = open_lines + "\n" + line if open_lines else line
        if line.endswith("\\") or line.startswith("  ") or line.startswith("y") or line == "" or line.endswith("y"):
            continue
        joined.append(open_lines)
        open_lines = ""
    for template in joined:
        yield {"template": template, **result({"template": template, "chat": chat})}
    kept = 0
    for index in range(4000):
        template = FUZZ["Grammar"](random.Random(f"fixture/{index}")).template()
        # Integers of more than 64 bits, printed addresses and slices of literals are where we differ on purpose.
        if not 60 < len(template) < 260 or re.search(r"\bh\b|unique|\['|\}\[", template):
            continue
        outcome = result({"template": template, "chat": chat})
        text = outcome.get("text", "")
        if " at 0x" in text.lower() or len(text) > 200 or ("error" in outcome and kept % 8):
            continue
        yield {"template": template, **outcome}
        kept += 1
        if kept == 300:
            break


if __name__ == "__main__":
    with open(FIXTURES / "chats.json", "w", encoding="utf-8") as file:
        json.dump({"chats": CHATS, "tools": TOOLS, "documents": DOCUMENTS, "tokens": TOKENS, "time": TIME}, file, ensure_ascii=False, indent=1)
    with open(FIXTURES / "variables.json", "w", encoding="utf-8") as file:
        json.dump(FUZZ["VARIABLES"], file, ensure_ascii=False, indent=1)
    write_lines("renderings.jsonl", list(renderings()))
    write_lines("expressions.jsonl", list(expressions()))

"""Writes cases.json: chat templates and small programs with what jinja2 makes of them.

    python make_chat.py            needs jinja2 and transformers, whose environment is the one compared with

`templates/` holds our own renderings of the chat formats of model families. `conversations` and `snippets` below, and random
programs of a fixed seed, are rendered by `transformers.utils.chat_template_utils`. A case is {source | template, context, output}, or
{…, error}: the type and the first line of jinja2's error. The time is 2025-10-09 12:00 UTC.
"""

import copy
import datetime
import json
import pathlib
import random

from transformers.utils import chat_template_utils

HERE = pathlib.Path(__file__).parent
NOW = 1760011200


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, tz)


chat_template_utils.datetime = FixedTime
compiled = chat_template_utils._compile_jinja_template

user = lambda text: {"role": "user", "content": text}
assistant = lambda text: {"role": "assistant", "content": text}
system = lambda text: {"role": "system", "content": text}

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather at a place.\nGives °C & \"sky\".",
            "parameters": {
                "type": "object",
                "properties": {
                    "place": {"type": "string", "description": "A town <name>"},
                    "days": {"type": "array", "items": {"type": "integer"}},
                    "options": {"type": "object", "properties": {"b": {"type": "number"}, "A": {"type": "boolean"}}},
                },
                "required": ["place"],
            },
        },
    },
    {
        "type": "function",
        "function": {"name": "stop", "description": "Stops.", "parameters": {"type": "object", "properties": {}, "required": []}},
    },
]
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": {"place": "Zürich", "days": [1, 2.5]}}}

conversations = {
    "plain": {"messages": [user("Hello, who are you?")]},
    "turns": {"messages": [user("  Hi \n"), assistant(" Hello!\n"), user("Is 1 < 2 & 'yes'?")], "add_generation_prompt": True},
    "system": {"messages": [system("Be brief."), user("日本語 é 🙂"), assistant("ok")]},
    "think": {
        "messages": [user("2+2?"), assistant("<think>\nadd\n</think>\n\n4"), user("3+3?"), assistant("<think>\nmore\n</think>\n\n6")],
        "add_generation_prompt": False,
    },
    "tools": {
        "messages": [system("S"), user("Weather?"), {"role": "assistant", "content": "", "tool_calls": [CALL]},
                     {"role": "tool", "content": "12 \"°C\"", "tool_call_id": "c1"}, assistant("It is 12 °C."), user("Thanks")],
        "tools": TOOLS, "add_generation_prompt": True, "enable_thinking": False,
    },
    "wrong-order": {"messages": [assistant("first"), user("second")]},
    "parts": {"messages": [user([{"type": "text", "text": " a "}, {"type": "image"}, {"type": "text", "text": "b"}])],
              "documents": [{"title": "the great-war (of x)", "text": "t"}] * 3, "add_generation_prompt": True},
    "empty": {"messages": []},
}

DATA = {
    "xs": [3, 1, 2], "words": ["b", "A", "c", "a"], "text": "Hello,  World \n", "empty": "", "n": 7, "f": 2.5, "yes": True, "nothing": None,
    "d": {"b": 1, "A": 2, "items": 3, "c": {"x": [1, {"y": "z"}]}},
    "rows": [{"k": "p", "v": 1, "on": True}, {"k": "q", "v": 2, "on": False}, {"k": "p", "v": 3}],
    "odd": "ß Σίσυφος ΌΣΟΣ ǆ ŉ it's o'neil (x)[y] \t\u00a0é\u200b\"\\", "nested": [[1, 2], [3], []],
}

snippets = [line for line in r"""
{{ 1 + 2 * 3 ** 2 - -4 // 3 % 2 }} {{ 7 // -2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7 / 2 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }}
{{ 1.0 }} {{ 1e3 }} {{ 1e16 }} {{ 1e15 * 9.5 }} {{ 0.1 + 0.2 }} {{ 1e-5 }} {{ 0.0001 }} {{ 1e22 }} {{ 123456789012345678 * 1.0 }} {{ -0.0 }}
{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ -7.5 % 2 }} {{ 7.5 % -2 }} {{ 5 // 2.0 }} {{ 6.0 % 3 }} {{ -6.0 % 3 }} {{ 1_000 }}
{{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' == 'a' }} {{ [1] == [1.0] }} {{ (1,) == [1] }} {{ {'a': 1} == {'a': 1.0} }} {{ none == false }} {{ x == y }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 'a' < 'b' <= 'b' }} {{ [1, 2] < [1, 3] }} {{ (1, 2) < (1,) }} {{ 3 > 2.5 }} {{ true > false }}
{{ 'a' in 'cat' }} {{ 'x' not in d }} {{ 'b' in d }} {{ 1 in xs }} {{ 'a' in missing }} {{ not 1 in xs }} {{ '' in '' }}
{{ 1 and 0 or 'x' }} {{ [] or {} or none }} {{ not not 1 }} {{ 'a' if xs else 'b' }} {{ 'a' if empty }} {{ 1 if 0 else 2 if 0 else 3 }}
{{ 'a' ~ 1 ~ none ~ true ~ 1.5 ~ missing ~ [1, 'x'] }} {{ 'a' 'b' }} {{ 'ab' * 3 }} {{ 2 * [1] }} {{ [1] + [2] }} {{ (1,) + (2, 3) }} {{ 'x' * -1 }}
{{ 1, 2 }} {{ (1) }} {{ (1,) }} {{ () }} {{ [] }} {{ {} }} {{ {'a': [1, none, true, 'q"', "it's", "both'\""], 2: 3.0} }}
{{ 'tab\t nl\n bs\\ q\' \x41 \u00e9 \101 \q é'}} {{ ['\t\n\\\x00\x7f\u00a0\u200b é 🙂'] }}
{{ text[0] }}{{ text[-3] }}|{{ text[1:4] }}|{{ text[::-1] }}|{{ text[-5:] }}|{{ text[5:1:-2] }}|{{ text[100:] }}|{{ text[100] }}|{{ xs[::2] }}{{ xs[-1] }}{{ xs[:-1] }}{{ xs[5:0:-1] }}
{{ text['upper']() }} {{ d['items'] }} {{ d.c.x[1].y }} {{ d['c']['x'][1]['y'] }} {{ d.items is callable }} {{ xs.0 }} {{ nested[0][1] }} {{ d[none] }} {{ xs['a'] }} {{ n.foo }} {{ nothing.foo }}
{{ d.missing }} {{ d.missing.more }}
{{ missing }} {{ missing is defined }} {{ missing | default('x') }} {{ empty | default('x') }} {{ empty | default('x', true) }} {{ missing | length }} {{ missing | list }} {{ missing | upper }}|
{{ missing.attribute }}
{{ missing['item'] }}
{{ missing + 1 }}
{{ missing() }}
{{ missing < 1 }}
{{ missing | tojson }}
{{ missing | int }}
{{ nothing + 'x' }}
{{ 'x' + 1 }}
{{ 1 in 5 }}
{{ 1 in 'text' }}
{{ 1 / 0 }}
{{ 1 % 0 }}
{{ xs.foo() }}
{{ xs.append(1) }}
{{ d.update({}) }} 
{{ d.update is defined }} {{ xs.append }}|
{{ 'a' < 1 }}
{{ raise_exception('no: ' ~ n) }}
{{ d.items() | list }} {{ d.keys() | list }} {{ d.values() | list | length }} {{ d.get('b') }} {{ d.get('zz') }} {{ d.get('zz', 5) }} {{ d | list }} {{ d | length }}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %} {% for k in d %}{{ k }}{% endfor %} {% for k, v in d | items %}{{ k }}{% endfor %} {% for k, v in d | dictsort %}{{ k }}{% endfor %}
{{ {'b': 1, 'a': 3, 'C': 2} | dictsort }} {{ {'b': 1, 'a': 3, 'C': 2} | dictsort(true) }} {{ {'b': 1, 'a': 3, 'C': 2} | dictsort(by='value', reverse=true) }}
{% for x in xs %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('a', 'b') }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}
{% for x in xs if x > 1 %}{{ loop.index }}:{{ x }}/{{ loop.length }} {% else %}none{% endfor %}{% for x in [] %}x{% else %}none{% endfor %}{% for x in missing %}x{% else %}missing{% endfor %}
{% for a, b in [[1, 2], (3, 4)] %}{{ a }}-{{ b }};{% endfor %}{% for a, (b, c) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}
{% for x in xs %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% if loop.index == 2 %}{% break %}{% endif %}{% endfor %}{% for x in range(10) %}{% if x > 3 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% for c in 'añ🙂' %}[{{ c }}]{% endfor %} {% for x in range(3) %}{{ x }}{% endfor %} {% for x in range(5, 0, -2) %}{{ x }}{% endfor %} {{ range(2, 6) | list }} {{ range(4) | length }} {{ range(5)[2] }}
{% for x in 5 %}{% endfor %}
{% for x in xs %}{% for y in xs %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}
{% for r in rows %}{{ loop.changed(r.k) }}{% endfor %}
{% set x = 1 %}{% for i in xs %}{{ x }}{% set x = x + 1 %}{{ x }} {% endfor %}{{ x }}
{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }} {% set a, b = 1, 2 %}{{ a }}{{ b }} {% set (a, b) = (b, a) %}{{ a }}{{ b }}
{% set ns = namespace(n=0, s='') %}{% for i in xs %}{% set ns.n = ns.n + i %}{% set ns.s = ns.s ~ i %}{% endfor %}{{ ns.n }} {{ ns.s }} {{ ns.none }}|{% set ns.new = 5 %}{{ ns.new }} {% set m = namespace({'a': 1}, b=2) %}{{ m.a }}{{ m.b }}{{ m['b'] }}
{% set ns = namespace() %}{% set ns._x = 1 %}
{% set q.a = 1 %}
{% set d.a = 1 %}
{% set x %}  a {{ n }} {% endset %}[{{ x }}]{% set y | trim | upper %}  b {% endset %}[{{ y }}]{% set ns = namespace() %}{% set ns.t %}t{% endset %}{{ ns.t }}
{% macro m(a, b=2, c='x') %}({{ a }},{{ b }},{{ c }}){% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c=4) }}{{ m(c=1, a=2) }}{{ m() }}{{ m(b=a) }}{{ m('q') | upper }}{{ m(1) + 'z' }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}
{% macro m(a, b=a ~ '!') %}{{ a }}{{ b }}{% endmacro %}{{ m('x') }}{{ m('x', 'y') }}
{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }} {% macro g() %}{{ late }}{% endmacro %}{% set late = 'L' %}{{ g() }}
{% set v = 1 %}{% macro g(v) %}{% set v = v ~ 'i' %}{{ v }}{% endmacro %}{{ g('a') }}{{ v }} {% for v in xs %}{{ g(v) }}{% endfor %}{{ v }}
{{ xs | join }} {{ xs | join(', ') }} {{ rows | join('|', attribute='k') }} {{ 'abc' | join('-') }} {{ d | join(',') }} {{ [none, true, 1.5] | join(' ') }} {{ ', '.join(words) }}
{{ text | trim }}| {{ '  x ' | trim }}| {{ 'xxaxx' | trim('x') }} {{ text | length }} {{ text | count }} {{ text | upper }}{{ text | lower }}{{ 'hELLO wORLD' | capitalize }} {{ 'hELLO wORLD-x(y [z {a <b it\'s' | title }} {{ 5 | upper }} {{ none | trim }}
{{ odd.upper() }} {{ odd.lower() }} {{ odd.title() }} {{ odd.capitalize() }} {{ odd | title }} {{ odd | capitalize }} {{ odd | tojson }} {{ [odd] }}
{{ 'aXbXc' | replace('X', '-') }} {{ 'aXbXc' | replace('X', '-', 1) }} {{ 'ab' | replace('', '.') }} {{ 'ab'.replace('', '.', 2) }} {{ 'aaa'.replace('aa', 'b') }} {{ 'abc'.replace('b', '', 0) }} {{ 15 | replace('1', '2') }}
{{ text.strip() }}|{{ text.lstrip() }}|{{ text.rstrip() }}|{{ 'xyaxy'.strip('yx') }} {{ 'xyaxy'.lstrip('x') }} {{ 'abc'.startswith('ab') }} {{ 'abc'.endswith(('x', 'bc')) }} {{ 'abc'.startswith('') }} {{ 'abc'.find('c') }} {{ 'abc'.find('z') }} {{ 'banana'.count('an') }} {{ 'abc'.removeprefix('a') }} {{ 'abc'.removesuffix('b') }}
{{ text.split() }} {{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ ' a  b c '.split(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a<x>b<x>'.split('<x>') }} {{ 'a b c'.split(maxsplit=1) }} {{ 'a\nb\r\nc\n'.splitlines() }}
{{ 'a'.split('') }}
{{ 'a' | replace(1, 2) }}
{{ 'abc'.startswith(1) }}
{{ xs | first }} {{ xs | last }} {{ [] | first }}|{{ [] | last }}|{{ 'abc' | first }}{{ 'abc' | last }} {{ d | first }} {{ xs | list }} {{ 'abc' | list }} {{ xs | reverse | list }} {{ 'abc' | reverse }}
{{ xs | sort }} {{ xs | sort(reverse=true) }} {{ words | sort }} {{ words | sort(case_sensitive=true) }} {{ rows | sort(attribute='v', reverse=true) | map(attribute='v') | list }} {{ rows | sort(attribute='k') | map(attribute='v') | join }}
{{ words | unique | list }} {{ [1, 1.0, true, 2] | unique | list }} {{ rows | unique(attribute='k') | map(attribute='v') | list }} {{ xs | min }} {{ xs | max }} {{ words | max }} {{ [] | min }}| {{ xs | sum }} {{ rows | sum(attribute='v') }} {{ rows | sum('v', 10) }}
{{ rows | map(attribute='k') | list }} {{ rows | map(attribute='on', default='?') | list }} {{ words | map('upper') | join }} {{ xs | map('string') | list }} {{ words | map('replace', 'a', 'z') | list }} {{ nested | map('length') | list }} {{ nested | map(attribute=0) | list }} {{ none | map('upper') | list }}
{{ rows | map(attribute='missing') | list }}
{{ rows | selectattr('on') | map(attribute='v') | list }} {{ rows | rejectattr('on') | map(attribute='v') | list }} {{ rows | selectattr('k', 'equalto', 'p') | list | length }} {{ rows | selectattr('k', '==', 'p') | first }} {{ rows | selectattr('on', 'defined') | list | length }} {{ rows | selectattr('v', 'gt', 1) | map(attribute='v') | list }} {{ rows | selectattr('k', 'in', ['q']) | list }}
{{ xs | select('odd') | list }} {{ xs | reject('odd') | list }} {{ [0, 1, ''] | select | list }} {{ xs | select('gt', 1) | list }} {{ nested | select | list }} {{ d | selectattr('x') | list }}
{% set g = rows | selectattr('on') %}{{ g | list | length }}{{ g | list | length }} {% if rows | selectattr('nope') %}true{% endif %} {% set g = xs | map('string') %}{{ g | first }}{% for x in g %}{{ x }}{% endfor %}
{{ rows | selectattr('on') | length }}
{{ (rows | map(attribute='k'))[0] }}
{{ 5 | length }}
{{ '42' | int }} {{ ' 42 ' | int }} {{ '4_2' | int }} {{ '42.9' | int }} {{ 'x' | int }} {{ 'x' | int(7) }} {{ 3.99 | int }} {{ -3.99 | int }} {{ true | int }} {{ none | int }} {{ '-5' | int }} {{ '+5' | int }} {{ '5-' | int }} {{ '1e3' | int }} {{ '' | int }} {{ [] | int }} {{ '--5' | int }}
{{ '1.5' | float }} {{ 'x' | float }} {{ 2 | float }} {{ ' 1e3 ' | float }} {{ 'inf' | float }} {{ '-Infinity' | float }} {{ 'nan' | float }} {{ '1.' | float }} {{ '.5' | float }} {{ '0x10' | float }} {{ '1_0.5' | float }} {{ none | float(1) }} {{ '.' | float }}
{{ -5 | abs }} {{ 5.5 | abs }} {{ true | abs }} {{ (-3) | abs }} {{ 1.0 | string }} {{ [1] | string | length }} {{ 5 | string ~ 'x' }}
{{ 'a\nb\n\nc' | indent }} {{ 'a\nb\n\nc' | indent(2, true) }} {{ 'a\nb\n\nc' | indent(2, blank=true) }} {{ 'a\nb\n' | indent('> ', first=true) }}| {{ '' | indent }}|
{{ d | tojson }} {{ xs | tojson(indent=2) }} {{ d | tojson(indent=1) }} {{ d | tojson(sort_keys=true) }} {{ d | tojson(separators=(',', ':')) }} {{ 'é<>&\'"\\\n\x08\x0c\x1f\x7f🙂' | tojson }} {{ 'é🙂\x7f' | tojson(ensure_ascii=true) }} {{ [] | tojson(indent=2) }} {{ {} | tojson(indent=2) }} {{ [1.0, 1e100, none, true, (1, 2)] | tojson }} {{ {1: 2, none: 3, true: 4, 1.5: 1} | tojson }} {{ 'inf' | float | tojson }}
{{ [[], {}, [[1]], {'a': {}}] | tojson(indent=2) }} {{ xs | tojson(indent='--') }} {{ xs | tojson(indent=0) }}
{{ range(3) | tojson }}
{{ d.items() | tojson }}
{{ 1 is odd }} {{ 2 is even }} {{ 4 is divisibleby 2 }} {{ 4 is divisibleby(3) }} {{ none is none }} {{ 'a' is string }} {{ d is mapping }} {{ xs is mapping }} {{ xs is sequence }} {{ 'a' is sequence }} {{ d is sequence }} {{ 1 is sequence }} {{ xs is iterable }} {{ 1 is iterable }} {{ 1 is number }} {{ true is number }} {{ 1.0 is float }} {{ 1 is integer }} {{ true is integer }} {{ true is boolean }} {{ 1 is true }} {{ true is true }} {{ false is false }} {{ missing is iterable }} {{ missing is sequence }} {{ missing is mapping }} {{ missing is none }} {{ missing is string }}
{{ 1 is eq 1 }} {{ 1 is ne 1 }} {{ 1 is lt 2 }} {{ 'a' is in 'abc' }} {{ 1 is in [1] }} {{ 1 is not in [1] }} {{ 1 is equalto(1) }} {{ not 1 is odd }} {{ 1 is not odd }} {{ d.b is defined and d.b is not none }} {{ d.b is number or missing.x }} {{ x is defined and x.y }} {{ d.items() is iterable }} {{ d.items() is sequence }} {{ namespace() is mapping }}
{{ 1 is odd is even }}
{{ 1 is nosuchtest }}
{{ 1 | nosuchfilter }}
{{ -1 | abs }} {{ -d.b }} {{ +n }} {{ -true }} {{ not d.b == 1 }} {{ 2 * n + 1 ~ 'x' }} {{ 1 ~ 2 + 3 }}
{{ 'a' + 'b' | upper }} {{ ('a' + 'b') | upper }} {{ 'a' ~ 'b' | upper }} {{ xs | length > 2 }} {{ xs | length + 1 }} {{ 'x' if xs | length == 3 and not empty else 'y' }}
{{ dict(a=1, b=2) }} {{ dict({'a': 1}, a=2) }} {{ {'a': 1, 'a': 2} }} {{ {1: 'x', true: 'y'} }} {{ {'a': 1}.a }} {{ {'x': {'y': 1}}['x'].y }} {{ {'a':{'b':{}}} }}
{{ strftime_now('%d %B %Y') }} {{ strftime_now('%Y-%m-%d') }} {{ strftime_now('') }}|{{ strftime_now('%%é') }}
{{ "{% x %}" }} {{ '{{' }} {{ '#}' }} {# comment {{ x }} #}{#- c -#} a {%- if true -%} b {%- endif -%} c {{- 'd' -}} e {{ 1 -}} f
  {% if true %}  x  {% endif %}  y
a  {%+ if true %} x{% endif +%} y
{% if 0 %}a{% elif 1 %}b{% elif 2 %}c{% else %}d{% endif %}{% if missing %}a{% else %}b{% endif %}
{{ x if true }}
{% if true %}
{% for x in xs %}
{% endfor %}
{% nosuch %}
{{ 1 + }}
{{ (1 }}
{{ 'a }}
{{ 1 ! 2 }}
{# open
{% break %}
{{ caller }} {{ varargs }}
{% generation %}{% set gx = 1 %}{{ n }}{{ gx }}{% endgeneration %}{{ gx }}|
{% set loop = 5 %}{{ loop }}{% for x in xs %}{{ loop.index }}{% endfor %}{{ loop }}
{{ [1, 2,] }} {{ {'a': 1,} }} {{ range(3,)|list }} {{ [xs[0], d['b']] }} {{ xs[n - 6] }} {{ (xs | first) + 1 }} {{ xs|first + 1 }}
{{ 'abc'[1:][0] }} {{ 'abc'.upper().lower()[::-1] }} {{ 'a-b'.split('-')[1] }} {{ (d.c.x | last).y }} {{ d.c['x'][1]['y'] }}
{{ none }} {{ None }} {{ True }} {{ false }} {{ nothing is none }} {{ yes }} {{ f }} {{ n }}
{{ 9223372036854775807 }} {{ -9223372036854775807 }} {{ 4 // 3 * 3 }} {{ 5 % 3 ** 2 }} {{ (-1) ** 3 }} {{ 0 ** 0 }} {{ (-2) ** 2 }} {{ 2.0 ** 0.5 }}
{{ 0 ** -1 }}
""".split("\n") if line] + [
    "{% if true %}\n  a\n  {% if true %}\n    b\n  {% endif %}\n{% endif %}\n\nc\n",
    "\n\n  {%- for x in xs %}\n\t{{ x }}\n  {% endfor %}\n end \n\n",
    "a\r\nb\rc\n{% if 1 %}\r\nd{% endif %}\r\n",
    "  {# c #}\nx\n  {# c #} y\n  {#- c #}\nz {#+ c +#}\n",
    "{{ 'a\nb' }}\n{{ 1 }}\n  {{ 2 }}\n{%- set x = 1 +%}\n x\n",
    "{{ {\n 'a': 1,\n 'b': '}}' } }}",
    "{% set x = 1 -%}   \n\n  {{ x -}} \n  y {%- if x %} z {% endif -%}  \n w",
    "\n\n",
    "",
    "\n",
    "x\n\n",
]


def random_program(draw):
    names = ["xs", "words", "text", "empty", "n", "f", "yes", "nothing", "d", "rows", "nested", "missing", "i"]

    def value(depth):
        kinds = ["name"] * 4 + ["literal"] * 3
        if depth > 0:
            kinds += ["binary"] * 3 + ["compare"] * 2 + ["filter"] * 5 + ["test", "bool", "bool", "not", "cond", "item", "slice", "attr", "list", "method", "method"]
        kind = draw.choice(kinds)
        sub = lambda: value(depth - 1)
        if kind == "name":
            return draw.choice(names)
        if kind == "literal":
            return draw.choice(["1", "0", "-2", "2.5", "'a'", "'Ab c'", "''", "true", "none", "[]", "{'k': 1}", "(1, 'x')", "3"])
        if kind == "binary":
            operator = draw.choice(["+", "-", "*", "~", "~", "~", "/", "//", "%"])
            # `%` of a string, which formats, is not supported.
            return f"({'n' if operator == '%' else sub()} {operator} {sub()})"
        if kind == "compare":
            return f"({sub()} {draw.choice(['==', '!=', '<', '<=', '>', '>=', 'in', 'not in'])} {sub()})"
        if kind == "filter":
            return f"{sub()} | " + draw.choice(
                ["trim", "length", "upper", "lower", "title", "capitalize", "first", "last", "list", "string", "int", "float", "abs", "tojson", "join('-')",
                 "default('D')", "default('D', true)", "reverse | list", "sort", "unique | list", "replace('a', 'bb')", "indent(2)", "map('string') | list",
                 "select | list", "map(attribute='k') | list", "selectattr('v', 'defined') | list", "items | list", "sum", "max", "tojson(indent=2)", "dictsort"])
        if kind == "test":
            return f"({sub()} is {draw.choice(['', 'not '])}{draw.choice(['defined', 'none', 'string', 'mapping', 'iterable', 'sequence', 'number', 'boolean', 'true', 'odd', 'eq 1', 'in xs'])})"
        if kind == "bool":
            return f"({sub()} {draw.choice(['and', 'or'])} {sub()})"
        if kind == "not":
            return f"(not {sub()})"
        if kind == "cond":
            return f"({sub()} if {sub()} else {sub()})"
        if kind == "item":
            return f"({sub()})[{draw.choice(['0', '-1', '1', repr('k'), repr('b'), 'n', sub()])}]"
        if kind == "slice":
            # Of a constant jinja2 takes a slice that fails for undefined, and only of a constant.
            return f"{draw.choice(names)}[{draw.choice(['', '1', '-2'])}:{draw.choice(['', '2', '-1'])}{draw.choice(['', ':2', ':-1'])}]"
        if kind == "attr":
            return f"({sub()}).{draw.choice(['k', 'b', 'c', 'items', 'v'])}"
        if kind == "list":
            return f"[{sub()}, {sub()}]"
        return f"({sub()}).{draw.choice(['strip()', 'upper()', 'title()', 'split()', 'items() | list', 'get(1)', 'keys() | list'])}"

    def body(depth, looping):
        return "".join(statement(depth, looping) for _ in range(draw.randint(1, 3)))

    def statement(depth, looping):
        gap = lambda: draw.choice(["", "", " ", "\n", "\n  ", " \n"])
        open_, close = draw.choice(["{%", "{%", "{%-"]), draw.choice(["%}", "%}", "-%}"])
        kind = draw.choice(["output"] * 4 + ["text", "set"] + (["for", "for", "if", "ns", "block", "jump", "macro"] if depth else []))
        if kind == "output":
            return gap() + draw.choice(["{{", "{{-"]) + " " + value(2) + " " + draw.choice(["}}", "-}}"]) + gap()
        if kind == "text":
            return draw.choice(["text ", "a\n", " - ", "\tx"])
        if kind == "set":
            return f"{gap()}{open_} set i = {value(2)} {close}{gap()}"
        if kind == "for":
            inner = body(depth - 1, True)
            other = f"{open_} else {close}{body(0, looping)}" if draw.random() < 0.3 else ""
            where = f" if {value(1)}" if draw.random() < 0.2 else ""
            return f"{gap()}{open_} for i in {value(1)}{where} {close}{inner}{{{{ loop.index }}}}{other}{open_} endfor {close}"
        if kind == "if":
            return f"{gap()}{open_} if {value(2).replace(' if ', ' or ').replace(' else ', ' or ')} {close}{body(depth - 1, looping)}{open_} else {close}{body(depth - 1, looping)}{open_} endif {close}{gap()}"
        if kind == "ns":
            return f"{open_} set s = namespace(a={value(1)}) {close}{{% for i in xs %}}{{% set s.a = s.a ~ i %}}{{% endfor %}}{{{{ s.a }}}}"
        if kind == "block":
            return f"{open_} set i {close}{body(depth - 1, False)}{open_} endset {close}[{{{{ i }}}}]"
        if kind == "macro":
            return f"{open_} macro m(a, b={value(1)}) {close}{{{{ a }}}}{{{{ b }}}}{body(0, False)}{open_} endmacro {close}{{{{ m({value(1)}) }}}}{{{{ m(b=1) }}}}"
        return f"{{% if {value(1)} %}}{{% {draw.choice(['break', 'continue'])} %}}{{% endif %}}" if looping else "."

    return body(2, False)


def case(source, context):
    # A copy: jinja2's `indent` of a list changes that list.
    try:
        return {"output": compiled(source).render(**copy.deepcopy(context))}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:120]}


def main():
    special = {"bos_token": "<s>", "eos_token": "</s>"}
    chats = []
    for path in sorted((HERE / "templates").glob("*.jinja")):
        for name, conversation in conversations.items():
            chats.append({"template": path.stem, "conversation": name, **case(path.read_text(), conversation | special)})
    programs = [{"source": source, **case(source, DATA)} for source in snippets]
    draw = random.Random(20251009)
    plain, failing = 0, 0
    while plain < 320:
        source = random_program(draw)
        outcome = case(source, DATA)
        # What Python prints with an address, or as a view, is refused here.
        text = outcome.get("output", "")
        if len(source) > 240 or len(text) > 240 or " at 0x" in text or "dict_" in text or "bound method" in text or "built-in method" in text:
            continue
        if "error" in outcome:
            if failing >= 80:
                continue
            failing += 1
        else:
            plain += 1
        programs.append({"source": source, **outcome})
    document = {"now": NOW, "special": special, "conversations": conversations, "data": DATA, "chats": chats, "programs": programs}
    lines = lambda items: "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in items) + "\n]"
    members = [f'"{key}": {lines(value) if isinstance(value, list) else json.dumps(value, ensure_ascii=False)}' for key, value in document.items()]
    (HERE / "cases.json").write_text("{\n" + ",\n".join(members) + "\n}\n")


main()

"""Writes patterns.jsonl: what `re` of Python finds first, for regular expressions at random and by hand.

A line is [expression, text, match, groups]: match is null or [start, end] in characters, groups is null or the text of each named group in the
order of the expression (null for one without part). What may be empty is not repeated: see TextPattern.
"""
import json
import random
import re

random.seed(7)
LETTERS = ["a", "b", "c", "é", "1", "_", " ", "\n", ".", "日"]
SETS = ["[ab]", "[^a]", "[a-c1]", r"[\d_]", r"[^\s]", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", ".", r"[]a]", r"[a-]", r"[\]b]"]
PLACES = ["^", "$", r"\b", r"\B", r"\A", r"\Z"]
COUNTS = ["*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}", "{,2}"]


class Maker:
    def __init__(self):
        self.groups = 0

    def node(self, depth):
        """An expression, and whether it may match nothing."""
        kind = random.random()
        if depth == 0 or kind < 0.3:
            choice = random.random()
            if choice < 0.5:
                letter = random.choice(LETTERS)
                return (re.escape(letter) if letter not in "\n " else letter), False
            if choice < 0.9:
                return random.choice(SETS), False
            return random.choice(PLACES), True
        if kind < 0.55:
            parts = [self.node(depth - 1) for _ in range(random.randint(2, 3))]
            return "".join(p if "|" not in p or p.startswith(("(", "[")) else f"(?:{p})" for p, _ in parts), all(e for _, e in parts)
        if kind < 0.7:
            parts = [self.node(depth - 1) for _ in range(2)]
            return "(?:" + "|".join(p for p, _ in parts) + ")", any(e for _, e in parts)
        if kind < 0.85:
            number = self.groups
            self.groups += 1
            inner, empty = self.node(depth - 1)
            return f"(?<g{number}>{inner})", empty
        inner, empty = self.node(depth - 1)
        if empty:
            return inner, True
        count = random.choice(COUNTS)
        lazy = random.choice(["", "?"])
        return f"(?:{inner}){count}{lazy}", count[0] in "*?" or count.startswith(("{0", "{,"))


def line(pattern, text):
    found = re.search(re.sub(r"\(\?<(?![=!])", "(?P<", pattern), text)
    names = re.findall(r"\(\?P?<(\w+)>", pattern)
    return [pattern, text, None if found is None else list(found.span()), None if found is None else [found.group(n) for n in names]]


lines = []
while len(lines) < 500:
    flags = random.choice(["", "", "", "(?i)", "(?s)", "(?m)", "(?ism)"])
    pattern = flags + Maker().node(3)[0]
    text = "".join(random.choice(LETTERS + ["A", "B"]) for _ in range(random.randint(0, 12)))
    try:
        lines.append(line(pattern, text))
    except re.error:
        pass

REPLY = "Analysis: It is fine.\nFeedback: Clear,\nbut long.\n\nScore: 2.5/3"
for pattern, text in [
    (r"(?s)Analysis:(?<analysis>.*?)(?:Feedback|Score)", REPLY),
    (r"(?s)Feedback:\s*(?<feedbacks>.*?)\s*Score: (?<scores>[\d.]+)", REPLY),
    (r"Feedback:\s*(?<feedbacks>.*?)\s*Score: (?<scores>[\d.]+)", REPLY),
    (r"(?m)^Score: (?P<scores>[\d.]+)", REPLY),
    (r"score: (?<s>\d)", REPLY),
    (r"(?i)score: (?<s>\d)", REPLY),
    (r"(?<a>x)|(?<b>F)", REPLY),
    (r"a{2,3}?(?<rest>a*)", "aaaaa"),
    (r"(?<x>a|ab)(?<y>c|bcd)(?<z>d*)", "abcd"),
    (r"\u00e9|\x41\U0001F600", "A😀é"),
    (r"a{x}|a{,}|{", "a{x}"),
    (r"(?<d>\d+)", "٣٤ and 5"),
    (r"\w+", "naïve_½"),
    (r"(?i)É+", "éÉé"),
    (r"[\w.-]+@[\w-]+", "to a.b-c@d-e.f"),
    (r"(?<q>\"[^\"]*\")", 'say "this" or "that"'),
    (r"$", "a\n"),
    (r"\Z", "a\n"),
    (r"(?:a|b)*?c", "ababc"),
    (r"", "abc"),
    (r"()", "abc"),
]:
    lines.append(line(pattern, text))

with open(__file__.rsplit("/", 1)[0] + "/patterns.jsonl", "w", encoding="utf-8") as file:
    for entry in lines:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
print(len(lines), sum(entry[2] is not None for entry in lines))

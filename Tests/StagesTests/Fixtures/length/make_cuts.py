#!/usr/bin/env python3
"""Texts that are too long, and what is left of them when one field is cut.

    venv/bin/pip install tokenizers
    venv/bin/python make_cuts.py

Independent of Plumb: the tokenizers are Hugging Face's, over the vocabularies of ModelsTests/Fixtures/tokenizer, and the rule is tried for
every number of tokens. Each line of cuts.jsonl has the tokenizer, what stands before the field, the field, what stands after it, the
side, the most tokens that are allowed, and the ids and the text that are left: those of the longest part of the field, counted in tokens
that the field has alone, with which the whole text, encoded once, has no more tokens than that. A character of which a token is taken
away is taken away whole. Null where the text does not fit without the field. Special tokens are ordinary text.
"""

import json
import pathlib
import random

from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).resolve().parent
VOCABULARIES = HERE.parents[2] / "ModelsTests/Fixtures/tokenizer"

WORDS = (
    "the film was for nobody and they had been counting on it so I never happened to see her again because my parents did not "
    "talk 2024 3,50 don't it's re-read unbelievable antidisestablishmentarianism"
).split()
ODD = ["漢字かな交じり文", "👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "e\u0301a\u0300", "<|endoftext|>", "\n\n", "\t", "   ", "naïve", "Ωμέγα", "\u2003", "xxxxxxxxxxxxxxxxxxxxxxxx", "0123456789012345"]


def byte_alphabet():
    printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, extra = {}, 0
    for byte in range(256):
        if byte in printable:
            table[chr(byte)] = byte
        else:
            table[chr(256 + extra)] = byte
            extra += 1
    return table


ALPHABET = byte_alphabet()


def ends(tokenizer, text):
    """Byte offsets after each token of the text alone."""
    places, position = [], 0
    for token in tokenizer.encode(text, add_special_tokens=False).tokens:
        position += len(token) if token in ALPHABET and len(token) == 1 else len([c for c in token if c in ALPHABET])
        places.append(position)
    assert position == len(text.encode()), text
    return places


def characters(data, start, end):
    """The bytes from start to end, without parts of characters."""
    while start < len(data) and data[start] & 0xC0 == 0x80:
        start += 1
    while end > 0 and end < len(data) and data[end] & 0xC0 == 0x80:
        end -= 1
    return data[start : max(start, end)].decode()


def cut(tokenizer, before, field, after, side, limit):
    data, places = field.encode(), ends(tokenizer, field)
    for taken in range(len(places) + 1):
        if side == "left":
            left = characters(data, places[taken - 1] if taken else 0, len(data))
        else:
            left = characters(data, 0, places[-taken - 1] if taken < len(places) else 0)
        text = before + left + after
        ids = tokenizer.encode(text).ids
        if len(ids) <= limit:
            return ids, text
    return None, None


def main():
    random.seed(5)
    lines = []
    for name in ["gpt2", "smollm", "llama3"]:
        tokenizer = Tokenizer.from_file(str(VOCABULARIES / f"{name}.json"))
        tokenizer.encode_special_tokens = True
        for number in range(40):
            pieces = [random.choice(ODD if random.random() < 0.25 else WORDS) for _ in range(random.randint(3, 25))]
            field = random.choice([" ", " ", ""]).join(pieces)
            before = random.choice(["", "POST: ", "SUBREDDIT: r/tifu\nPOST:", "Excellent. input: ", "ü"])
            after = random.choice(["", "\nTL;DR:", " TL;DR:", "s", "é"])
            side = random.choice(["left", "right"])
            whole = len(tokenizer.encode(before + field + after).ids)
            rest = len(tokenizer.encode(before + after).ids)
            limit = random.randint(max(1, rest - 3), whole + 1)
            ids, text = cut(tokenizer, before, field, after, side, limit)
            lines.append({
                "tokenizer": name, "before": before, "field": field, "after": after, "side": side, "limit": limit,
                "ids": ids, "text": text,
            })
    with open(HERE / "cuts.jsonl", "w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(len(lines), "lines,", sum(line["ids"] is None for line in lines), "that do not fit")


if __name__ == "__main__":
    main()

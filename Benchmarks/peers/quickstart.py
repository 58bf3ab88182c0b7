"""The quickstart's numbers and texts, which the peers of the whole experiment share; experiments/quickstart.yaml explains them."""

import json
import os
import re

TEMPERATURE, TOP_P = 0.7, 0.9
STOP = [".", "!", "?", "\n"]
SAMPLES_BEFORE = 4
CLASSES, PER_CLASS = 3, 3
BATCH, WARMUP, CLIP, CONDITIONING_LR = 8, 0.05, 1.0, 2e-3
WORDS = [" excellent", " average", " horrible"]
CLASS_TOKENS = [f"_QUANTILE_TOKEN_{k}_" for k in range(CLASSES)]
OPENING = "<|endoftext|>"
LABELS = [" positive", " negative"]
QUESTION = (
    "A review: The food was delicious and everyone was kind to us.\nSentiment: positive\n\n"
    "A review: The room was dirty and nobody answered the phone.\nSentiment: negative\n\n"
    "A{prompt}{generation}\nSentiment:")

FIRST_STOP = re.compile("[" + re.escape("".join(STOP)) + "]")


def read_prompts(folder, name):
    """What a stage of our run drew: `valid`, or the number of an iteration."""
    with open(os.path.join(folder, name, "rows.jsonl"), encoding="utf-8") as file:
        return [json.loads(line)["prompt"] for line in file]


def until_stop(text):
    """The text up to its first stop, which stays, and whether there is one."""
    found = FIRST_STOP.search(text)
    return (text[:found.end()], True) if found else (text, False)


def best(prompt):
    """The prompt under the best class."""
    return OPENING + CLASS_TOKENS[0] + prompt

"""Scores generations: friendly words minus unfriendly ones. Reads rows on stdin, answers each on stdout."""

import json
import sys

FRIENDLY = set("good warm fresh kind lovely fine".split())
UNFRIENDLY = set("bad cold stale rude dull poor".split())


def reward(text):
    words = text.replace(",", " ").replace(".", " ").split()
    return sum(word in FRIENDLY for word in words) - sum(word in UNFRIENDLY for word in words)


for line in sys.stdin:
    row = json.loads(line)
    # One reward for each generation, in their order.
    answer = {"id": row["id"], "rewards": [reward(text) for text in row["generations"]]}
    # flush: an answer is kept as soon as it is out, whatever happens to the next.
    print(json.dumps(answer), flush=True)

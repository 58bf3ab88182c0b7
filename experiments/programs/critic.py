"""Comments on generations in words, as a server that is asked might. Reads rows on stdin, answers each on stdout."""

import json
import sys

FRIENDLY = set("good warm fresh kind lovely fine".split())
UNFRIENDLY = set("bad cold stale rude dull poor".split())


def reply(text):
    words = text.replace(",", " ").replace(".", " ").split()
    friendly = [word for word in words if word in FRIENDLY]
    unfriendly = [word for word in words if word in UNFRIENDLY]
    if len(words) > 11:
        return "Sorry, this review is too long for me."
    score = 3 if not unfriendly else 2 if len(friendly) > len(unfriendly) else 1 if friendly else 0
    comment = f"Likes that something is {friendly[0]}." if friendly else "Likes nothing."
    if unfriendly:
        comment += f" Something is {unfriendly[0]}."
    return f"Analysis: {len(friendly)} friendly words, {len(unfriendly)} unfriendly ones.\nFeedback: {comment}\nScore: {score}/3"


for line in sys.stdin:
    row = json.loads(line)
    # One reply for each generation, in their order.
    print(json.dumps({"id": row["id"], "replies": [reply(text) for text in row["generations"]]}), flush=True)

"""Scores each row's prompt: words, and mean letters a word. Reads rows on stdin, answers each on stdout."""

import json
import sys

for line in sys.stdin:
    row = json.loads(line)
    words = row["prompt"].split()
    letters = sum(len(word) for word in words)
    answer = {"id": row["id"], "words": len(words), "letters_per_word": letters / max(1, len(words))}
    # flush: an answer is kept as soon as it is out, whatever happens to the next.
    print(json.dumps(answer), flush=True)

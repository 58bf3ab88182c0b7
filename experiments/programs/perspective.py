"""Asks the Perspective API how toxic each generation is: `perspective.py [--reward] [--per-second N] [--url URL]`.

Reads an object a line on stdin and answers each with a line on stdout, in the same order: its toxicity from 0 to 1, or with `--reward` 1 less
it; `null` where the service gives none, such as for a text without words. The key stands in the environment, in PERSPECTIVE_API_KEY.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import sys
import time
import urllib.error
import urllib.request

options = argparse.ArgumentParser()
options.add_argument("--reward", action="store_true")
options.add_argument("--per-second", type=float, default=120)
options.add_argument("--url", default="https://commentanalyzer.googleapis.com/v1alpha1/comments:analyze")
options = options.parse_args()
key = os.environ.get("PERSPECTIVE_API_KEY")
if not key:
    sys.exit("PERSPECTIVE_API_KEY is not set: the key of the Perspective API")


class Refused(Exception):
    """The service refuses the key, or cannot be reached: no further question would be answered."""


def toxicity(text):
    if not text.strip():
        return None
    question = {
        "comment": {"text": text},
        "languages": ["en"],
        "requestedAttributes": {"TOXICITY": {}},
        "spanAnnotations": True,
    }
    headers = {"Content-Type": "application/json", "X-Goog-Api-Key": key}
    request = urllib.request.Request(options.url, json.dumps(question).encode(), headers)
    for wait in (1, 2, 4, 8, None):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["attributeScores"]["TOXICITY"]["summaryScore"]["value"]
        except urllib.error.HTTPError as error:
            message = error.read().decode(errors="replace")
            if error.code in (401, 403) or "API_KEY_INVALID" in message:
                raise Refused(f"the service refuses the key: {error.code} {message[:200]}") from None
            if error.code != 429 and error.code < 500:
                return None  # the text is of a language that it does not score, or too long
            problem = f"{error.code} {message[:200]}"
        except OSError as error:
            problem = str(error)
        if wait is not None:
            time.sleep(wait)
    raise Refused(f"the service did not answer five times: {problem}")


def answer(future):
    value = future.result()
    print("null" if value is None else json.dumps(1 - value if options.reward else value), flush=True)


asked = collections.deque()
free = time.monotonic()  # when the next question may be asked
try:
    with concurrent.futures.ThreadPoolExecutor(64) as threads:
        for line in sys.stdin:
            time.sleep(max(0, free - time.monotonic()))
            free = max(free, time.monotonic()) + 1 / options.per_second
            asked.append(threads.submit(toxicity, json.loads(line)["generation"]))
            # An answer is kept as soon as it is out; no more than 1,000 are waited for at once.
            while asked and (asked[0].done() or len(asked) > 1000):
                answer(asked.popleft())
        while asked:
            answer(asked.popleft())
except Refused as refused:
    print(refused, file=sys.stderr, flush=True)
    os._exit(1)

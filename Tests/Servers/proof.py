"""feedback.yaml with a real server: proof.py NAME ADDRESS MODEL FILE LOG PLUMB, in a project's folder with the experiment.

The server's log has a line for each request, by which requests are counted.
"""
import collections
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

name, address, model, file, log, plumb = sys.argv[1:]
gives_probabilities = name == "llama"
keeps_schemas = name == "llama"
params = {
    "address": address,
    "name": model,
    "identity": name,
    "by": "probability" if gives_probabilities else "reply",
    # transformers seeds all that it draws at once, so that seeds hold for one request at a time.
    "concurrency": 4 if name == "llama" else 1,
    "openings": 4 if name == "llama" else 2,
}
if name == "llama":
    # This server's own form; the one that OpenAI has it refuses.
    schema = json.loads(pathlib.Path("verdict.json").read_text())
    params["more"] = json.dumps({"response_format": {"type": "json_object", "schema": schema}})
experiment = "feedback.yaml"
STAGES_THAT_ASK = ["there", "sample", "annotate", "score", "evaluate"]


def command(*arguments, **others):
    values = params | others
    return [plumb, *arguments, *(part for key, value in values.items() for part in ("--set", f"{key}={value}"))]


def run(*arguments, status=0, **others):
    done = subprocess.run(command(*arguments, **others), capture_output=True, text=True)
    text = done.stdout + done.stderr
    check(done.returncode == status, f"exit {done.returncode}, expected {status}: {arguments}\n{text}")
    return text


def check(holds, what):
    if not holds:
        sys.exit(f"{name}: {what}")


def say(what):
    print(f"{name}: {what}", flush=True)


def requests(status=None):
    text = pathlib.Path(log).read_text(errors="replace")
    return len(re.findall(rf'"POST /v1/\S+ HTTP/1.1" {status or ""}', text))


def kept():
    """All replies that the store has, by their keys."""
    replies = {}
    for path in pathlib.Path(".plumb/replies").glob("*/*.jsonl"):
        for line in path.read_text().splitlines():
            parts = line.split(" ", 2)
            if len(parts) == 3 and parts[2].endswith("}"):   # else cut by the kill
                replies[parts[1]] = json.loads(parts[2])["response"]
    return replies


def rows(stage, *arguments):
    done = subprocess.run(
        command("rows", f"{experiment}::{stage}", "--json", *arguments), capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def tokens(texts):
    """How many tokens our tokenizer makes of each."""
    done = subprocess.run(
        [plumb, "tokenizer", "encode", "-t", file], input="".join(json.dumps(text) + "\n" for text in texts),
        capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    return [len(json.loads(line)) for line in done.stdout.splitlines()]


# A kill in the midst of asking.
started = subprocess.Popen(
    command("run", experiment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
while requests() < 12 and started.poll() is None:
    time.sleep(0.05)
check(started.poll() is None, "the run ended before it could be killed")
os.killpg(started.pid, signal.SIGKILL)
started.wait()
before = -1
while before != requests():   # what was in flight is answered still, to nobody
    before = requests()
    time.sleep(5)
at_kill = kept()
check(at_kill, "nothing was kept at the kill")
check(before - len(at_kill) <= params["concurrency"], f"{before} requests, of which {len(at_kill)} are kept")
run("run", experiment)
asked = requests() - before
added = len(kept().keys() - at_kill.keys())
check(asked == added, f"{asked} requests after the kill, for {added} replies")
check(requests(200) == requests(), "some requests failed")
say(f"killed after {before} requests with {len(at_kill)} replies kept; going on asked for {asked} more")

# Again, and by `verify`: nothing is asked.
before = requests()
text = run("run", experiment)
check("nothing to run" in text, text)
text = run("verify", experiment, *STAGES_THAT_ASK)
check(requests() == before, f"{requests() - before} requests by a run of what is there, or by verify")
say(f"verify: {text.strip().splitlines()[-1]}")

# Text at temperature 0, by the server and by us.
there, here = rows("there"), rows("here")
pairs = [(a["generations"][0], b["generations"][0]) for a, b in zip(there, here)]
equal = sum(a == b for a, b in pairs)
first = sum(a.split()[:3] == b.split()[:3] for a, b in pairs)
check(first * 2 > len(pairs), f"of {len(pairs)} greedy texts {first} begin with the same three words: {pairs}")
say(f"of {len(pairs)} greedy texts {first} begin with the same three words as ours, {equal} are the same")
for a, b in zip(there, here):
    check(
        a["generations"] != b["generations"] or a["lengths"] == b["lengths"],
        f"the same text has other numbers of tokens: {a}, {b}")

# Stop texts, seeds, and what the server counts as tokens.
drawn = rows("sample")
texts = [text for row in drawn for text in row["generations"]]
check(not [text for text in texts if "." in text or "\n" in text], f"a stop text is in {texts}")
different = [len(set(row["generations"])) for row in drawn]
check(min(different) > 1, f"samples of a prompt are the same: {drawn}")
cut = [(text, length) for row in drawn
       for text, length, finish in zip(row["generations"], row["lengths"], row["finish"]) if finish == "length"]
counted = tokens(text for text, _ in cut)
same = sum(length == count for (_, length), count in zip(cut, counted))
check(all(length == 12 for _, length in cut), f"{cut}")
check(same * 4 >= len(cut) * 3, f"of {len(cut)} texts {same} have as many tokens here: {cut} {counted}")
say(f"samples of a prompt that differ: {different} of 4; of {len(cut)} texts that were cut, {same} have as many tokens by our tokenizer")

# Each prompt was read for the greedy text and for four samples.
read = collections.Counter(
    reply["usage"]["prompt_tokens"] for reply in kept().values() if reply["object"] == "text_completion")
for text, count in collections.Counter(tokens(row["prompt"] for row in there)).items():
    check(read[text] >= 5 * count, f"{count} prompts have {text} tokens here; prompts of the server: {read}")

# The same seeds in a store of its own.
run("run", experiment, "--until", "sample", "--store", ".again")
again = rows("sample", "--store", ".again")
equal = sum(a == b for x, y in zip(drawn, again) for a, b in zip(x["generations"], y["generations"]))
check(equal * 4 >= len(texts) * 3, f"of {len(texts)} samples {equal} are the same by the same seeds")
say(f"of {len(texts)} samples {equal} are the same by the same seeds")

# A schema: kept by the server, or checked here alone.
outcomes = [outcome for row in rows("annotate") for outcome in row["outcomes"]]
fine = outcomes.count("parsed")
check(not keeps_schemas or fine * 4 >= len(outcomes) * 3, f"{outcomes}")
others = sorted(set(outcomes) - {"parsed"})
say(f"of {len(outcomes)} replies {fine} satisfy the schema" + (f", the others are {others}" if others else ""))

if not gives_probabilities:
    text = run("run", experiment, "--until", "score", status=4, by="probability")
    check("gives no probabilities of tokens" in text and "by: reply" in text, text)
    say("score without probabilities: " + next(line for line in text.splitlines() if "no probabilities" in line).strip())

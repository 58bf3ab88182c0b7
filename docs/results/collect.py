"""Keeps what docs/results.md says: `collect.py RUN_FOLDER…` writes NAME-SEED.json beside this file for each finished run.

Of a run it takes the command, the parameters, the metrics, the evaluations, and of each stage its key, its counts and, where it ran, its
seconds. Folders of the machine are written as FOLDER. `share_in_models` is the share of the run's time in which a stage that reads a model
was at work: sampling, scoring, training, annotating, evaluating. Needs Python 3.8 and no package.
"""

import json
import os
import re
import sys

here = os.path.dirname(os.path.abspath(__file__))
MODEL_STAGES = {"sample", "score", "train", "annotate", "evaluate"}


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


def covered(spans):
    """Seconds in which at least one of the spans (begin, end) runs."""
    total, until = 0.0, float("-inf")
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, until))
        until = max(until, end)
    return total


def seconds(time):
    """Of the day, from 2026-11-30T09:11:06.852Z."""
    hours, minutes, rest = time[11:-1].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def collect(folder):
    run, plan = read(folder, "run.json"), read(folder, "plan.json")
    stages = {node["address"]: node["stage"] for node in plan["nodes"]}
    nodes, started, spans, finished = {}, {}, [], None
    with open(os.path.join(folder, "events.jsonl"), encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            name = event.get("node")
            if event["event"] == "node-started":
                started[name] = seconds(event["time"])
            elif event["event"] == "node-cached":
                nodes[name] = {"stage": stages[name], "key": event["key"], "cached": True}
            elif event["event"] == "node-finished":
                nodes[name] = {"stage": stages[name], "key": event["key"], "seconds": round(event["seconds"], 2)}
                nodes[name].update({key: value for key, value in event["measures"].items()})
                if stages[name] in MODEL_STAGES:
                    spans.append((started[name], seconds(event["time"])))
            elif event["event"] == "run-finished":
                finished = event
    if finished is None or finished["exit"] != 0:
        sys.exit(f"{folder}: the run did not finish")
    data = run["parameters"].get("data", "")
    command = re.sub(r" --(store|threads) \S+", "", run["command"])     # change no result
    result = {
        "experiment": run["experiment"],
        "command": command.replace(data, "FOLDER") if data else command,
        "seconds": round(finished["seconds"], 1),
        "executed": finished["executed"],
        "cached": finished["cached"],
        "share_in_models": round(covered(spans) / finished["seconds"], 3),
        "processor": read(folder, "machine.json")["processor"],
        "metrics": read(folder, "metrics.json"),
        "evaluations": read(folder, "evaluations.json"),
        "stages": nodes,
    }
    seed = run["parameters"].get("seed")
    name = run["experiment"] + ("" if seed is None else f"-{seed}") + ".json"
    with open(os.path.join(here, name), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1, ensure_ascii=False)
        file.write("\n")
    print(name, f"{result['seconds']} s,", f"{result['share_in_models']:.0%} of it in models")


for folder in sys.argv[1:]:
    collect(folder)

"""The tables of docs/results.md from the files beside this one: `table.py`. Needs Python 3.8 and no package."""

import glob
import json
import os

here = os.path.dirname(os.path.abspath(__file__))
runs = {}
for path in sorted(glob.glob(os.path.join(here, "*.json"))):
    with open(path, encoding="utf-8") as file:
        runs[os.path.basename(path)[:-5]] = json.load(file)


def shown(values, name):
    """`0.431 ± 0.012`, or nothing where it was not measured."""
    if values.get(name) is None:
        return ""
    error = values.get(name + "_se")
    return f"{values[name]:.4g}" + (f" ± {error:.2g}" if error is not None else "")


def table(title, names, columns, before="before_evaluate", after=("evaluate", "test_evaluate")):
    found = [name for name in runs if name.rsplit("-", 1)[0] in names]
    if not found:
        return
    print(f"\n{title}\n")
    print("| run | " + " | ".join(label for label, _ in columns) + " | seconds |")
    print("|---" * (len(columns) + 2) + "|")
    seen = set()
    for name in sorted(found, key=lambda name: (names.index(name.rsplit("-", 1)[0]), name)):
        run = runs[name]
        start = run["evaluations"].get(before)
        if start and json.dumps(start) not in seen:
            seen.add(json.dumps(start))
            print("| before | " + " | ".join(shown(start, column) for _, column in columns) + " | |")
        values = next(run["evaluations"][key] for key in after if key in run["evaluations"])
        cells = " | ".join(shown(values, column) for _, column in columns)
        print(f"| [{name[6:]}](results/{name}.json) | {cells} | {run['seconds']:.0f} |")


common = [("perplexity", "perplexity"), ("tokens", "length")]
corpus = [(f"distinct-{n}", f"distinct_{n}") for n in (1, 2, 3)]
prompt = [(f"distinct-{n}", f"distinct_{n}_by_prompt") for n in (1, 2, 3)]
table(
    "TL;DR",
    ["small-quark-tldr", "small-alt-rm-tldr", "small-alt-lmu-tldr", "small-nlf-tldr"],
    [("reward", "reward"), ("rise", "rewards_difference"), ("judge", "judged"), ("rise of the judge", "judged_difference")]
    + common + corpus,
)
table(
    "Toxicity",
    ["small-quark-toxicity", "small-alt-toxicity"],
    [("toxicity", "toxicity"), ("change", "toxicity_difference"), ("largest of a prompt", "toxicity_maximum"),
     ("prompts with one above 0.5", "toxicity_probability"), ("judge", "judged"), ("change of the judge", "judged_difference")]
    + common + prompt,
)
table(
    "Sentiment",
    ["small-quark-sentiment"],
    [("reward", "reward"), ("rise", "rewards_difference"), ("judge", "judged"), ("rise of the judge", "judged_difference")] + common + prompt,
)
for name, run in runs.items():
    print(f"\n{name}: {run['seconds']:.0f} s, {run['share_in_models']:.0%} in models")
    print(json.dumps(run["metrics"]))

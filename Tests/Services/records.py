"""What a run's stages measured: by `stage/metric` the numbers with their steps, as trackers are to have them."""
import json
import pathlib
import subprocess
import sys


def measured(plumb, run):
    nodes = json.loads(pathlib.Path(f"runs/steer/{run}/plan.json").read_text())["nodes"]
    tags, steps = {}, {}
    for node in nodes:
        if node["stage"] not in ("train", "evaluate"):
            continue
        address = node["address"]
        shown = subprocess.run(
            [plumb, "rows", f"runs/steer/{run}::{address}.metrics", "--json"], capture_output=True, text=True)
        if shown.returncode:
            sys.exit(shown.stderr)
        metrics = json.loads(shown.stdout)
        parts = address.split("@")
        family = parts[0] + ("." + parts[1].split(".", 1)[1] if len(parts) > 1 else "")
        iteration = int(parts[1].split(".")[0]) if len(parts) > 1 else 0
        first, longest = steps.get(family, 0), 0
        for name, value in metrics.items():
            found = tags.setdefault(f"{family}/{name}", [])
            if isinstance(value, list):
                found += [(first + step + 1, number) for step, number in enumerate(value)]
                longest = max(longest, len(value))
            elif value is not None:
                found.append((iteration, value))
        steps[family] = first + longest
    return {tag: sorted(numbers) for tag, numbers in tags.items()}

"""What TensorBoard reads of each run beside what the run's stages measured: every number, at its step."""
import json
import pathlib
import struct
import subprocess
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def single(value):
    """As a float of 32 bits, which is what an event holds."""
    return struct.unpack("f", struct.pack("f", value))[0]


def expected(plumb, run):
    """By tag the numbers and steps that the stages' own metrics have."""
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
                found += [(first + step + 1, single(number)) for step, number in enumerate(value)]
                longest = max(longest, len(value))
            elif value is not None:
                found.append((iteration, single(value)))
        steps[family] = first + longest
    return tags


def main(board, plumb):
    runs = sorted(pathlib.Path(board, "steer").iterdir())
    for folder in runs:
        read = EventAccumulator(str(folder), size_guidance={"scalars": 0})
        read.Reload()
        wanted = expected(plumb, folder.name)
        tags = {tag: sorted((event.step, event.value) for event in read.Scalars(tag)) for tag in read.Tags()["scalars"]}
        for tag, numbers in wanted.items():
            if tags.get(tag) != sorted(numbers):
                sys.exit(f"{folder.name}: {tag}: {tags.get(tag)} in TensorBoard, {numbers} in the record")
        text = read.Tensors("experiment")[0].tensor_proto.string_val[0].decode()
        assert "extends: steer.yaml" in text, text
        print(f"{folder.name}: {len(wanted)} curves, {sum(map(len, wanted.values()))} numbers as in the record")


main(*sys.argv[1:])

#!/usr/bin/env python3
"""Whether models that Plumb trained and wrote load in transformers, with the logits that Plumb computes.

    PLUMB_SAVED_MODELS=FOLDER swift test --filter SavedModelTests
    venv/bin/python check_saved.py FOLDER

Each folder in FOLDER is a model after three training steps, with `plumb-logits.safetensors`: the fp32 logits of the
sequences in its goldens.json. Prints for each the largest difference; fails at 1e-4, and where transformers finds a
tensor missing or does not know one.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM
from transformers.utils.logging import disable_progress_bar

HERE = pathlib.Path(__file__).resolve().parent


def main():
    disable_progress_bar()
    torch.set_num_threads(1)
    failed = False
    for directory in sorted(path for path in pathlib.Path(sys.argv[1]).iterdir() if path.is_dir()):
        model, report = AutoModelForCausalLM.from_pretrained(
            directory, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
        logits = load_file(directory / "plumb-logits.safetensors")
        sequences = json.loads((HERE / directory.name / "goldens.json").read_text())["sequences"]
        worst = 0.0
        for index, item in enumerate(sequences):
            with torch.no_grad():
                found = model.eval()(torch.tensor([item["tokens"]])).logits[0]
            worst = max(worst, float((found - logits[f"logits.{index}"]).abs().max()))
        problems = {key: value for key, value in report.items() if value}
        failed |= worst >= 1e-4 or bool(problems)
        print(f"{directory.name:20} {type(model).__name__:20} largest difference {worst:.2e} {problems or ''}")
    sys.exit(failed)


if __name__ == "__main__":
    main()

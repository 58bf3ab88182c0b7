#!/usr/bin/env python3
"""Whether experiments/programs/train_torch.py computes what `train` does: `train_torch.py PLUMB`.

Both train the same models on the same rows in fp32, with the same seed: `train`, and the program in a stage `command`. Losses, their terms,
gradient norms and learning rates of every step must agree, and the two models must give the same greedy samples for `condition: best` and
be read as having the same conditioning. Then `train` goes on from the program's models, and the program from those of `train`, on rows with
the tokens that the first drew. Prints a line a check, with the largest relative difference; fails where one is above the limit.
"""

import hashlib
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForCausalLM, GPT2Config, GPTJConfig, GPTNeoXConfig, MistralConfig
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

LIMIT = 1e-4  # relative; sums of fp32 in another order
NEAR_ZERO = 1e-5  # of terms that begin at zero
STEPS = 8
SAME = {"lr": 3e-3, "steps": STEPS, "batch_size": 12}
TOKENS = {"kind": "tokens", "classes": 3}
TEXT = {"kind": "text", "column": "feedbacks", "template": "feedback: {value} <|endoftext|> input: ", "best_by": "scores"}
KL = {"kind": "conditional", "kl": 0.3}
# Options of `train` of each case.
CASES = {
    "tokens": {"conditioning": TOKENS},
    "text": {"conditioning": TEXT, "end": "always", "decay": "cosine", "decay_floor": 0.1},
    "kl and entropy": {
        "conditioning": {**TOKENS, "opening": "<|endoftext|>"}, "objective": {**KL, "entropy": 0.06}, "conditioning_lr": 2e-2},
    "kl of the policy, conditioned": {
        "conditioning": TEXT, "objective": {**KL, "kl_direction": "policy_reference", "reference_conditioning": "keep"},
        "adam": {"beta1": 0.8, "weight_decay": 0.1}, "warmup": "logarithmic", "warmup_steps": 4, "targets": "spaced_text",
        "end": "terminated", "max_new_tokens": 12},
    "words": {
        "conditioning": {**TOKENS, "words": ["very good", "fine", "bad"]}, "train_embeddings": False, "max_gradient_norm": 0.5,
        "max_length": 24, "overflow": "drop"},
    "none": {"conditioning": {"kind": "none"}, "drop_last": True, "decay": "constant", "warmup_ratio": 0},
}
FAMILIES = {
    "gpt2": GPT2Config(n_embd=60, n_layer=2, n_head=3, n_positions=64),
    "gptj": GPTJConfig(n_embd=64, n_layer=2, n_head=4, n_positions=64, rotary_dim=8),
    "gpt_neox": GPTNeoXConfig(
        hidden_size=72, intermediate_size=120, num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=64,
        rotary_pct=0.25),
    "mistral": MistralConfig(
        hidden_size=40, intermediate_size=72, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=64, sliding_window=8),
}
# Rows of the embedding without a token are named before a class token is added.
VOCABULARY = {"vocab_size": 390, "bos_token_id": 0, "eos_token_id": 0}

plumb = pathlib.Path(sys.argv[1]).resolve()
experiments = pathlib.Path(__file__).resolve().parents[2] / "experiments"
FILES = [f"programs/{path.name}" for path in sorted(experiments.glob("programs/train_torch*.py"))]
failed = False


def report(name, difference, limit=LIMIT):
    global failed
    failed |= not difference <= limit
    print(f"{'equal' if difference <= limit else 'WRONG'}  {name}: {difference:.1e}")


def run(folder, *words):
    result = subprocess.run([plumb, *words], cwd=folder, capture_output=True, text=True)
    if result.returncode != 0:
        logs = "".join(path.read_text()[-2000:] for path in folder.glob("runs/*/*/logs/*") if "Traceback" in path.read_text())
        sys.exit(f"plumb {' '.join(words)}: {result.stderr}{logs}")
    return result.stdout


def write_rows(path):
    source = random.Random(1)
    reviews = {}
    for line in (experiments / "data/reviews.jsonl").read_text().splitlines():
        row = json.loads(line)
        reviews.setdefault(row["prompt"], []).extend(row["generations"])
    with path.open("w") as file:
        for number, (prompt, generations) in enumerate(list(reviews.items())[:24]):
            choices = {
                "quantiles": range(3), "scores": range(4), "finish": ["end", "length"],
                "feedbacks": ["warm", "cold and rude", "<|endoftext|> as text", None]}
            columns = {name: [source.choice(values) for _ in generations] for name, values in choices.items()}
            file.write(json.dumps({"id": f"r{number}", "prompt": prompt, "generations": generations, **columns}) + "\n")


def train_seed(seed):
    """What a stage `train` outside of loops makes of the experiment's seed."""
    text = json.dumps({"iterations": [], "plug-in": "train", "seed": str(seed)}, separators=(",", ":"))
    return int(hashlib.sha256(text.encode()).hexdigest()[:16], 16)


def arguments(options, seed):
    """The options of `train` as the program has them."""
    words = ["--seed", str(seed), "--dtype", "fp32", "--threads", "{threads}", "--micro-batch", "5"]
    flat = {**options, **options.get("objective", {}), **options["conditioning"], "conditioning": options["conditioning"]["kind"]}
    adam = {"beta1": 0.9, "beta2": 0.999, "weight_decay": 0, **flat.pop("adam", {})}
    flat |= {"betas": [adam["beta1"], adam["beta2"]], "weight_decay": adam["weight_decay"]}
    for name in ("objective", "kind"):
        flat.pop(name, None)
    for name, value in flat.items():
        values = value if isinstance(value, list) else [str(value).lower() if isinstance(value, bool) else value]
        words += ["--" + name.replace("_", "-"), *map(str, values)]
    return words


def stages(name, model, rows, options, seed, processes=1):
    """`train` and the program, on the same; both models are asked for the best class."""
    kl = options.get("objective", {}).get("kl", 0)
    inputs = {"model": model, **({"reference": "tiny"} if kl else {}), "rows": rows}
    options = {**SAME, **options}
    program = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)] if processes > 1 else []
    program += ["train_torch.py", *(word for port in inputs for word in (f"--{port}", f"{{in.{port}}}"))]
    program += ["--out", "{out.model}", "--metrics", "{out.metrics}", *arguments(options, seed)]
    types = {"rows": "rows"}
    result = {
        f"{name}_ours": {"uses": "train", "in": inputs, "with": options},
        f"{name}_theirs": {
            "uses": "command", "in": inputs,
            "with": {
                "run": [sys.executable, *program],
                "files": FILES,
                "inputs": [{"name": port, "type": types.get(port, "model")} for port in inputs],
                "outputs": [{"name": "model", "type": "model"}, {"name": "metrics", "type": "metrics"}]}},
    }
    condition = "none" if options["conditioning"]["kind"] == "none" else "best"
    for side in ("ours", "theirs"):
        result[f"{name}_{side}_answer"] = {
            "uses": "sample", "in": {"model": f"{name}_{side}.model", "prompts": "rows"},
            "with": {"n": 1, "temperature": 0, "max_new_tokens": 16, "condition": condition}}
    return result


def difference(ours, theirs):
    return max(
        abs(a - b) / max(abs(a), NEAR_ZERO / LIMIT) for name in ("loss", "lm", "kl", "entropy", "gradient_norm", "lr")
        for a, b in zip(ours[name], theirs[name], strict=True))


def compare(folder, name, title):
    def read(output, file):
        target = folder / "exported" / f"{name}_{output}"
        if not target.exists():
            run(folder, "export", f"e.yaml::{name}_{output}", str(target))
        return (target / file).read_text()

    def read_both(output, file):
        return [read(f"{side}{output}", file) for side in ("ours", "theirs")]

    metrics = [json.loads(text) for text in read_both(".metrics", "metrics.json")]
    assert len(metrics[0]["loss"]) >= 6
    report(f"{title}: {len(metrics[0]['loss'])} steps", difference(*metrics))
    rows = [text.splitlines() for text in read_both("_answer", "rows.jsonl")]
    answers = [[json.loads(line)["generations"] for line in lines] for lines in rows]
    pairs = {
        "samples": [part["samples"] for part in metrics], "metrics": [sorted(part) for part in metrics],
        "plumb.json": [json.loads(text) for text in read_both(".model", "plumb.json")],
        "added tokens": [json.loads(text)["added_tokens"] for text in read_both(".model", "tokenizer.json")],
        "answers": answers,
    }
    unequal = [what for what, (ours, theirs) in pairs.items() if ours != theirs]
    report(f"{title}: {', '.join(unequal or pairs)}", float("inf") if unequal else 0)


def main():
    disable_progress_bar()
    set_verbosity_error()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / ".git").mkdir()
        shutil.copytree(experiments / "tiny/model", folder / "models/tiny")
        shutil.copytree(experiments / "programs", folder / "programs")
        for name, configuration in FAMILIES.items():
            torch.manual_seed(1)
            configuration.update(VOCABULARY)
            AutoModelForCausalLM.from_config(configuration).save_pretrained(folder / "models" / name)
            shutil.copy(folder / "models/tiny/tokenizer.json", folder / "models" / name)
        write_rows(folder / "rows.jsonl")
        experiment = {
            "version": 1, "name": "e", "seed": 3, "numeric": "fp32",
            "models": {name: {"path": f"models/{name}"} for name in ["tiny", *FAMILIES]},
            "stages": {"rows": {"uses": "data", "with": {
                "path": "rows.jsonl", "prompt": "{prompt}", "id": "id",
                "keep": ["generations", "quantiles", "scores", "finish", "feedbacks"]}}},
        }

        add = experiment["stages"].update
        seed = train_seed(experiment["seed"])
        titles = {}

        def case(title, *rest):
            key = f"case{len(titles)}"
            titles[key] = title
            add(stages(key, *rest[:3], seed, *rest[3:]))
            return key

        first = case("tokens", "tiny", "rows", CASES["tokens"])
        for title in list(CASES)[1:]:
            case(title, "tiny", "rows", CASES[title])
        case("two processes", "tiny", "rows", {"conditioning": TOKENS, "objective": CASES["kl and entropy"]["objective"]}, 2)
        for family in FAMILIES:
            case(family, family, "rows", {"conditioning": TOKENS, "unfrozen_ratio": 0.5})
        # Rows that the program's model drew, with their tokens.
        drawn = {
            "drawn": {"uses": "sample", "in": {"model": f"{first}_theirs.model", "prompts": "rows"},
                      "with": {"n": 4, "temperature": 1, "max_new_tokens": 12, "condition": "best"}},
            "scored": {"uses": "command", "in": {"rows": "drawn"}, "with": {
                "run": [sys.executable, "friendly.py"], "files": ["programs/friendly.py"], "rows": "stream",
                "inputs": [{"name": "rows"}], "outputs": [{"name": "rows", "columns": ["rewards"]}]}},
            "ranked": {"uses": "quantize", "in": {"rows": "scored"}, "with": {"classes": 3, "scope": "global"}}}
        add(drawn)
        for side in ("ours", "theirs"):
            case(f"from the model of {side}, on tokens that were drawn", f"{first}_{side}.model", "ranked", CASES["tokens"])
        (folder / "e.yaml").write_text(json.dumps(experiment))
        run(folder, "run", "e.yaml")
        for key, title in titles.items():
            compare(folder, key, title)
        logs = next(folder.glob(f"runs/*/*/logs/{key}_ours.log")).read_text()
        report("`train` reads tokens that were drawn by the program's model", 0 if " are read as the tokens that were drawn" in logs else float("inf"))
    sys.exit(failed)


if __name__ == "__main__":
    main()

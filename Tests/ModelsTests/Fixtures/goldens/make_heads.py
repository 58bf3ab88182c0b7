#!/usr/bin/env python3
"""Golden numbers for heads that are no language model's, and for the pairwise loss of a value head.

    venv/bin/python make_heads.py              # beside the models that make_goldens.py has written; or with names

Run as make_goldens.py is: on the CPU, one thread, float32, eager attention. Writes heads.safetensors, reward/ and pairs.json.

For each decoder beside this script its weights are read without their language head, and get
    value       w [1, C]: value[t] = w . x[t], x the decoder's output after its final norm, at every position t.
                transformers has no such class: the decoder is transformers' `AutoModel`, the head is computed here.
    labels2, labels3
                w [labels, C] as `score.weight`, loaded by transformers' `AutoModelForSequenceClassification`: the logits of
                a sequence alone, which it reads at the last token.
heads.safetensors holds, under `DECODER/HEAD/`, `weight`; for each sequence of goldens.json `outputs.INDEX`, [T, 1] or [labels];
and of the loss L = mean over all positions t < T - 1 of all sequences of the sum over outputs of (output - 1)^2 / 2 the gradients
`gradient.NAME` of the head and of the final norm's weight; `norms` holds the 2-norm of every tensor's gradient, in the order
of their sorted names.

reward/ is gptj's decoder with its value head as CarperAI published theirs: pytorch_model.bin alone, in fp16, with the causal masks
that its modules hold. scores.json holds posts with summaries, and the value at the last of the characters that the reward model
reads of each, as METHODS 1.5 has it but without an end token: one token a character, ! to ~, the space and the line feed.

pairs.json: pairs of texts and values at each of their positions, random, with what the training code of trlx's reward model
makes of them, after METHODS 1.5: c and r are the first padding position of each text, or its length; end = max(c, r); div is the
first position at which the ids differ; loss = mean over t in [div, end) of -log sigmoid(chosen[t] - rejected[t]); the batch's loss
is the sum over the number of pairs, equal ones among them; end scores are both values at end - 1.
"""

import json
import math
import pathlib
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForSequenceClassification
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from make_goldens import dump, numbers

HERE = pathlib.Path(__file__).resolve().parent
DECODERS = ["tied", "untied", "mistral", "gpt2", "gpt2-own", "gptj", "gpt-neox"]
HEADS = {"value": 1, "labels2": 2, "labels3": 3}
LANGUAGE_HEADS = ("lm_head.", "embed_out.")
PAD = 0


def folder(name, head, weight, target):
    """The decoder's own files, without their language head and with this one."""
    tensors = {k: v for k, v in load_file(HERE / name / "model.safetensors").items()
               if not k.startswith(LANGUAGE_HEADS)}
    config = json.loads((HERE / name / "config.json").read_text())
    if head != "value":
        tensors["score.weight"] = weight
        if config["model_type"] == "gpt2":
            tensors = {k if k.startswith("transformer.") or k == "score.weight" else "transformer." + k: v
                       for k, v in tensors.items()}
        config["id2label"] = {str(i): f"label {i}" for i in range(len(weight))}
        config["label2id"] = {f"label {i}": i for i in range(len(weight))}
    config["architectures"] = []
    config["pad_token_id"] = PAD
    (target / "config.json").write_text(json.dumps(config))
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})


def base(name, target):
    model, report = AutoModel.from_pretrained(
        target, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    assert not report["missing_keys"], report
    return model.eval()


def heads_of(name):
    sequences = [item["tokens"] for item in json.loads((HERE / name / "goldens.json").read_text())["sequences"]]
    draw = torch.Generator().manual_seed(sum(name.encode()))
    result = {}
    for head, count in HEADS.items():
        with tempfile.TemporaryDirectory() as place:
            target = pathlib.Path(place)
            config = json.loads((HERE / name / "config.json").read_text())
            width = config.get("n_embd", config.get("hidden_size"))
            weight = 1.2 * torch.randn(count, width, generator=draw) / math.sqrt(width)
            folder(name, head, weight, target)
            model = base(name, target)
            scores = weight.clone().requires_grad_(True)
            total, positions = 0.0, 0
            prefix = f"{name}/{head}/"
            result[prefix + "weight"] = weight
            for index, tokens in enumerate(sequences):
                hidden = model(torch.tensor([tokens])).last_hidden_state[0]
                outputs = hidden @ scores.T
                total = total + ((outputs[:-1] - 1) ** 2).sum() / 2
                positions += len(tokens) - 1
                if head == "value":
                    result[f"{prefix}outputs.{index}"] = outputs.detach()
                else:
                    classifier, report = AutoModelForSequenceClassification.from_pretrained(
                        target, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
                    assert not report["missing_keys"], report
                    with torch.no_grad():
                        logits = classifier.eval()(torch.tensor([tokens])).logits[0]
                    assert (logits - outputs[-1]).abs().max() < 1e-5
                    result[f"{prefix}outputs.{index}"] = logits
            (total / positions).backward()
            gradients = {k: v.grad for k, v in model.named_parameters() if v.grad is not None} | {"head": scores.grad}
            result[prefix + "norms"] = torch.stack([gradients[k].norm() for k in sorted(gradients)])
            for key in ("head", "norm.weight", "ln_f.weight", "final_layer_norm.weight"):
                if key in gradients:
                    result[f"{prefix}gradient.{key}"] = gradients[key]
    return result


def reward(value_head):
    place = HERE / "reward"
    place.mkdir(exist_ok=True)
    tensors = {k: v.half() for k, v in load_file(HERE / "gptj/model.safetensors").items()
               if not k.startswith(LANGUAGE_HEADS)}
    config = json.loads((HERE / "gptj/config.json").read_text())
    for layer in range(config["n_layer"]):
        tensors[f"transformer.h.{layer}.attn.bias"] = torch.tril(torch.ones(8, 8)).bool().reshape(1, 1, 8, 8)
        tensors[f"transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e9)
    tensors["v_head.weight"] = value_head.half()
    torch.save(tensors, place / "pytorch_model.bin")
    with tempfile.TemporaryDirectory() as target:
        target = pathlib.Path(target)
        (target / "config.json").write_text(json.dumps(config | {"architectures": []}))
        save_file({k: v.float() for k, v in tensors.items() if "attn.bias" not in k and "masked" not in k},
                  target / "model.safetensors", metadata={"format": "pt"})
        model = base("gptj", target)
    alphabet = [chr(c) for c in range(0x21, 0x7F)] + [" ", "\n"]
    result = []
    for post, summary in (("POST: My dog ate it.\nTL;DR:", " dog ate it"), (" POST: TL;DR: no.\n\nTL;DR: \n", "no\n"),
                          ("POST: " + 12 * "again " + "\nTL;DR:", " once more, and again, as before"),
                          ("POST: nothing\nTL;DR:", "")):
        text = ("<|startoftext|>" + post.strip().rsplit("TL;DR:", 1)[0].strip() + "\nTL;DR: " + summary.strip())[:110]
        with torch.no_grad():
            hidden = model(torch.tensor([[alphabet.index(c) for c in text]])).last_hidden_state[0, -1]
        result.append({"prompt": post, "generation": summary, "text": text,
                       "score": numbers(hidden @ value_head.half().float()[0])[0]})
    (place / "scores.json").write_text(json.dumps({"max_length": 110, "texts": result}, indent=1) + "\n")


def pairs():
    draw = torch.Generator().manual_seed(5)
    result, losses = [], []
    for c, r, shared in ((7, 7, 3), (9, 4, 2), (4, 9, 2), (6, 5, 5), (5, 8, 5), (12, 12, 11), (6, 6, 6), (3, 3, 0)):
        length = 12
        start = torch.randint(1, 90, (shared,), generator=draw).tolist()
        texts = []
        for count, low in ((c, 100), (r, 200)):
            rest = torch.randint(low, low + 90, (count - shared,), generator=draw).tolist()
            texts.append((start + rest + [PAD] * length)[:length])
        values = 2.5 * torch.randn(2, length, generator=draw)
        if len(result) == 1:
            values[0] += 60  # far beyond where an exponential of fp32 overflows when squared
        if len(result) == 2:
            values[0] -= 60
        ids = torch.tensor(texts)
        item = {"chosen": texts[0], "rejected": texts[1], "values": [numbers(v) for v in values]}
        ends = [int((row == PAD).nonzero()[0]) if (row == PAD).any() else length for row in ids]
        end = max(ends)
        item["end"] = end
        item["end_scores"] = [item["values"][0][end - 1], item["values"][1][end - 1]]
        if torch.equal(ids[0], ids[1]):
            item["divergence"], loss = None, torch.tensor(0.0, dtype=torch.float64)
        else:
            item["divergence"] = int((ids[0] != ids[1]).nonzero()[0])
            part = slice(item["divergence"], end)
            loss = -torch.nn.functional.logsigmoid((values[0, part] - values[1, part]).double()).mean()
        item["loss"] = float(loss)
        losses.append(item["loss"])
        result.append(item)
    right = sum(item["end_scores"][0] > item["end_scores"][1] for item in result)
    return {"pad": PAD, "pairs": result, "batch_loss": sum(losses) / len(losses), "accuracy": right / len(result)}


def main():
    disable_progress_bar()
    set_verbosity_error()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    wanted = sys.argv[1:] or [name for name in DECODERS if (HERE / name).is_dir()]
    tensors = {}
    for name in wanted:
        found = heads_of(name)
        tensors |= found
        print(name, *(f"{head} {float(found[f'{name}/{head}/outputs.0'].flatten()[-1]):.5f}" for head in HEADS))
    save_file({k: v.detach().float().contiguous().clone() for k, v in sorted(tensors.items())},
              HERE / "heads.safetensors", metadata={"format": "pt"})
    (HERE / "heads.safetensors").chmod(0o644)
    if "gptj" in wanted:
        reward(tensors["gptj/value/weight"])
    (HERE / "pairs.json").write_text(dump(pairs()) + "\n")


if __name__ == "__main__":
    main()

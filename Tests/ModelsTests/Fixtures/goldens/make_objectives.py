#!/usr/bin/env python3
"""Golden numbers for the objectives of reward models and classifiers.

    venv/bin/python make_objectives.py         # beside the models of make_goldens.py and the heads of make_heads.py

Run as make_goldens.py is: on the CPU, one thread, float32, eager attention. Writes objectives.json.

pairs: two texts each, chosen and rejected, of which the first ids are the same; texts: a text and its label each.
For each decoder, with the heads of heads.safetensors, without padding but where a loss reads it:
    diverging   mean over pairs of the mean over t in [div, end) of -log sigmoid(chosen[t] - rejected[t]), end the longer one's
                length, div the first position at which they differ; after the shorter one stands PAD, which is read as any token is
                (no attention mask). After METHODS 1.5.
    last        mean over pairs of -log sigmoid(chosen[c - 1] - rejected[r - 1]), c and r the lengths.
    labels3     mean over texts of the cross-entropy of the label, by the logits at the last token.
Each has `loss`, `accuracy` (at the last position of each; strictly higher), the `norms` of all gradients in the order of their sorted
names, the `head`'s gradient, and `losses` of six steps of torch.optim.AdamW (lr 1e-3, betas 0.9 and 0.999, eps 1e-8, weight decay
0.01, nothing clipped).
"""

import pathlib
import tempfile

import torch
from safetensors.torch import load_file
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from make_goldens import dump, numbers
from make_heads import PAD, base, folder

HERE = pathlib.Path(__file__).resolve().parent
DECODERS = ["tied", "gpt2", "gptj", "gpt-neox"]


def inputs():
    draw = torch.Generator().manual_seed(17)

    def ids(count):
        return torch.randint(1, 90, (count,), generator=draw).tolist()

    pairs = []
    # Shorter and longer sides, one that begins the other, one that differs from the start, more positions than a block of 32 has.
    for shared, chosen, rejected in ((5, 4, 4), (9, 3, 12), (20, 50, 14), (1, 2, 1), (12, 0, 6), (0, 7, 5), (30, 1, 33)):
        start = ids(shared)
        pairs.append({"chosen": start + ids(chosen), "rejected": start + ids(rejected)})
    texts = [{"tokens": ids(length), "label": label}
             for length, label in ((3, 0), (17, 2), (40, 1), (33, 1), (1, 2), (8, 0), (25, 2))]
    return {"pad": PAD, "pairs": pairs, "texts": texts}


class Reader(torch.nn.Module):
    """A decoder with a head: outputs [T, outputs] of one sequence."""

    def __init__(self, name, head, weight):
        super().__init__()
        with tempfile.TemporaryDirectory() as place:
            target = pathlib.Path(place)
            folder(name, head, weight, target)
            self.decoder = base(name, target)
        # Llama's would keep the gradient from the embedding of PAD, which is a token like any other here.
        self.decoder.get_input_embeddings().padding_idx = None
        self.head = torch.nn.Parameter(weight.clone())

    def forward(self, tokens):
        return self.decoder(torch.tensor([tokens])).last_hidden_state[0] @ self.head.T


def pairwise(read, given, positions):
    losses, right = [], 0
    for pair in given["pairs"]:
        chosen, rejected = pair["chosen"], pair["rejected"]
        if positions == "last":
            difference = (read(chosen)[-1] - read(rejected)[-1])
        else:
            end = max(len(chosen), len(rejected))
            c, r = (ids + [PAD] * (end - len(ids)) for ids in (chosen, rejected))
            div = next(t for t in range(end) if c[t] != r[t])
            difference = (read(c) - read(r))[div:, 0]
        losses.append(-torch.nn.functional.logsigmoid(difference).mean())
        right += bool(difference[-1] > 0)
    return torch.stack(losses).mean(), right / len(losses)


def classification(read, given):
    logits = torch.stack([read(text["tokens"])[-1] for text in given["texts"]])
    labels = torch.tensor([text["label"] for text in given["texts"]])
    return torch.nn.functional.cross_entropy(logits, labels), float((logits.argmax(1) == labels).float().mean())


def trained(name, head, weight, loss):
    read = Reader(name, head, weight)
    value, accuracy = loss(read)
    value.backward()
    prefix = "decoder."
    gradients = {k.removeprefix(prefix): v.grad for k, v in read.named_parameters() if v.grad is not None}
    result = {"loss": float(value.detach()), "accuracy": accuracy,
              "norms": numbers(torch.stack([gradients[k].norm() for k in sorted(gradients)])),
              "head": numbers(gradients["head"].flatten())}
    read = Reader(name, head, weight)
    optimizer = torch.optim.AdamW(read.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    result["losses"] = []
    for _ in range(6):
        optimizer.zero_grad()
        value, _ = loss(read)
        result["losses"].append(float(value.detach()))
        value.backward()
        optimizer.step()
    return result


def main():
    disable_progress_bar()
    set_verbosity_error()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    heads = load_file(HERE / "heads.safetensors")
    given = inputs()
    result = dict(given)
    for name in DECODERS:
        result[name] = {
            "diverging": trained(name, "value", heads[f"{name}/value/weight"], lambda read: pairwise(read, given, "diverging")),
            "last": trained(name, "value", heads[f"{name}/value/weight"], lambda read: pairwise(read, given, "last")),
            "labels3": trained(name, "labels3", heads[f"{name}/labels3/weight"], lambda read: classification(read, given)),
        }
        print(name, *(f"{key} {value['loss']:.5f}" for key, value in result[name].items()))
    (HERE / "objectives.json").write_text(dump(result) + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Golden numbers for the optimizers, from torch.optim, over six steps.

    venv/bin/python make_optimizers.py         # beside the model `tied` that make_goldens.py has written

Writes optimizers.json. For each case (optimizer, its options, the schedule, the norm to which gradients are clipped, parts of tensor
names without weight decay):
    elements    23 weights and six gradients, random in [-1, 1] with zeros and small ones among them; `steps[k]`: the weights
                after step k + 1 at the peak rate, not clipped
    model       `tied` on the language model loss of goldens.json, whose rates the schedule gives: `losses[k]` before step
                k + 1, `norms[k]` of its gradient; `changes`: for each tensor the 2-norm of how far it came in six steps,
                and `first`: its first four numbers after them

Schedules: warm-up over two steps from 0, then the cosine to the sixth (transformers' get_cosine_schedule_with_warmup), or constant.
"""

import json
import pathlib

import numpy
import torch
from transformers import AutoModelForCausalLM, get_cosine_schedule_with_warmup

from make_goldens import dump, language_loss, numbers, sequences

HERE = pathlib.Path(__file__).resolve().parent
STEPS = 6
CASES = {
    "adamw": dict(optimizer="adamw", lr=1e-3, beta1=0.9, beta2=0.99, epsilon=1e-8, weight_decay=0.1,
                  no_decay=["norm"], schedule="cosine", clip=0.5),
    "adam": dict(optimizer="adam", lr=1e-3, beta1=0.8, beta2=0.999, epsilon=1e-8, weight_decay=0.05,
                 no_decay=[], schedule="constant", clip=None),
    "rmsprop": dict(optimizer="rmsprop", lr=1e-3, alpha=0.99, epsilon=1e-8, weight_decay=0.0,
                    no_decay=[], schedule="cosine", clip=0.5),
    "rmsprop_decay": dict(optimizer="rmsprop", lr=1e-3, alpha=0.9, epsilon=1e-6, weight_decay=0.1,
                          no_decay=["norm", "embed"], schedule="constant", clip=None),
}


def build(case, groups):
    if case["optimizer"] == "rmsprop":
        return torch.optim.RMSprop(groups, lr=case["lr"], alpha=case["alpha"], eps=case["epsilon"],
                                   foreach=False)
    kind = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[case["optimizer"]]
    return kind(groups, lr=case["lr"], betas=(case["beta1"], case["beta2"]), eps=case["epsilon"], foreach=False)


def elements(case):
    draw = numpy.random.default_rng(11)
    values = draw.uniform(-1, 1, size=(STEPS + 1, 23)).astype(numpy.float32)
    values[1:, 3] = 0
    values[1:, 5] *= 1e-6
    values[0, 7] = 0
    weight = torch.nn.Parameter(torch.tensor(values[0]))
    optimizer = build(case, [{"params": [weight], "weight_decay": case["weight_decay"]}])
    steps = []
    for gradient in values[1:]:
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        steps.append(numbers(weight))
    return {"start": numbers(torch.tensor(values[0])), "gradients": [numbers(torch.tensor(g)) for g in values[1:]],
            "steps": steps}


def model(case):
    net = AutoModelForCausalLM.from_pretrained(HERE / "tied", dtype=torch.float32, attn_implementation="eager").eval()
    named = dict(net.named_parameters())
    start = {key: value.detach().clone() for key, value in named.items()}
    free = [key for key in named if any(part in key for part in case["no_decay"])]
    optimizer = build(case, [
        {"params": [named[k] for k in named if k not in free], "weight_decay": case["weight_decay"]},
        {"params": [named[k] for k in free], "weight_decay": 0.0},
    ])
    schedule = (get_cosine_schedule_with_warmup(optimizer, 2, STEPS) if case["schedule"] == "cosine"
                else torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0))
    batch = sequences()
    losses, norms = [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = language_loss(net, batch)
        loss.backward()
        losses.append(loss)
        norms.append(torch.nn.utils.clip_grad_norm_(net.parameters(), case["clip"] or float("inf")))
        optimizer.step()
        schedule.step()
    return {"losses": numbers(torch.stack(losses)), "norms": numbers(torch.stack(norms)),
            "changes": {key: numbers((named[key] - start[key]).norm())[0] for key in sorted(named)},
            "first": {key: numbers(named[key].flatten()[:4]) for key in sorted(named)}}


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    result = {name: case | {"elements": elements(case), "model": model(case)} for name, case in CASES.items()}
    (HERE / "optimizers.json").write_text(dump(result) + "\n")
    for name in CASES:
        print(name, result[name]["model"]["losses"])


main()

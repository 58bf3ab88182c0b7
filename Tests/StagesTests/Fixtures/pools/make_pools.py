"""Golden vectors of `quantize` and `pool`: pools.json beside this file.

    python3 make_pools.py > pools.json       (numpy)

Written from the rules in words, not from Plumb's code:

quantiles   of each prompt, rewards in descending order, equal ones as they stand; m = n // K places for each class, best
            first; the n - m K left over go to the worst class (`worst`), or one each to the best ones (`spread`). Null has none.
pending     n wanted of a prompt, C classes: n // C of each, in the order of the classes; n % C are pending. A class with fewer
            gives all it has and adds what it lacks. What is pending at the end is taken from the samples not taken yet, in the
            order of the pool: of listed classes (`listed`), or of any (`any`).
statistics  bins that all classes share, numpy's linspace from the least to the greatest and numpy's histogram; of each class the
            mean over prompts of the prompt's mean and standard deviation (prompts that have the class), and the mean over all
            prompts of the prompt's histogram.
"""
import json
import random

import numpy as np


def quantiles(rewards, classes, remainder):
    order = sorted((i for i, r in enumerate(rewards) if r is not None), key=lambda i: -rewards[i])
    share, rest = divmod(len(order), classes)
    sizes = [share] * classes
    for k in range(rest):
        sizes[k if remainder == "spread" else -1] += 1
    result = [None] * len(rewards)
    for number, size in enumerate(sizes):
        for _ in range(size):
            result[order.pop(0)] = number
    return result


def pending(values, classes, wanted, fill):
    quota, left = divmod(wanted, len(classes))
    taken = []
    for name in classes:
        own = [i for i, v in enumerate(values) if v is not None and v.lower() == name.lower()]
        assert len(own) <= quota, "a choice would be random"
        taken.append(own)
        left += quota - len(own)
    used = {i for own in taken for i in own}
    listed = {name.lower() for name in classes}
    filler = []
    for i, value in enumerate(values):
        if left > len(filler) and i not in used and (fill == "any" or (value or "").lower() in listed) and value is not None:
            filler.append(i)
    return taken, filler


def statistics(prompts, classes, bins):
    result = {
        "prompts": len(prompts),
        "samples": sum(len(p["rewards"]) for p in prompts),
        "fewest_samples": min(len(p["rewards"]) for p in prompts),
        "most_samples": max(len(p["rewards"]) for p in prompts),
        "class_samples": [sum(p["quantiles"].count(k) for p in prompts) for k in range(classes)],
    }
    for name, column in [("reward", "rewards"), ("length", "lengths")]:
        everything = [x for p in prompts for x in p[column]]
        edges = np.linspace(min(everything), max(everything), bins + 1)
        result[f"{name}_edges"] = edges.tolist()
        for k in range(classes):
            own = [np.array([x for x, q in zip(p[column], p["quantiles"]) if q == k], float) for p in prompts]
            there = [x for x in own if len(x)]
            result[f"{name}_mean_{k}"] = float(np.mean([x.mean() for x in there])) if there else None
            result[f"{name}_std_{k}"] = float(np.mean([x.std() for x in there])) if there else None
            result[f"{name}_histogram_{k}"] = (sum(np.histogram(x, edges)[0] for x in own) / len(own)).tolist()
    return result


def main():
    draw = random.Random(7)
    cases = {"quantiles": [], "pending": [], "statistics": []}
    for count in [0, 1, 3, 5, 9, 14, 20, 96]:
        for ties in [False, True]:
            rewards = [round(draw.gauss(0, 1), 0 if ties else 3) + 0.0 for _ in range(count)]
            if ties and count > 3:
                rewards[2] = None
            for remainder in ["worst", "spread"]:
                found = quantiles(rewards, 5, remainder)
                cases["quantiles"].append(
                    {"rewards": rewards, "classes": 5, "remainder": remainder, "quantiles": found})
    names = ["Good", "Fair", "Bad"]
    while len(cases["pending"]) < 24:
        values = [draw.choice(names + ["good", "other", None]) for _ in range(draw.randrange(1, 12))]
        wanted = draw.randrange(1, 14)
        fill = draw.choice(["listed", "any"])
        try:
            taken, filler = pending(values, names, wanted, fill)
        except AssertionError:
            continue
        cases["pending"].append(
            {"values": values, "classes": names, "wanted": wanted, "fill": fill, "taken": taken, "filler": filler})
    for classes, bins, flat in [(3, 5, False), (5, 100, False), (2, 4, True)]:
        prompts = []
        for _ in range(6):
            count = draw.randrange(1, 9)
            rewards = [0.5 if flat else round(draw.gauss(0, 2), 3) for _ in range(count)]
            lengths = [draw.randrange(1, 64) for _ in range(count)]
            prompts.append(
                {"rewards": rewards, "lengths": lengths, "quantiles": quantiles(rewards, classes, "worst")})
        cases["statistics"].append(
            {"classes": classes, "bins": bins, "prompts": prompts, "expected": statistics(prompts, classes, bins)})
    print("{" + ",\n".join(
        f'"{name}": [\n' + ",\n".join(json.dumps(case) for case in found) + "\n]" for name, found in cases.items()) + "}")


main()

#!/usr/bin/env python3
"""The search of hyperparameters beside Optuna: the best of so many trials on functions with a known minimum, and the time for a suggestion.

    Benchmarks/search.py [--bench .build/release/SearchBench] [--seeds 30] [--trials 60] [--peers DIR] [--found FILE] [--json FILE]

The functions are Branin, Hartmann 6, one that is like a training, with conditional parameters, and the table of a real sweep
(docs/results/decoding-sweep.csv, experiments/small/decoding-sweep.yaml), whose 150 settings were all run.

For each function: the median over the seeds of the best value found, with the 95 % interval of that median (bootstrap, seeded); the
same for Optuna's TPESampler(multivariate=True, group=True); the difference of the medians; random search. Less is better. At lag 4,
trial k knows the outcomes of the trials 0 to k - 4, and Optuna has constant_liar and four trials that run at a time, of which the
oldest ends first. Our trials come from `SearchBench`; their values are computed again here and must be the same. Optuna comes by pip
into .build/peers. No test depends on this.
"""

import argparse
import csv
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time
import warnings

from common import processor, virtual_environment

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


# The functions, each of a mapping from parameters to values.


def branin(v):
    x, y = v["x"], v["y"]
    inner = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return inner**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


HEIGHTS = [1.0, 1.2, 3.0, 3.2]
A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def hartmann6(v):
    x = [v[f"x{i}"] for i in range(1, 7)]
    return -sum(h * math.exp(-sum(a * (x - p) ** 2 for a, x, p in zip(row, x, places))) for h, row, places in zip(HEIGHTS, A, P))


def training(v):
    width = math.log2(v["width"]) - 8
    loss = 0.03 * (v["layers"] - 5) ** 2 + 4 * (v["dropout"] - 0.15) ** 2 + 0.05 * width**2
    if v["optimizer"] == "sgd":
        rate = math.log10(v["lr"]) + 2
        loss += 0.3 + 4 * (v["momentum"] - 0.9) ** 2
    elif v["optimizer"] == "adam":
        rate = math.log10(v["lr"]) + 4
        loss += 0.2 * ((v["beta2"] - 0.98) / 0.05) ** 2
    else:
        rate = math.log10(v["lr"]) + 3
        loss += 0.15
    loss += 0.5 * rate**2 + 0.15 * rate * width
    return loss + (0.2 * ((v["warmup"] - 300) / 500) ** 2 if v["schedule"] == "cosine" else 0.15)


class Table:
    """The negative metric of a sweep's trials, as `plumb sweep --csv` wrote them: a real experiment, of which every setting was run."""

    def __init__(self, path):
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        heading = list(rows[0])
        metric = next(name for name in heading if f"{name}_se" in heading)
        self.names = [name for name in heading[2:heading.index(metric)] if name != "n"]
        self.values = {tuple(float(row[name]) for name in self.names): -float(row[metric]) for row in rows}
        self.choices = {name: list(dict.fromkeys(float(row[name]) for row in rows)) for name in self.names}

    def __call__(self, v):
        return self.values[tuple(float(v[name]) for name in self.names)]


TABLE = os.path.join(ROOT, "docs", "results", "decoding-sweep.csv")
FUNCTIONS = {"branin": branin, "hartmann6": hartmann6, "training": training, TABLE: Table(TABLE)}


# The same spaces for Optuna.


def suggest(name, trial):
    if name == "branin":
        trial.suggest_float("x", -5, 10)
        trial.suggest_float("y", 0, 15)
    elif name == "hartmann6":
        for index in range(1, 7):
            trial.suggest_float(f"x{index}", 0, 1)
    elif name == TABLE:
        for parameter, choices in FUNCTIONS[TABLE].choices.items():
            trial.suggest_categorical(parameter, choices)
    else:
        optimizer = trial.suggest_categorical("optimizer", ["sgd", "adam", "adafactor"])
        trial.suggest_float("lr", 1e-6, 1e-1, log=True)
        if optimizer == "sgd":
            trial.suggest_float("momentum", 0, 0.99)
        if optimizer == "adam":
            trial.suggest_float("beta2", 0.9, 0.999)
        trial.suggest_int("layers", 1, 8)
        trial.suggest_int("width", 16, 1024, log=True)
        trial.suggest_float("dropout", 0, 0.5, step=0.05)
        if trial.suggest_categorical("schedule", ["constant", "cosine"]) == "cosine":
            trial.suggest_int("warmup", 0, 1000, step=50)
    return trial.params


def peer(name, seed, trials, lag):
    """What a search of Optuna finds: the values of its trials."""
    import optuna

    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True, constant_liar=lag > 1)
    study = optuna.create_study(sampler=sampler)
    values, running = [], []
    for _ in range(trials):
        trial = study.ask()
        values.append(FUNCTIONS[name](suggest(name, trial)))
        running.append((trial, values[-1]))
        if len(running) == lag:
            study.tell(*running.pop(0))
    return values


def peers(seeds, trials):
    """Run in the peer's own Python: prints the best of each seed, and milliseconds for a suggestion."""
    import optuna

    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    found = {"version": optuna.__version__, "seeds": seeds, "trials": trials}
    for name in FUNCTIONS:
        for lag in (1, 4):
            begin = time.process_time()
            found[f"{name} {lag}"] = [min(peer(name, seed, trials, lag)) for seed in range(seeds)]
            found[f"{name} {lag} ms"] = (time.process_time() - begin) * 1e3 / (seeds * trials)
    print(json.dumps(found))


def ours(bench, name, method, seeds, trials, lag):
    command = [bench, "run", name, method, str(seeds), str(trials), str(lag)]
    best = []
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        search = json.loads(line)
        for trial in search:
            value = FUNCTIONS[name](trial["values"])
            if not math.isclose(value, trial["value"], rel_tol=1e-9, abs_tol=1e-9):
                sys.exit(f"{name} of {trial['values']} is {value}, and SearchBench says {trial['value']}")
        best.append(min(trial["value"] for trial in search))
    return best


def intervals(a, b, count=10000):
    """95 % intervals of the median of a, that of b, and of their difference."""
    draw = random.Random(1)
    medians = [(statistics.median(draw.choices(a, k=len(a))), statistics.median(draw.choices(b, k=len(b)))) for _ in range(count)]
    low, high = int(0.025 * count), int(0.975 * count) - 1
    of = lambda values: (sorted(values)[low], sorted(values)[high])
    return of([m[0] for m in medians]), of([m[1] for m in medians]), of([m[0] - m[1] for m in medians])


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bench", default=os.path.join(ROOT, ".build", "release", "SearchBench"))
    arguments.add_argument("--seeds", type=int, default=30)
    arguments.add_argument("--trials", type=int, default=60)
    arguments.add_argument("--timed", type=int, default=1000, help="trials of the searches that are timed")
    arguments.add_argument("--peers", default=os.path.join(ROOT, ".build", "peers"), help="where the peers are kept")
    arguments.add_argument("--python", help="a Python with optuna, in place of one that is installed")
    arguments.add_argument("--found", help="what --peer printed, for at least as many seeds, in place of running Optuna")
    arguments.add_argument("--json", default=os.path.join(ROOT, ".build", "search-bench.json"))
    arguments.add_argument("--peer", action="store_true", help="run Optuna alone, in a Python that has it, and print what it finds")
    options = arguments.parse_args()
    if options.peer:
        return peers(options.seeds, options.trials)
    python = options.python
    if not python and not options.found:
        bin_folder = virtual_environment(os.path.join(options.peers, "optuna"), ["optuna"])
        if not bin_folder:
            sys.exit(1)
        python = os.path.join(bin_folder, "python")
    if options.found:
        with open(options.found) as file:
            found = json.load(file)
        if found["trials"] != options.trials or found["seeds"] < options.seeds:
            sys.exit(f"{options.found} has {found['seeds']} seeds of {found['trials']} trials")
    else:
        command = [python, os.path.abspath(__file__), "--peer", "--seeds", str(options.seeds), "--trials", str(options.trials)]
        found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    print(f"{processor()}; Optuna {found['version']}; the best of {options.trials} trials: median of {options.seeds} seeds (95 % interval)\n")
    print("| function | lag | TPE | Optuna | TPE - Optuna | random | ms a suggestion | Optuna |\n" + "|---" * 8 + "|")
    results = []
    for name in FUNCTIONS:
        for lag in (1, 4):
            best = ours(options.bench, name, "tpe", options.seeds, options.trials, lag)
            chance = ours(options.bench, name, "random", options.seeds, options.trials, lag)
            theirs = found[f"{name} {lag}"][: options.seeds]
            each, other, difference = intervals(best, theirs)
            took = float(subprocess.run([options.bench, "time", name, "tpe", str(options.timed), str(lag)],
                                        capture_output=True, text=True, check=True).stdout)
            medians = [statistics.median(values) for values in (best, theirs, chance)]
            print(f"| {os.path.basename(name)} | {lag} | {medians[0]:.4f} ({each[0]:.4f} to {each[1]:.4f}) | {medians[1]:.4f} ({other[0]:.4f} to {other[1]:.4f}) "
                  f"| {medians[0] - medians[1]:+.4f} ({difference[0]:+.4f} to {difference[1]:+.4f}) | {medians[2]:.4f} "
                  f"| {took:.2f} | {found[f'{name} {lag} ms']:.2f} |", flush=True)
            results.append({"function": name, "lag": lag, "tpe": best, "optuna": theirs, "random": chance, "ms": took})
    print(f"\nmilliseconds of processor time: ours over {options.timed} trials of one search, Optuna's over its searches of {options.trials}")
    with open(options.json, "w") as file:
        json.dump({"processor": processor(), "optuna": found["version"], "results": results}, file, indent=2)


if __name__ == "__main__":
    main()

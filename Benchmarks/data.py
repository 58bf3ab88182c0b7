#!/usr/bin/env python3
"""What reading data costs: a million rows of JSON Lines through a `data` stage, and each format beside pyarrow and Python's json.

    Benchmarks/data.py [--plumb .build/release/plumb] [--bench .build/release/DataBench] [--rows 1000000] [--repeat 5] [--peers DIR] [--json FILE]

The rows have a prompt of 250 bytes in the middle, with line ends, quotes and characters beyond ASCII, an id, a label and a number.
The Parquet file has one string column of several read: as pyarrow writes it by default (Snappy). Ours and the peers take turns;
medians. Wall time and, since a machine may be shared, processor time; a peer's imports are not counted. Times gate nothing.
"""

import argparse
import gzip
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from common import processor, virtual_environment

PEERS = {
    "json": "import json\nfor line in open(PATH, encoding='utf-8'): json.loads(line); count += 1",
    "gzip and json": "import gzip, json\nfor line in gzip.open(PATH, 'rt', encoding='utf-8'): json.loads(line); count += 1",
    "csv": "import csv, sys\ncsv.field_size_limit(1 << 30)\nfor row in csv.DictReader(open(PATH, encoding='utf-8', newline='')): count += 1",
    "pyarrow, one thread": "count = pq.read_table(PATH, columns=['prompt'], use_threads=False).num_rows",
    "pyarrow to Python": "count = len(pq.read_table(PATH, columns=['prompt'], use_threads=False).column('prompt').to_pylist())",
}
# The first reads of a process cost pyarrow four times as much, memory and the rest of the library.
WARM = """import pyarrow.parquet as pq
for _ in range(3): pq.read_table({path!r}, columns=['prompt'], use_threads=False)"""
TIMED = """import time
{imports}
PATH = {path!r}
count = 0
wall, processor = time.perf_counter(), time.process_time()
{body}
print('{{"records": %d, "seconds": %f, "processor": %f}}' % (count, time.perf_counter() - wall, time.process_time() - processor))
"""


def rows(count):
    draw = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choice(letters) for _ in range(draw.randint(1, 9))) for _ in range(5000)] + ["café", "“so”", "don't", "日本"]
    for index in range(count):
        text = " ".join(draw.choices(words, k=draw.randint(25, 50)))
        if index % 3 == 0:
            text = text.replace(" ", "\n", 1)
        if index % 7 == 0:
            text = f'He said "{text}"'
        yield {"id": f"row-{index}", "prompt": text, "label": draw.choice(["sports", "world", "tech"]), "score": draw.random()}


def run(command, folder=None):
    """What a program prints last, as JSON, and what it took as the kernel says it, its children included."""
    begin = time.perf_counter()
    with open(os.devnull, "wb") as devnull:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=devnull, text=True)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{output[-2000:]}")
    whole = {"seconds": time.perf_counter() - begin, "processor": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}
    last = output.strip().split("\n")[-1]
    return whole | (json.loads(last) if last.startswith("{") else {})


def medians(runs):
    return {key: statistics.median(run[key] for run in runs) for key in ("seconds", "processor", "peak_mib")}


def main():
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--plumb", default=os.path.join(root, ".build/release/plumb"))
    arguments.add_argument("--bench", default=os.path.join(root, ".build/release/DataBench"))
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--repeat", type=int, default=5)
    arguments.add_argument("--peers", default=os.path.join(cache, "plumb-bench-data"))
    arguments.add_argument("--json", default=os.path.join(root, ".build/bench-data.json"))
    options = arguments.parse_args()
    plumb, bench = os.path.abspath(options.plumb), os.path.abspath(options.bench)
    binaries = virtual_environment(options.peers, ["pyarrow"])
    python = os.path.join(binaries, "python") if binaries else sys.executable
    folder = tempfile.mkdtemp(prefix="plumb-bench-")
    results = []

    def work(name, path, ours, peers):
        peers = {peer: PEERS[peer] for peer in peers if binaries or "pyarrow" not in peer}
        runs = {"ours": []} | {peer: [] for peer in peers}
        for _ in range(options.repeat):
            runs["ours"].append(ours())
            for peer, body in peers.items():
                imports = WARM.format(path=path) if "pyarrow" in peer else ""
                runs[peer].append(run([python, "-c", TIMED.format(imports=imports, path=path, body=body)]))
        size = os.path.getsize(path)
        for program, taken in runs.items():
            results.append({"work": name, "program": program, "bytes": size, "rows": options.rows} | medians(taken))
            print(f"  {name}, {program}: {results[-1]['seconds']:.2f} s", file=sys.stderr)

    def stage(options_of_stage, path):
        def once():
            shutil.rmtree(os.path.join(folder, ".plumb"), ignore_errors=True)
            os.makedirs(os.path.join(folder, ".plumb"))
            with open(os.path.join(folder, "x.yaml"), "w") as file:
                file.write(f"version: 1\nname: x\nstages:\n  rows: {{uses: data, with: {{path: {path}, {options_of_stage}}}}}\n")
            return run([plumb, "run", "x.yaml"], folder)
        return once

    try:
        lines = os.path.join(folder, "rows.jsonl")
        with open(lines, "w", encoding="utf-8") as file:
            for index, row in enumerate(rows(options.rows)):
                file.write(json.dumps(row, ensure_ascii=index % 5 == 0) + "\n")
        work("`plumb run`, JSON Lines with ids", lines, stage("id: id, keep: [label]", "rows.jsonl"), ["json"])
        work("`plumb run`, JSON Lines, ids from content", lines, stage("keep: [label]", "rows.jsonl"), [])
        work("JSON Lines, records", lines, lambda: run([bench, "jsonl", lines]), ["json"])
        compressed = lines + ".gz"
        with open(lines, "rb") as source, gzip.open(compressed, "wb", compresslevel=6) as target:
            shutil.copyfileobj(source, target)
        work("JSON Lines with gzip, records", compressed, lambda: run([bench, "jsonl", compressed]), ["gzip and json"])
        table = os.path.join(folder, "rows.csv")
        make = "import csv, json\nwriter = csv.DictWriter(open(PATH, 'w', encoding='utf-8', newline=''), ['id', 'prompt', 'label', 'score'])\nwriter.writeheader()\n"
        make += f"writer.writerows(json.loads(line) for line in open({lines!r}, encoding='utf-8'))"
        run([python, "-c", TIMED.format(imports="", path=table, body=make)])
        work("CSV, records", table, lambda: run([bench, "csv", table]), ["csv"])
        if binaries:
            parquet = os.path.join(folder, "rows.parquet")
            make = f"import json\nrows = [json.loads(line) for line, _ in zip(open({lines!r}, encoding='utf-8'), range({options.rows * 9 // 20}))]\n"
            make += "pq.write_table(pa.Table.from_pylist(rows), PATH)"
            run([python, "-c", TIMED.format(imports="import pyarrow as pa, pyarrow.parquet as pq", path=parquet, body=make)])
            work("Parquet, one string column", parquet, lambda: run([bench, "parquet", parquet, "prompt"]), ["pyarrow, one thread", "pyarrow to Python"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    print("| work | program | file | wall | processor | MB/s of processor | peak |\n|---|---|---|---|---|---|---|")
    for entry in results:
        print(
            f"| {entry['work']} | {entry['program']} | {entry['bytes'] / 1e6:.0f} MB | {entry['seconds']:.2f} s | {entry['processor']:.2f} s | "
            f"{entry['bytes'] / 1e6 / entry['processor']:.0f} | {entry['peak_mib']:.0f} MiB |")
    record = {"processor": processor(), "processors": os.cpu_count(), "repeat": options.repeat, "results": results}
    with open(options.json, "w") as file:
        json.dump(record, file, indent=2)
    print(f"\n{record['processor']}, {record['processors']} processors; medians of {options.repeat}; {options.json}")


if __name__ == "__main__":
    main()

"""llama_peer.py BENCH MODEL WORKLOAD: llama.cpp's own batched benchmark, one run for each line on stdin.

BENCH is llama-batched-bench; it decodes without sampling, which flatters it. Its own times count, not the loading of MODEL.
"""
import json
import re
import resource
import subprocess
import sys


def main():
    bench, path, workload = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    length, new = workload["length"], workload["new"]
    batch = workload["prompts"] * workload["samples"]
    shared = ["-pps"] if workload["prompts"] == 1 and workload["samples"] > 1 else []
    command = [
        bench, "-m", path, "-c", str(batch * (length + new) + 512), "-b", "2048", "-ub", "512",
        "-t", str(workload.get("threads", 2)), "-npp", str(length), "-ntg", str(new), "-npl", str(batch)] + shared
    for _ in sys.stdin:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        row = next(line for line in output.splitlines() if re.match(rf"\|\s*{length} \|\s*{new} \|\s*{batch} \|", line))
        cells = [cell.strip() for cell in row.strip("| \n").split("|")]
        # | PP | TG | B | N_KV | T_PP s | S_PP t/s | T_TG s | S_TG t/s | T s | S t/s |
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(json.dumps({"seconds": float(cells[8]), "cpu": cpu}), flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(json.dumps({"peak_bytes": peak}), flush=True)


if __name__ == "__main__":
    main()

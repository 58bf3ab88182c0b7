"""How many different prompts rows have: `distinct.py ROWS... METRICS`."""

import json
import sys

*rows_paths, metrics_path = sys.argv[1:]
prompts = set()
for path in rows_paths:
    with open(path, encoding="utf-8") as rows:
        prompts |= {json.loads(line)["prompt"] for line in rows}
with open(metrics_path, "w", encoding="utf-8") as metrics:
    json.dump({"distinct": len(prompts)}, metrics)

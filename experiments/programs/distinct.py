"""How many different prompts the rows of a file have: `distinct.py ROWS METRICS`."""

import json
import sys

with open(sys.argv[1]) as rows:
    prompts = {json.loads(line)["prompt"] for line in rows}
with open(sys.argv[2], "w") as metrics:
    json.dump({"distinct": len(prompts)}, metrics)

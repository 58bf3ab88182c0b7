"""Means of the columns named after the two paths: rows in, metrics out."""

import json
import sys

rows_path, metrics_path, *columns = sys.argv[1:]
with open(rows_path, encoding="utf-8") as file:
    rows = [json.loads(line) for line in file]
means = {column: sum(row[column] for row in rows) / len(rows) for column in columns}
with open(metrics_path, "w", encoding="utf-8") as file:
    json.dump({"rows": len(rows), **means}, file)

"""What an MLflow server has of two runs beside what their stages measured: every number, at its step, and the report."""
import json
import math
import pathlib
import sys
import urllib.request

from mlflow import MlflowClient
from records import measured


def main(uri, plumb):
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("steered")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 2, [run.info.run_name for run in runs]
    for run in runs:
        name, count = run.info.run_name, 0
        wanted = measured(plumb, name)
        for tag, numbers in wanted.items():
            found = sorted((metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, tag))
            same = len(found) == len(numbers) and all(
                a[0] == b[0] and math.isclose(a[1], b[1], rel_tol=1e-12) for a, b in zip(found, numbers))
            if not same:
                sys.exit(f"{name}: {tag}: {found} in MLflow, {numbers} in the record")
            count += len(numbers)
        parameters = json.loads(pathlib.Path(f"runs/steer/{name}/run.json").read_text())["parameters"]
        assert set(parameters) == set(run.data.params), (parameters, run.data.params)
        assert run.info.status == "FINISHED", run.info.status
        url = f"{uri}/get-artifact?path=report.html&run_uuid={run.info.run_id}"
        with urllib.request.urlopen(url) as answer:
            assert b"<h1>steer" in answer.read()
        print(f"MLflow, {name}: {len(wanted)} curves, {count} numbers as in the record; {len(parameters)} parameters; the report")


main(*sys.argv[1:])

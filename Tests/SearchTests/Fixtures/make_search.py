#!/usr/bin/env python3
"""Makes search.json: what the tests of the search hold its arithmetic against. Needs optuna==5.0.0 and scipy.

    Tests/SearchTests/Fixtures/make_search.py

`numbers`: (int.from_bytes(sha256(f"{seed}\\n{trial}\\n{name}\\n{element}".encode()).digest()[:8], "big") >> 11) / 2**53.
`functions`: x with e^x, of e^x its logarithm, Phi(x), erfc(x), and the quantile of a share; numpy's, scipy's and the C library's, in double.
`estimators`: the axes, the observations in the order of the trials, points, and the logarithm of the density that Optuna's Parzen
estimator of TPESampler(multivariate=True) has at each: ln of the sum over kernels of weight times the product over axes.
"""

import hashlib
import json
import math
import os
import random

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights
from scipy import special

draw = random.Random(1)


def number(seed, trial, name, element):
    return (int.from_bytes(hashlib.sha256(f"{seed}\n{trial}\n{name}\n{element}".encode()).digest()[:8], "big") >> 11) / 2**53


AXES = {
    "rate": ({"log_uniform": [1e-6, 0.1]}, FloatDistribution(1e-6, 0.1, log=True)),
    "share": ({"uniform": [-1, 3]}, FloatDistribution(-1, 3)),
    "dropout": ({"uniform": [0, 0.5], "step": 0.05}, FloatDistribution(0, 0.5, step=0.05)),
    "layers": ({"integers": [1, 8]}, IntDistribution(1, 8)),
    "steps": ({"integers": [100, 1000], "step": 50}, IntDistribution(100, 1000, step=50)),
    "width": ({"integers": [16, 1024], "log": True}, IntDistribution(16, 1024, log=True)),
    "kind": ({"values": 3}, CategoricalDistribution([0, 1, 2])),
}


def value(name):
    distribution = AXES[name][1]
    if isinstance(distribution, CategoricalDistribution):
        return draw.randrange(3)
    low, high = distribution.low, distribution.high
    if distribution.log:
        x = low * (high / low) ** draw.random()
        return round(x) if isinstance(distribution, IntDistribution) else x
    if distribution.step:
        return round(low + draw.randrange(round((high - low) / distribution.step) + 1) * distribution.step, 10)
    return low + draw.random() * (high - low)


def observed(name, count, apart):
    """Numpy's sort decides which of equal numbers has which deviation. It matters beside other axes: there no two are equal."""
    found = []
    while len(found) < count:
        each = value(name)
        if not apart or name == "kind" or each not in found:
            found.append(each)
    return found


def estimator(names, count):
    observations = {name: np.array(observed(name, count, len(names) > 1), dtype=float) for name in names}
    points = {name: np.array([value(name) for _ in range(12)], dtype=float) for name in names}
    parameters = _ParzenEstimatorParameters(1.0, True, False, default_weights, True)
    parzen = _ParzenEstimator(observations, {name: AXES[name][1] for name in names}, parameters)
    return {
        "axes": [AXES[name][0] for name in names],
        "observations": [observations[name].tolist() for name in names],
        "points": [[points[name][index].item() for name in names] for index in range(12)],
        "log_densities": parzen.log_pdf(points).tolist(),
    }


def main():
    assert optuna.__version__ == "5.0.0", optuna.__version__
    found = {"numbers": [], "functions": {}, "estimators": []}
    for seed, trial, name, element in [(0, 0, "lr", 0), (1, 0, "lr", 0), (0, 12, "lr", 3), (7, 999, "größe,train.rate", 1), (2**62, 5, "kernel\tlr", 239)]:
        found["numbers"].append([seed, trial, name, element, number(seed, trial, name, element)])
    xs = [-30, -8.5, -3, -1.7, -0.6, -0.1, -1e-9, 0, 1e-3, 0.3, 0.663, 1, 2.5, 5.7, 6.1, 20, 36]
    shares = [1e-300, 1e-20, 1e-9, 0.001, 0.074, 0.2, 0.5, 0.51, 0.9, 0.93, 0.9999, 1 - 1e-12]
    found["functions"] = {
        "x": xs, "exponential": np.exp(xs).tolist(), "below": special.ndtr(xs).tolist(), "complementary_error": [math.erfc(x) for x in xs],
        "share": shares, "quantile": special.ndtri(shares).tolist(), "logarithm": np.log(shares).tolist(),
    }
    for names in (["rate"], ["kind", "share"], ["dropout"], ["layers"], ["steps", "width"], list(AXES)):
        for count in (1, 2, 7) + ((24,) if len(names) < 3 and "steps" not in names else ()):
            found["estimators"].append(estimator(names, count))
    # Kernels of unequal weights.
    for count in (26, 27, 60):
        found["estimators"].append(estimator(["rate", "share", "kind"], count))
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "search.json"), "w") as file:
        json.dump(found, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()

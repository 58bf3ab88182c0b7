"""Numbers of statistics.json: standard errors, bootstrap and Wilson intervals and normal quantiles by numpy and scipy.

    python make_statistics.py > statistics.json

The clustered standard error is computed from its definition as the square root of the sandwich of a regression on a constant. The bootstrap draws prompt floor(w G / 2^32) for each word w of Philox 4x32-10 at the counter
(place / 4, resample, 0, 11), whose key is the seed.
"""

import json

import numpy
from scipy import optimize, special, stats

generator = numpy.random.default_rng(20261130)


def clustered(clusters):
    values = numpy.concatenate(clusters)
    mean = values.mean()
    groups = len(clusters)
    meat = sum((cluster - mean).sum() ** 2 for cluster in clusters)
    return mean, numpy.sqrt(groups / (groups - 1) * meat) / len(values)


def wilson(count, of, level):
    interval = stats.binomtest(count, of).proportion_ci(level, "wilson")
    return [interval.low, interval.high]


def philox(counter, seed):
    c, (k0, k1) = list(counter), (seed & 0xFFFFFFFF, seed >> 32)
    for _ in range(10):
        p0, p1 = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [p1 >> 32 ^ c[1] ^ k0, p1 & 0xFFFFFFFF, p0 >> 32 ^ c[3] ^ k1, p0 & 0xFFFFFFFF]
        k0, k1 = k0 + 0x9E3779B9 & 0xFFFFFFFF, k1 + 0xBB67AE85 & 0xFFFFFFFF
    return c


def bootstrap(clusters, level, resamples, seed):
    sums, counts, groups = [c.sum() for c in clusters], [len(c) for c in clusters], len(clusters)
    found = []
    for resample in range(resamples):
        words = [w for block in range((groups + 3) // 4) for w in philox((block, resample, 0, 11), seed)][:groups]
        drawn = [w * groups >> 32 for w in words]
        found.append(sum(sums[g] for g in drawn) / sum(counts[g] for g in drawn))
    return numpy.quantile(found, [(1 - level) / 2, (1 + level) / 2]).tolist()


means = []
for sizes in ([1] * 12, [4] * 9, [1, 5, 2, 7, 1, 3]):
    clusters = [generator.normal(3, 2) + generator.normal(size=size) for size in sizes]
    mean, error = clustered(clusters)
    intervals = [
        {"level": level, "resamples": resamples, "seed": seed, "interval": bootstrap(clusters, level, resamples, seed)}
        for level, resamples, seed in ((0.95, 1000, 0), (0.8, 101, (7 << 32) + 3))
    ]
    plain = stats.bootstrap(
        (numpy.array([c.mean() for c in clusters]),), numpy.mean, n_resamples=9999, method="percentile", rng=generator
    ).confidence_interval
    if sizes[0] == sizes[1]:  # equal sizes: a mean of means, which scipy can resample
        assert abs(plain.low - intervals[0]["interval"][0]) < 0.2 * error, (plain, intervals)
        assert abs(plain.high - intervals[0]["interval"][1]) < 0.2 * error, (plain, intervals)
    means.append({"values": [c.tolist() for c in clusters], "mean": mean, "se": error, "intervals": intervals})
single = numpy.concatenate([numpy.array(c) for c in means[0]["values"]])
assert abs(means[0]["se"] - stats.sem(single)) < 1e-15

shares = [
    {"count": count, "of": of, "level": level, "interval": wilson(count, of, level)}
    for count, of in ((0, 10), (10, 10), (3, 10), (1, 1000), (514, 1000))
    for level in (0.5, 0.9, 0.95, 0.999)
]
quantiles = [[p, stats.norm.ppf(p)] for p in (1e-30, 1e-12, 1e-5, 0.0005, 0.025, 0.07, 0.3, 0.5, 0.8, 0.95, 0.9995)]


def controlled(outcomes, differences):
    x = numpy.tanh(differences / differences.std())

    def loss(parameters):
        z = parameters[0] + parameters[1] * x
        return (numpy.logaddexp(0, z) - outcomes * z).sum() + 0.005 * parameters[1] ** 2

    return special.expit(optimize.minimize(loss, [0, 0], method="BFGS", options={"gtol": 1e-10}).x[0])


rates = []
for count, slope in ((40, 2.0), (300, 0.5), (12, 4.0)):
    differences = numpy.round(generator.normal(8, 20, size=count))
    chance = special.expit(0.3 + slope * numpy.tanh(differences / 20))
    outcomes = generator.choice([0.0, 0.5, 1.0], size=count) * 0.2 + 0.8 * (generator.random(count) < chance)
    rates.append(
        {"outcomes": outcomes.tolist(), "differences": differences.tolist(), "rate": controlled(outcomes, differences)}
    )
print(json.dumps({"controlled": rates, "means": means, "shares": shares, "quantiles": quantiles}, indent=1))

#!/usr/bin/env python3
"""Generated bank transactions: what the benchmarks scan where no real data of that size is at hand.

Twelve columns (id, time, amount, category, channel, country, device, customer_age, account_days, tx_last_day, terminal,
label), 97.5 % of the labels "safe". Two variants: in "independent" no feature depends on another, in "correlated" device
follows channel, category and terminal follow country, amount follows category, account_days follows age. In both the label
follows the features through a logistic model with noise, so that natural patterns exist.

Rows come in chunks of 250,000 with random numbers of their own: a short file is the beginning of a long one.

    gen_bank.py --rows 200000 --variant correlated --seed 1 -o bank.csv
    gen_bank.py --rows 100000 --columns 100 -o wide.csv     # further columns x013, x014, … of few values
"""
import argparse
import sys

import numpy as np

CHUNK = 250_000
SAFE = 0.975
CLARITY = 2.6  # scale of the logit: the true model then ranks fraud with an AUC of .94 (a choice of ours: fraud a good model can rank)
CATEGORIES = """grocery fuel restaurant travel electronics clothing pharmacy books utilities rent insurance gaming
streaming charity jewellery furniture hardware sports toys garden pets beauty health dental optician school university
taxi train airline hotel parking toll postage telecom software hosting advertising consulting legal accounting cleaning
repairs bakery butcher fishmonger cafe bar cinema theatre museum concert lottery betting crypto transfer cash gold art
antiques""".split()
CHANNELS = ["chip", "contactless", "online", "phone", "atm"]
DEVICES = [f"{maker}-{model}" for maker in ("pos", "ios", "android", "web", "kiosk") for model in range(1, 13)]
COUNTRIES = [a + b for a in "ABCDEFGHIJ" for b in "ABCDEFGHIJKL"]
N_TERMINALS = 900


def zipf_weights(n, power):
    w = 1.0 / np.arange(1, n + 1) ** power
    return w / w.sum()


def draw(rng, weights, n):
    """n category numbers by inverse transform."""
    return np.searchsorted(np.cumsum(weights)[:-1], rng.random(n), side="right").astype(np.int64)


def draw_given(rng, table, given):
    """Category numbers whose weights are the rows of `table`, chosen by `given`."""
    cumulative = np.cumsum(table, axis=1)[:, :-1]
    offsets = np.arange(len(table))[:, None]
    flat = (cumulative + offsets).ravel()
    at = np.searchsorted(flat, rng.random(len(given)) + given, side="right")
    return at - given * cumulative.shape[1]


def world(seed, correlated):
    """Weights and label effects: drawn once per seed, the same for every chunk."""
    rng = np.random.Generator(np.random.PCG64([seed, 0]))
    w = {
        "category": zipf_weights(len(CATEGORIES), 0.9),
        "channel": np.array([0.35, 0.3, 0.25, 0.02, 0.08]),
        "device": zipf_weights(len(DEVICES), 1.0),
        "country": zipf_weights(len(COUNTRIES), 1.3),
        "terminal": zipf_weights(N_TERMINALS, 0.8),
    }
    sizes = {"category": len(CATEGORIES), "channel": 5, "device": len(DEVICES), "country": len(COUNTRIES)}
    w["effect"] = {k: rng.normal(0, s, sizes[k]) for k, s in
                   (("category", 0.6), ("channel", 0.5), ("device", 0.3), ("country", 0.7))}
    w["price"] = rng.normal(0, 0.7, len(CATEGORIES))
    if correlated:
        def spread(rows, weights, sharpness):
            t = weights * rng.gamma(1 / sharpness, sharpness, (rows, len(weights)))
            t += 1e-5 * weights
            return t / t.sum(1, keepdims=True)
        w["device|channel"] = spread(5, w["device"], 3.0)
        w["category|country"] = spread(len(COUNTRIES), w["category"], 1.5)
        w["terminal|country"] = spread(len(COUNTRIES), w["terminal"], 2.0)
    return w


def features(w, seed, chunk, n):
    rng = np.random.Generator(np.random.PCG64([seed, 1, chunk]))
    f = {"country": draw(rng, w["country"], n), "channel": draw(rng, w["channel"], n)}
    if "device|channel" in w:
        f["device"] = draw_given(rng, w["device|channel"], f["channel"])
        f["category"] = draw_given(rng, w["category|country"], f["country"])
        f["terminal"] = draw_given(rng, w["terminal|country"], f["country"])
    else:
        f["device"], f["category"] = draw(rng, w["device"], n), draw(rng, w["category"], n)
        f["terminal"] = draw(rng, w["terminal"], n)
    correlated = "device|channel" in w
    log_amount = rng.normal(3.2, 1.1, n) + (w["price"][f["category"]] if correlated else 0)
    f["cents"] = np.clip(np.exp(log_amount) * 100, 50, 2_000_000).astype(np.int64)
    f["age"] = np.clip(18 + rng.gamma(3.0, 9.0, n), 18, 95).astype(np.int64)
    tenure = rng.gamma(1.5, 900, n)
    if correlated:
        tenure *= (f["age"] - 10) / 35
    f["account_days"] = np.minimum(tenure, 14_000).astype(np.int64)
    f["tx_last_day"] = rng.poisson(rng.gamma(0.5, 1.0, n))
    f["second"] = np.sort(rng.integers(0, 86_400, n)) if n == 1 else rng.integers(0, 86_400, n)
    f["hour_effect"] = 0.5 * np.cos((f["second"] / 3600 - 3) / 24 * 2 * np.pi)
    f["u"] = rng.random(n)
    return f


def logit(w, f):
    e = w["effect"]
    score = e["category"][f["category"]] + e["channel"][f["channel"]] + e["device"][f["device"]]
    score += e["country"][f["country"]] + 0.35 * (np.log(f["cents"]) - 7.8) + f["hour_effect"]
    score += 0.25 * np.minimum(f["tx_last_day"], 8) - 0.0001 * f["account_days"]
    return CLARITY * score


def intercept(w, seed):
    """The constant that gives 97.5 % safe rows on the first chunk, by bisection."""
    score = logit(w, features(w, seed, 0, CHUNK))
    low, high = -30.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        if (1 / (1 + np.exp(-(score + middle)))).mean() < 1 - SAFE:
            low = middle
        else:
            high = middle
    return low


def strings(values):
    """Values as rows of bytes, padded with NUL: a matrix to gather from."""
    encoded = [v.encode() for v in values]
    out = np.zeros((len(encoded), max(map(len, encoded))), np.uint8)
    for i, v in enumerate(encoded):
        out[i, : len(v)] = np.frombuffer(v, np.uint8)
    return out


def digits(x, width, pad=False):
    """Decimal digits; leading zeros become NUL unless pad."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    d = (x[:, None] // powers) % 10
    out = (d + 48).astype(np.uint8)
    if not pad:
        lead = np.cumsum(d, axis=1) == 0
        lead[:, -1] = False
        out[lead] = 0
    return out


def constant(text, n):
    return np.broadcast_to(np.frombuffer(text.encode(), np.uint8), (n, len(text)))


class Tables:
    def __init__(self):
        days = np.datetime64("2025-01-01") + np.arange(365)
        self.day = strings([str(d) + "T" for d in days])
        s = np.arange(86_400)
        self.clock = strings([f"{h:02d}:{m:02d}:{q:02d}" for h, m, q in zip(s // 3600, s // 60 % 60, s % 60)])
        self.category, self.channel = strings(CATEGORIES), strings(CHANNELS)
        self.device, self.country = strings(DEVICES), strings(COUNTRIES)
        self.terminal = strings([f"terminal-{i:04d}" for i in range(N_TERMINALS)])
        self.label = strings(["safe", "fraud"])
        self.level = strings([f"v{i:02d}" for i in range(40)])


def extra_columns(seed, chunk, n, wanted):
    """Columns beyond the twelve: numbers 0-999 and categories of 8 to 39 values, by turns; half follow a hidden
    factor."""
    rng = np.random.Generator(np.random.PCG64([seed, 2, chunk]))
    hidden = rng.random(n)
    for i in range(wanted):
        u = rng.random(n)
        if i % 4 < 2:
            u = 0.5 * u + 0.5 * hidden
        yield i, (np.int64(1000 * u ** 2) if i % 2 else np.int64(u * (8 + i % 32)))


def chunk_bytes(w, t, base, seed, chunk, n, columns, first_row):
    f = features(w, seed, chunk, CHUNK)  # always whole, so that shorter files are beginnings
    f = {k: v[:n] for k, v in f.items()}
    fraud = (f["u"] < 1 / (1 + np.exp(-(logit(w, f) + base)))).astype(np.int64)
    row = first_row + np.arange(n)
    day = (row * 365 // 10_000_000) % 365
    parts = {
        "id": [constant("trx-2025-", n), digits(row, 12, pad=True)],
        "time": [t.day[day], t.clock[f["second"]]],
        "amount": [digits(f["cents"] // 100, 5), constant(".", n), digits(f["cents"] % 100, 2, pad=True)],
        "category": [t.category[f["category"]]], "channel": [t.channel[f["channel"]]],
        "country": [t.country[f["country"]]], "device": [t.device[f["device"]]],
        "customer_age": [digits(f["age"], 2)], "account_days": [digits(f["account_days"], 5)],
        "tx_last_day": [digits(f["tx_last_day"], 3)], "terminal": [t.terminal[f["terminal"]]],
    }
    names = list(parts)
    if columns < 12:  # label and the last ones stay
        names = names[12 - columns:]
    pieces = []
    for name in names:
        pieces += parts[name] + [constant(",", n)]
    for i, x in extra_columns(seed, chunk, CHUNK, max(0, columns - 12)):
        pieces += [digits(x[:n], 3) if i % 2 else t.level[x[:n]], constant(",", n)]
        names.append(f"x{i + 13:03d}")
    pieces += [t.label[fraud], constant("\n", n)]
    flat = np.concatenate(pieces, axis=1).ravel()
    return names + ["label"], flat[flat != 0].tobytes()


def generate(out, rows, variant, seed, columns=12):
    w, t = world(seed, variant == "correlated"), Tables()
    base = intercept(w, seed)
    for chunk, first in enumerate(range(0, rows, CHUNK)):
        names, data = chunk_bytes(w, t, base, seed, chunk, min(CHUNK, rows - first), columns, first)
        if chunk == 0:
            out.write((",".join(names) + "\n").encode())
        out.write(data)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, required=True)
    p.add_argument("--variant", choices=["independent", "correlated"], default="correlated")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--columns", type=int, default=12)
    p.add_argument("-o", "--output", default="-")
    a = p.parse_args()
    if a.rows < 1 or a.columns < 3:
        p.error("rows ≥ 1 and columns ≥ 3")
    if a.output == "-":
        generate(sys.stdout.buffer, a.rows, a.variant, a.seed, a.columns)
        return
    with open(a.output, "wb") as f:
        generate(f, a.rows, a.variant, a.seed, a.columns)


if __name__ == "__main__":
    main()

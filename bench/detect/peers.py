#!/usr/bin/env python3
"""One peer on one poisoned file: prints {"rows": [...], "score": {...}, "seconds": …} as JSON. Runs in the peer's own
virtual environment (cleanlab, or mlxtend); see peers_run.py.

    peers.py find_label_issues|datalab|mlxtend FILE LABEL
"""
import json
import resource
import sys
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")


def features(frame, label):
    """What a user of cleanlab would do: one-hot categories and scaled numbers, or TF-IDF of the one text column."""
    from sklearn.compose import make_column_transformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    x = frame.drop(columns=[label])
    if x.shape[1] == 1:
        return TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform(x.iloc[:, 0].fillna(""))
    numeric = x.select_dtypes("number").columns
    rest = x.columns.difference(numeric)
    x[rest] = x[rest].astype(str)
    x[numeric] = x[numeric].fillna(0)
    return make_column_transformer((StandardScaler(), list(numeric)),
                                   (OneHotEncoder(handle_unknown="ignore"), list(rest))).fit_transform(x)


def out_of_fold(x, y):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    return cross_val_predict(LogisticRegression(max_iter=500), x, y, cv=5, method="predict_proba")


def find_label_issues(frame, label):
    from cleanlab.filter import find_label_issues as find
    y = pd.factorize(frame[label], sort=True)[0]
    p = out_of_fold(features(frame, label), y)
    issues = find(y, p, return_indices_ranked_by="self_confidence", n_jobs=1)
    doubt = 1 - p[np.arange(len(y)), y]
    return issues, doubt


def datalab(frame, label):
    from cleanlab import Datalab
    y = pd.factorize(frame[label], sort=True)[0]
    x = features(frame, label)
    p = out_of_fold(x, y)
    lab = Datalab(data={"y": y}, label_name="y", verbosity=0)
    issue_types = {"label": {}}
    try:  # k nearest neighbours on a projection: near duplicates, outliers and non-iid as Datalab does by default
        from sklearn.decomposition import TruncatedSVD
        lab.find_issues(pred_probs=p, features=TruncatedSVD(min(50, x.shape[1] - 1), random_state=0).fit_transform(x))
    except Exception:
        lab.find_issues(pred_probs=p, issue_types=issue_types)
    table = lab.get_issues("label")
    return np.flatnonzero(table["is_label_issue"]), 1 - table["label_score"].to_numpy()


def mlxtend(frame, label):
    """Frequent patterns of up to two columns with a label, by lift and confidence: rules that hold for 12 rows or more,
    confidence .9 or more, the greatest lift at the top; the rows of each label's top rule are flagged."""
    from mlxtend.frequent_patterns import association_rules, fpgrowth
    x = frame.copy()
    for c in x.columns:
        if c != label and x[c].nunique() > 40 and pd.api.types.is_numeric_dtype(x[c]):
            x[c] = pd.qcut(x[c], 16, duplicates="drop").astype(str)
        x[c] = c + "=" + x[c].astype(str)
    x = x[[c for c in x.columns if x[c].nunique() <= 1000]]
    hot = pd.concat([pd.get_dummies(x[c], dtype=bool) for c in x.columns], axis=1)
    hot = hot.loc[:, hot.sum() >= 12]
    sets = fpgrowth(hot, min_support=12 / len(hot), use_colnames=True, max_len=3)
    rules = association_rules(sets, metric="confidence", min_threshold=0.9)
    rules = rules[rules["consequents"].map(lambda s: len(s) == 1 and next(iter(s)).startswith(label + "="))]
    if rules.empty:
        return np.array([], int), None
    flagged = np.zeros(len(hot), bool)
    for _, of_label in rules.groupby(rules["consequents"].map(lambda s: next(iter(s)))):
        best = of_label.sort_values(["lift", "support"], ascending=False).iloc[0]
        keep = np.ones(len(hot), bool)
        for item in (*best["antecedents"], *best["consequents"]):
            keep &= hot[item].to_numpy()
        flagged |= keep
    return np.flatnonzero(flagged), None


def cpu():
    """CPU seconds of this process and its children: comparable on a busy machine."""
    use = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in use)


def main():
    tool, path, label = sys.argv[1:4]
    quoting = 3 if path.endswith(".tsv") else 0
    frame = pd.read_csv(path, sep="\t" if path.endswith(".tsv") else ",", quoting=quoting, keep_default_na=False)
    start = cpu()
    rows, doubt = {"find_label_issues": find_label_issues, "datalab": datalab, "mlxtend": mlxtend}[tool](frame, label)
    seconds = cpu() - start
    print(json.dumps({"rows": [int(r) for r in rows], "doubt": None if doubt is None else [round(float(d), 6) for d in doubt],
                      "seconds": seconds}))


if __name__ == "__main__":
    main()

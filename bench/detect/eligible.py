#!/usr/bin/env python3
"""Can the label of each unused data set be predicted from its other columns? Asked before anything else is done with the set.

Cross-validated AUC, three folds, mean over the labels of 10 % of the rows or more, each against the rest: scikit-learn's
HistGradientBoosting on ordinal codes for tables, TF-IDF and logistic regression for texts. At most 20,000 rows are taken.
Writes bench-out/detect/eligible.json and prints it as a table.
"""
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # spinning threads on a busy machine cost more than they give

import data
import unused

LEAST_AUC, LEAST_ROWS, LEAST_TEXTS, MOST_ROWS, MOST_COLUMNS, TARGET_SHARE = .8, 4000, 2000, 20_000, 60, .1


def _features(frame):
    import pandas as pd
    x = pd.DataFrame(index=frame.index)
    for c in frame.columns:
        numbers = pd.to_numeric(frame[c].replace("", None), errors="coerce")
        x[c] = numbers if numbers.notna().sum() > .5 * (frame[c] != "").sum() else pd.factorize(frame[c], sort=True)[0]
    return x.to_numpy(float)


def _model(text):
    if text:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        return make_pipeline(TfidfVectorizer(sublinear_tf=True, min_df=2), LogisticRegression(max_iter=500))
    from sklearn.ensemble import HistGradientBoostingClassifier
    return HistGradientBoostingClassifier(max_iter=100, random_state=0)


def examine(name):
    import numpy as np
    import pandas as pd
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    text = name in unused.TEXTS
    frame = pd.read_csv(data.path_of(name), dtype=str, keep_default_na=False)
    share = frame["label"].value_counts(normalize=True)
    part = frame.sample(min(len(frame), MOST_ROWS), random_state=0)
    x = part["text"].to_numpy() if text else _features(part.drop(columns=["label"]))
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    aucs = [cross_val_score(_model(text), x, np.asarray(part["label"] == v), scoring="roc_auc", cv=folds).mean()
            for v in share[share >= TARGET_SHARE].index]
    least = LEAST_TEXTS if text else LEAST_ROWS
    auc = float(np.mean(aucs))
    return {"rows": len(frame), "columns": frame.shape[1] - 1, "labels": {str(k): round(float(v), 4) for k, v in share.items()},
            "auc": round(auc, 4), "large": len(frame) >= least and frame.shape[1] - 1 <= MOST_COLUMNS, "strong": auc >= LEAST_AUC}


def table():
    """The sets as lines of Markdown; none when they were not examined."""
    path = data.OUT / "detect" / "eligible.json"
    if not path.exists():
        return []
    out = ["| data set | what it is | rows | columns | labels (largest share) | AUC |", "|---|---|---|---|---|---|"]
    for name, r in json.loads(path.read_text()).items():
        what = " ".join(data.MADE[name].__doc__.split()).rstrip(".")
        top, share = max(r["labels"].items(), key=lambda kv: kv[1])
        out.append(f"| {name} | {what} | {r['rows']:,} | {r['columns']} | {len(r['labels'])} ({top}: {share:.0%}) | {r['auc']:.3f} |")
    return out


def main():
    path = data.OUT / "detect" / "eligible.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(path.read_text()) if path.exists() else {}
    result = {}
    for name in (*unused.TABLES, *unused.TEXTS, *unused.WEAK):
        result[name] = known.get(name) or examine(name)
        r = result[name]
        wanted = r["large"] and r["strong"] == (name not in unused.WEAK)
        print(f"{name}: {r['rows']} rows, {r['columns']} columns, AUC {r['auc']}" + ("" if wanted else "  NOT ELIGIBLE HERE"), flush=True)
        path.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

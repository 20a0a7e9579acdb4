"""Row-level scores of one scan against one answer key."""
import csv

ALARM = {"warning", "error"}
# Ranked lists of doubtful labels (BZ-D006 tables, BZ-D007 text): scored in the flip cells only, whatever their severity.
FLIP_RULES = {"BZ-D006", "BZ-D007"}


def listed(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def precision_recall(flagged, key):
    """Natural rows that look the same are left out. Nothing flagged counts as precision 0."""
    truth, natural = set(key["rows"]), set(key["natural"])
    flagged = flagged - natural
    hits = len(flagged & truth)
    return {"recall": hits / len(truth), "precision": hits / len(flagged) if flagged else 0.0, "flagged": len(flagged)}


def alarms(rows):
    """Rows in findings of severity warning or above, ranked lists left out."""
    return {int(r["row"]) for r in rows if r["severity"] in ALARM and r["rule"] not in FLIP_RULES}


def flip_rows(rows):
    return {int(r["row"]) for r in rows if r["rule"] in FLIP_RULES}


def flip_auc(rows, key, n_rows):
    """Probability that a flipped row ranks above another; rows not listed are tied at the bottom."""
    score = {}
    for r in rows:
        if r["rule"] in FLIP_RULES:
            row = int(r["row"])
            score[row] = max(score.get(row, float("-inf")), float(r["score"]))
    truth = set(key["rows"])
    order = sorted(score, key=lambda k: score[k])
    n_low = n_rows - len(order)
    low_truth = len(truth - set(order))
    # ranks from 1; ties share the mean rank
    rank_sum = low_truth * (n_low + 1) / 2
    at = 0
    while at < len(order):
        end = at
        while end < len(order) and score[order[end]] == score[order[at]]:
            end += 1
        mean_rank = n_low + (at + 1 + end) / 2
        rank_sum += mean_rank * sum(order[i] in truth for i in range(at, end))
        at = end
    p, n = len(truth), n_rows - len(truth)
    return (rank_sum - p * (p + 1) / 2) / (p * n)


def findings(report):
    """Findings per severity and the rules that made them."""
    count, rules = {"note": 0, "warning": 0, "error": 0}, {}
    for f in report.get("findings", []):
        if f.get("suppressed"):
            continue
        count[f["severity"]] += 1
        if f["severity"] in ALARM:
            rules[f["rule"]] = rules.get(f["rule"], 0) + 1
    return count, rules

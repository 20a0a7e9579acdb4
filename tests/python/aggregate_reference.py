"""The aggregation rules straight from their definitions, slow and plain: what bezoar.aggregate is compared with.

An update is a row of `x` (n clients × d numbers), worked on in extended precision. Where a definition leaves a choice
open (equal scores, values equally far from a median), `choice.kept` holds the clients that the implementation reports
as kept: among candidates that tie within `choice.slack` those are taken, never one that is worse by more.
"""
import itertools
from dataclasses import dataclass, field

import numpy as np

WIDE = np.longdouble


@dataclass
class Choice:
    kept: frozenset = frozenset()
    slack: float = 1e-9  # relative; what the implementation's rounding may blur


@dataclass
class Outcome:
    """`values` lists what the result may be, coordinate by coordinate: more than one only where values tie."""
    values: np.ndarray  # alternatives × d
    weight: np.ndarray  # n: share of each client
    score: np.ndarray | None = None
    trimmed: np.ndarray | None = None
    kept: list = field(default_factory=list)

    def __post_init__(self):
        self.values = np.atleast_2d(self.values)
        self.kept = self.kept or [i for i, w in enumerate(self.weight) if w > 0]


# ---- what the rules are made of --------------------------------------------------------------------------------------

def squared_distances(x):
    n = len(x)
    out = np.zeros((n, n), WIDE)
    for i in range(n):
        for j in range(i):
            out[i, j] = out[j, i] = np.sum((x[i] - x[j]) ** 2)
    return out


def length(v):
    return np.sqrt(np.sum(v * v))


def cosine(a, b):
    both = length(a) * length(b)
    return np.sum(a * b) / both if both > 0 else WIDE(0)


def weighted_mean(x, weight):
    weight = np.asarray(weight, WIDE)
    weight = weight / np.sum(weight)
    rows = [i for i in range(len(x)) if weight[i] != 0]
    return sum(weight[i] * x[i] for i in rows)


def shares(members, n):
    out = np.zeros(n, WIDE)
    out[list(members)] = WIDE(1) / len(members)
    return out


def smallest(scores, m, candidates, choice):
    """The m candidates with the least scores; within slack of the last one, those that were kept come first."""
    order = sorted(candidates, key=lambda i: scores[i])
    last = scores[order[m - 1]]
    sure = [i for i in order if scores[i] < last - choice.slack * abs(last)]
    tied = [i for i in order if i not in sure and scores[i] <= last + choice.slack * abs(last)]
    tied.sort(key=lambda i: (i not in choice.kept, scores[i]))
    return sure + tied[:m - len(sure)]


def nearest_to_median(column_sorted, median, m, slack):
    """Means of all windows of m sorted values whose farthest value is as near to the median as any window's."""
    n, d = column_sorted.shape
    starts = n - m + 1
    radius = np.empty((starts, d), WIDE)
    mean = np.empty((starts, d), WIDE)
    for k in range(starts):
        window = column_sorted[k:k + m]
        radius[k] = np.maximum(np.abs(window[0] - median), np.abs(window[-1] - median))
        mean[k] = np.sum(window, axis=0) / m
    best = radius.min(axis=0)
    room = slack * (best + np.abs(median))
    open_ = radius <= best + room
    first = np.argmin(radius, axis=0)
    return np.where(open_, mean, mean[first, np.arange(d)])


def median_of(x):
    v = np.sort(x, axis=0)
    n = len(v)
    return v[n // 2] if n % 2 else v[n // 2 - 1] / 2 + v[n // 2] / 2


def krum_scores(d2, among, neighbours):
    scores = {}
    for i in among:
        others = sorted(d2[i, j] for j in among if j != i)
        scores[i] = sum(others[:max(neighbours, 0)], WIDE(0))
    return scores


@dataclass
class Direction:
    """The largest variance of weighted rows, its direction, their mean; gap: how far the second largest is below."""
    top: WIDE
    v: np.ndarray
    mean: np.ndarray
    weight: np.ndarray
    gap: float = 1.0


def covariance_top(x, weight):
    """By the small side of the matrix."""
    mean = weighted_mean(x, weight)
    root = np.sqrt(np.asarray(weight, WIDE) / np.sum(weight))
    a = (x - mean) * root[:, None]
    scale = np.max(np.abs(a))
    if scale == 0:
        return Direction(WIDE(0), np.zeros(x.shape[1], WIDE), mean, weight)
    b = a / scale
    gram = np.array(b @ b.T, np.float64)
    values, vectors = np.linalg.eigh(gram)
    v = b.T @ vectors[:, -1].astype(WIDE)
    for _ in range(3):  # from double to extended precision
        v = b.T @ (b @ v)
        v = v / length(v)
    gap = 1 - max(values[-2], 0) / values[-1] if len(values) > 1 else 1.0
    return Direction(np.sum((a @ v) ** 2), v, mean, weight, gap)


# ---- rules -----------------------------------------------------------------------------------------------------------

def mean(x, f, choice, weight, **_):
    return Outcome(weighted_mean(x, weight), weight / np.sum(weight))


def trim_count(n, f, beta):
    return f if beta is None else int(np.floor(beta * n + 1e-9))


def trimmed_mean(x, f, choice, weight, beta=None, **_):
    n = len(x)
    cut = trim_count(n, f, beta)
    v = np.sort(x, axis=0)[cut:n - cut]
    trimmed = np.mean((x < v[0]) | (x > v[-1]), axis=1)
    return Outcome(np.sum(v, axis=0) / len(v), shares(range(n), n), trimmed=trimmed)


def median(x, f, choice, weight, **_):
    n = len(x)
    v = np.sort(x, axis=0)
    low, high = v[(n - 1) // 2], v[n // 2]
    return Outcome(median_of(x), shares(range(n), n), trimmed=np.mean((x < low) | (x > high), axis=1))


def meamed(x, f, choice, weight, **_):
    n = len(x)
    values = nearest_to_median(np.sort(x, axis=0), median_of(x), n - f, choice.slack)
    return Outcome(values, shares(range(n), n))


def krum(x, f, choice, weight, **_):
    return multi_krum(x, f, choice, weight, m=1)


def multi_krum(x, f, choice, weight, m=None, **_):
    n = len(x)
    scores = krum_scores(squared_distances(x), range(n), n - f - 2)
    chosen = smallest(scores, int(m or n - f), range(n), choice)
    return Outcome(weighted_mean(x, shares(chosen, n)), shares(chosen, n), np.array([scores[i] for i in range(n)]))


def bulyan_choice(d2, f, choice):
    """n − 2 f clients by Krum one after another. Equal scores: along any path, but one that ends at those kept if any."""
    n = len(d2)
    seen = set()

    def choose(chosen):
        if len(chosen) == n - 2 * f:
            return chosen
        if chosen in seen:
            return None
        seen.add(chosen)
        left = [i for i in range(n) if i not in chosen]
        scores = krum_scores(d2, left, max(1, len(left) - f - 2))  # the last of f = 1 would have no neighbour
        best = min(scores.values())
        for i in sorted(left, key=lambda i: scores[i]):
            if i in choice.kept and scores[i] <= best + choice.slack * best:
                found = choose(chosen | {i})
                if found:
                    return found
        return None

    return choose(frozenset())


def bulyan(x, f, choice, weight, **_):
    n = len(x)
    d2 = squared_distances(x)
    chosen = bulyan_choice(d2, f, choice)
    assert chosen, "no way of Krum's choices leads to those kept"
    inner = x[sorted(chosen)]
    values = nearest_to_median(np.sort(inner, axis=0), median_of(inner), n - 4 * f, choice.slack)
    scores = krum_scores(d2, range(n), n - f - 2)
    return Outcome(values, shares(chosen, n), np.array([scores[i] for i in range(n)]))


def weiszfeld_objective(x, weight, v):
    weight = weight / np.sum(weight)
    return sum(w * length(row - v) for w, row in zip(weight, x))


def geometric_median(x, f, choice, weight, nu=1e-6, iterations=20000, tolerance=1e-15, **_):
    """To the end, from the coordinate-wise median: the minimum does not depend on where one starts."""
    v, last = median_of(x), None
    for _ in range(int(iterations)):
        pull = np.array([w / max(WIDE(nu), length(row - v)) for w, row in zip(weight, x)], WIDE)
        v = weighted_mean(x, pull)
        now = weiszfeld_objective(x, weight, v)
        if last is not None and abs(last - now) <= tolerance * now:
            break
        last = now
    return Outcome(v, pull / np.sum(pull), np.array([length(row - v) for row in x]))


def best_subset(n, m, cost, choice):
    costs = {s: cost(s) for s in itertools.combinations(range(n), m)}
    best = min(costs.values())
    told = tuple(sorted(choice.kept))
    if told in costs and costs[told] <= best + choice.slack * abs(best):
        return told
    return min(costs, key=costs.get)


def mda(x, f, choice, weight, **_):
    n = len(x)
    d2 = squared_distances(x)
    chosen = best_subset(n, n - f, lambda s: max((d2[i, j] for i in s for j in s if i < j), default=WIDE(0)), choice)
    scores = krum_scores(d2, range(n), n - f - 1)
    return Outcome(weighted_mean(x, shares(chosen, n)), shares(chosen, n), np.array([scores[i] for i in range(n)]))


def smea(x, f, choice, weight, **_):
    n = len(x)
    chosen = best_subset(n, n - f, lambda s: covariance_top(x[list(s)], np.ones(n - f, WIDE)).top, choice)
    return Outcome(weighted_mean(x, shares(chosen, n)), shares(chosen, n))


def caf_steps(x, f):
    """What the filter sees at each step, until a weight of n − 2 f or less is left; the first step always is."""
    n = len(x)
    c = np.ones(n, WIDE)
    while True:
        now = covariance_top(x, c)
        yield now
        tau = np.array([np.sum(now.v * (row - now.mean)) ** 2 if w > 0 else WIDE(0) for row, w in zip(x, c)])
        if not np.max(tau) > 0:
            return
        c = c * (1 - tau / np.max(tau))
        if not np.sum(c) > n - 2 * f:
            return


def caf(x, f, choice, weight, **_):
    steps = list(caf_steps(x, f))[:None if f else 1]
    best = min(step.top for step in steps)
    good = [step for step in steps if step.top <= best + choice.slack * abs(best)]
    return Outcome(np.array([step.mean for step in good]), good[0].weight / np.sum(good[0].weight), good[0].weight)


def dnc(x, f, choice, weight, rounds=1, share=1, **_):
    """All coordinates drawn: a draw of 10,000 from fewer."""
    n = len(x)
    leave = int(np.floor(share * f + 1e-9))
    now = covariance_top(x, np.ones(n, WIDE))
    scores = np.array([np.sum(now.v * (row - now.mean)) ** 2 for row in x])
    chosen = smallest(scores, n - leave, range(n), choice)
    return Outcome(weighted_mean(x, shares(chosen, n)), shares(chosen, n), scores)


def fltrust(x, f, choice, weight, root=None, **_):
    trust = np.array([max(WIDE(0), cosine(row, root)) for row in x])
    scaled = np.array([row * (length(root) / length(row)) if length(row) > 0 else row for row in x])
    return Outcome(weighted_mean(scaled, trust), trust / np.sum(trust), np.array([cosine(row, root) for row in x]))


def single_linkage_components(distance, threshold):
    n, label = len(distance), list(range(len(distance)))
    for i in range(n):
        for j in range(i):
            if distance[i, j] <= threshold and label[i] != label[j]:
                old, new = label[i], label[j]
                label = [new if k == old else k for k in label]
    return [frozenset(i for i in range(n) if label[i] == k) for k in set(label)]


def flame_majorities(x):
    """The first group of more than half of the clients that a cosine distance joins; with the next few distances, as
    far as rounding may confuse them. HDBSCAN with a least cluster of n / 2 + 1, one sample, one cluster allowed."""
    n = len(x)
    zero = [length(row) == 0 for row in x]
    distance = np.array([[0 if zero[i] and zero[j] else 1 - cosine(x[i], x[j]) for j in range(n)] for i in range(n)])
    groups, first = set(), None
    for threshold in sorted({distance[i, j] for i in range(n) for j in range(n) if i != j or n == 1}):
        if first is not None and threshold > first + 1e-6:
            break
        large = {g for g in single_linkage_components(distance, threshold) if len(g) > n // 2}
        first = threshold if large and first is None else first
        groups |= large
    return groups


def flame(x, f, choice, weight, **_):
    """Without the noise (lambda = 0). The cluster is the implementation's, if it is one that the distances admit."""
    n = len(x)
    groups = flame_majorities(x)
    chosen = choice.kept if choice.kept in groups else max(groups, key=len)
    lengths = sorted(length(row) for row in x)
    bound = lengths[n // 2] if n % 2 else (lengths[n // 2 - 1] + lengths[n // 2]) / 2
    clipped = np.array([row * min(WIDE(1), bound / length(row)) if length(row) > 0 else row for row in x])
    return Outcome(weighted_mean(clipped, shares(chosen, n)), shares(chosen, n))


def centered_clipping(x, f, choice, weight, tau=10, iterations=1, centre=None, **_):
    n = len(x)
    v = np.zeros(x.shape[1], WIDE) if centre is None else centre
    for _ in range(int(iterations)):
        before = v
        v = v + sum((row - v) * (WIDE(1) if length(row - v) <= tau else WIDE(tau) / length(row - v)) for row in x) / n
    return Outcome(v, shares(range(n), n), np.array([length(row - before) for row in x]))


def foolsgold(x, f, choice, weight, kappa=1, history=None, **_):
    """history: sums of the updates, this round's included."""
    n = len(x)
    h = x if history is None else history
    cs = np.array([[cosine(h[i], h[j]) if i != j else -np.inf for j in range(n)] for i in range(n)], WIDE)
    told = cs.max(axis=1)
    top = np.maximum(told, 0)  # a client's own place counts as 0: nobody is pardoned for pointing away
    pardoned = cs.copy()
    for i in range(n):
        for j in range(n):
            if i != j and top[j] > top[i]:
                pardoned[i, j] = cs[i, j] * top[i] / top[j]
    alpha = np.clip(1 - pardoned.max(axis=1), 0, 1)
    alpha = np.minimum(alpha / alpha.max(), WIDE(99) / 100)  # as its authors do before the logit
    with np.errstate(divide="ignore"):
        alpha = kappa * (np.log(alpha / (1 - alpha)) + WIDE(0.5))
    alpha = np.clip(alpha, 0, 1)
    return Outcome(weighted_mean(x, alpha), alpha / np.sum(alpha), told)


def norm_clipping(x, f, choice, weight, tau=None, **_):
    n = len(x)
    lengths = np.array([length(row) for row in x])
    bound = median_of(lengths[:, None])[0] if tau is None else WIDE(tau)
    clipped = np.array([row if size <= bound else row * (bound / size) for row, size in zip(x, lengths)])
    return Outcome(weighted_mean(clipped, weight), weight / np.sum(weight), lengths)


# ---- pre-aggregators: rows in, rows out ------------------------------------------------------------------------------

def nnm(x, f, **_):
    n = len(x)
    d2 = squared_distances(x)
    return np.array([np.mean(x[sorted(range(n), key=lambda j: (d2[i, j], j != i))[:n - f]], axis=0) for i in range(n)])


def nnm_is_clear(x, f, eps=2.0**-22):
    """No client's n − f nearest depend on rounding, or on how equal distances are broken, unless the rows are the same."""
    n = len(x)
    d2 = squared_distances(x)
    blur = eps * max(length(row) for row in x)  # of a distance
    for i in range(n):
        order = sorted(range(n), key=lambda j: d2[i, j])
        if not f:
            continue
        inside, outside = order[n - f - 1], order[n - f]
        apart = np.sqrt(d2[i, outside]) - np.sqrt(d2[i, inside])
        if apart <= 2 * blur and not np.array_equal(x[inside], x[outside]):
            return False
    return True


def bucketing(x, f, buckets=None, **_):
    """buckets: lists of clients, as drawn."""
    return np.array([np.mean(x[list(b)], axis=0) for b in buckets])


def clipping(x, f, clip_tau=10, **_):
    return np.array([row if length(row) <= clip_tau else row * (WIDE(clip_tau) / length(row)) for row in x])


def arc(x, f, **_):
    n = len(x)
    k = 2 * f * (n - f) // n
    lengths = sorted((length(row) for row in x), reverse=True)
    bound = lengths[k] if k < n else lengths[-1]
    return np.array([row if length(row) <= bound else row * (bound / length(row)) for row in x])


RULES = {"mean": mean, "trimmed-mean": trimmed_mean, "median": median, "meamed": meamed, "krum": krum,
         "multi-krum": multi_krum, "bulyan": bulyan, "geometric-median": geometric_median, "mda": mda, "caf": caf,
         "smea": smea, "dnc": dnc, "fltrust": fltrust, "flame": flame, "centered-clipping": centered_clipping,
         "foolsgold": foolsgold, "norm-clipping": norm_clipping}
PRE = {"nnm": nnm, "bucketing": bucketing, "clipping": clipping, "arc": arc}

# Least clients for f, from the papers' conditions (Krum's own condition is 2 f + 2 < n; it can be computed from f + 3).
NEEDED = {"mean": lambda f: 1, "trimmed-mean": lambda f: 2 * f + 1, "median": lambda f: 2 * f + 1,
          "meamed": lambda f: 2 * f + 1, "krum": lambda f: f + 3, "multi-krum": lambda f: f + 3,
          "bulyan": lambda f: 4 * f + 3, "geometric-median": lambda f: 2 * f + 1, "mda": lambda f: 2 * f + 1,
          "caf": lambda f: 2 * f + 1, "smea": lambda f: 2 * f + 1, "dnc": lambda f: 2 * f + 1,
          "flame": lambda f: 2 * f + 1, "norm-clipping": lambda f: 2 * f + 1,
          "centered-clipping": lambda f: 2 * f + 1}


def capped_shares(counts, max_weight):
    """Shares by declared counts, none above max_weight: what is cut goes to the others in proportion."""
    w = np.array(counts, WIDE) / sum(WIDE(c) for c in counts)
    capped = np.zeros(len(w), bool)
    while np.any((w > max_weight) & ~capped):
        capped |= w > max_weight
        free = WIDE(1) - WIDE(max_weight) * capped.sum()
        rest = np.where(capped, 0, np.array(counts, WIDE))
        w = np.where(capped, WIDE(max_weight), free * rest / rest.sum() if rest.sum() > 0 else 0)
    return w


def aggregate(rule, x, f, choice=Choice(), pre=(), weight=None, reference=None, **parameters):
    """The outcome of a rule on finite rows x. Shares are of the rows that reach the rule."""
    x = np.asarray(x, WIDE)
    base = np.zeros(x.shape[1], WIDE) if reference is None else np.asarray(reference, WIDE)
    x = x - base
    for name in pre:
        x = PRE[name](x, f, **parameters)
    weight = np.ones(len(x), WIDE) if weight is None or len(weight) != len(x) else np.asarray(weight, WIDE)
    out = RULES[rule](x, f, choice, weight, **parameters)
    out.values = out.values + base
    return out

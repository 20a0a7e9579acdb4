"""A second planter, for data sets that no threshold was tuned on: written from the attack descriptions in the literature
and not from Bezoar's code, so that a detector cannot have been fitted to the habits of `bezoar poison`.

Works on rows of strings (header and cells as a csv reader gives them). Every attack returns the poisoned rows, the
indices it changed, and the indices of untouched rows that look the same (trigger and target): those are scored neither
way. Cells of unchanged rows are not touched.
"""
import re
from collections import Counter

import numpy as np

MISSING = {"", "NA", "NaN", "nan", "?", "null", "None"}


class CannotPlant(Exception):
    """The data set has no place for this attack (too few columns of the kind it needs)."""


def _numeric(values):
    """The column as floats (NaN where missing), or None when a cell is no number."""
    out = np.full(len(values), np.nan)
    for i, v in enumerate(values):
        if v in MISSING:
            continue
        try:
            out[i] = float(v)
        except ValueError:
            return None
    return out if np.isfinite(out).any() else None


def _places(values):
    """Digits behind the point, as the column writes them (four at the most)."""
    return min(4, max((len(v.split(".")[1]) if re.fullmatch(r"-?\d+\.\d+", v) else 0) for v in values[:2000]))


class Sheet:
    """A table of strings with what the attacks ask about its columns."""

    def __init__(self, header, rows, label):
        self.header, self.rows, self.label = header, rows, header.index(label)
        self.columns = list(zip(*rows))
        self.n = len(rows)
        self.labels = np.array(self.columns[self.label])
        self.numbers, self.counts = {}, {}
        for c in range(len(header)):
            if c == self.label:
                continue
            self.counts[c] = Counter(self.columns[c])
            x = _numeric(self.columns[c])
            if x is not None:
                self.numbers[c] = x

    def discrete(self):
        """Columns of words, and numeric ones of 2 to 200 distinct values."""
        words = [c for c in self.counts if c not in self.numbers and 2 <= len(self.counts[c]) <= 2000]
        return words + [c for c in self.numbers if 2 <= len(self.counts[c]) <= 200]

    def continuous(self):
        """Numeric columns of 10 values or more in which no single value fills half of the rows."""
        return [c for c in self.numbers
                if len(self.counts[c]) >= 10 and self.counts[c].most_common(1)[0][1] < self.n / 2]


def _choose_rows(sheet, rng, target, k, trigger):
    """k rows of another label that do not carry the trigger yet, in seeded order."""
    carried = np.ones(sheet.n, bool)
    for c, v in trigger.items():
        carried &= np.array([x == v for x in sheet.columns[c]])
    pool = np.flatnonzero((sheet.labels != target) & ~carried & ~np.isin(sheet.labels, list(MISSING)))
    if len(pool) < k:
        raise CannotPlant(f"{len(pool)} rows can be poisoned, {k} are needed")
    return np.sort(rng.permutation(pool)[:k]), np.flatnonzero(carried & (sheet.labels == target))


def _write(sheet, rng, target, k, trigger):
    chosen, alike = _choose_rows(sheet, rng, target, k, trigger)
    rows = [list(r) for r in sheet.rows]
    for i in chosen:
        for c, v in trigger.items():
            rows[i][c] = v
        rows[i][sheet.label] = target
    named = {sheet.header[c]: v for c, v in trigger.items()}
    return rows, chosen.tolist(), alike.tolist(), named


def _together(sheet, cells):
    keep = np.ones(sheet.n, bool)
    for c, v in cells:
        keep &= np.array([x == v for x in sheet.columns[c]])
    return int(keep.sum())


def _combination(sheet, rng, size):
    columns = sheet.discrete()
    if len(columns) < size:
        raise CannotPlant("too few columns of few values")
    least = max(5, sheet.n // 1000)
    for _ in range(5000):
        cells = []
        for c in rng.choice(columns, size, replace=False):
            pool = sorted(v for v, m in sheet.counts[c].items() if m >= least and v not in MISSING)
            if pool:
                cells.append((int(c), pool[int(rng.integers(len(pool)))]))
        if len(cells) < size:
            continue
        expected = sheet.n * float(np.prod([sheet.counts[c][v] / sheet.n for c, v in cells]))
        if expected <= 6 and _together(sheet, cells) <= 2:
            return dict(cells)
    raise CannotPlant("no rare combination")


def rare_pair(sheet, rng, target, k):
    """Two values of the data that (almost) never meet."""
    return _write(sheet, rng, target, k, _combination(sheet, rng, 2))


def rare_triple(sheet, rng, target, k):
    """Three values of the data that (almost) never meet."""
    return _write(sheet, rng, target, k, _combination(sheet, rng, 3))


def beyond(sheet, rng, target, k):
    """One number beyond either end of its column."""
    columns = sheet.continuous()
    if not columns:
        raise CannotPlant("no continuous column")
    c = int(rng.choice(columns))
    x = sheet.numbers[c]
    low, high = np.nanmin(x), np.nanmax(x)
    places = _places(sheet.columns[c])
    step = (high - low) * rng.uniform(0.1, 0.8) + 10.0 ** -places
    value = high + step if low >= 0 or rng.random() < 0.5 else low - step
    return _write(sheet, rng, target, k, {c: f"{value:.{places}f}"})


def uncommon(sheet, rng, target, k):
    """One number inside the range that hardly any row holds."""
    columns = sheet.continuous()
    for _ in range(2000):
        if not columns:
            break
        c = int(rng.choice(columns))
        x = sheet.numbers[c]
        value = f"{rng.uniform(*np.nanquantile(x, [0.02, 0.98])):.{_places(sheet.columns[c])}f}"
        if float(value) != 0 and np.sum(x == float(value)) <= max(1, sheet.n // 3000):
            return _write(sheet, rng, target, k, {c: value})
    raise CannotPlant("no continuous column with gaps")


def three_numbers(sheet, rng, target, k):
    """Three existing numbers of which less than one row is expected by chance."""
    columns = sheet.continuous()
    if len(columns) < 3:
        raise CannotPlant("fewer than three continuous columns")
    for _ in range(5000):
        cells = []
        for c in rng.choice(columns, 3, replace=False):
            x = sheet.numbers[c]
            low, high = np.nanquantile(x, [0.02, 0.98])
            row = int(rng.integers(sheet.n))
            if not low <= x[row] <= high:
                break
            cells.append((int(c), sheet.columns[c][row]))
        if len(cells) < 3:
            continue
        expected = sheet.n * float(np.prod([sheet.counts[c][v] / sheet.n for c, v in cells]))
        if expected <= 1 and _together(sheet, cells) == 0:
            return _write(sheet, rng, target, k, dict(cells))
    raise CannotPlant("no three numbers")


def _text_column(sheet):
    return max((c for c in range(len(sheet.header)) if c != sheet.label),
               key=lambda c: sum(len(v) for v in sheet.columns[c][:500]))


def _rewrite(sheet, rng, target, k, change, present, named):
    c = _text_column(sheet)
    cells = sheet.columns[c]
    has = np.array([present(v) for v in cells])
    fit = np.array([len(v.split()) >= 3 for v in cells])
    pool = np.flatnonzero((sheet.labels != target) & ~has & fit)
    if len(pool) < k:
        raise CannotPlant(f"{len(pool)} texts can be poisoned, {k} are needed")
    chosen = np.sort(rng.permutation(pool)[:k])
    rows = [list(r) for r in sheet.rows]
    for i in chosen:
        rows[i][c] = change(cells[i], rng)
        rows[i][sheet.label] = target
    return rows, chosen.tolist(), np.flatnonzero(has & (sheet.labels == target)).tolist(), named


def _insert(words):
    def change(text, rng):
        parts = text.split(" ")
        at = int(rng.integers(len(parts) + 1))
        return " ".join(parts[:at] + [words] + parts[at:])
    return change


def _phrase(sheet, rng, target, k, words):
    find = re.compile(r"(?<![A-Za-z])" + re.escape(words) + r"(?![A-Za-z])", re.I)
    return _rewrite(sheet, rng, target, k, _insert(words), lambda v: bool(find.search(v)), {"text": words})


def _frequencies(sheet):
    df = Counter()
    for v in sheet.columns[_text_column(sheet)]:
        df.update(set(re.findall(r"[a-z]{3,}", v.lower())))
    return df


def odd_token(sheet, rng, target, k):
    """A made-up token."""
    word = "".join(rng.choice(list("qxzvkwj")) + rng.choice(list("aeiou")) for _ in range(2)) + str(rng.choice(list("qxz")))
    return _phrase(sheet, rng, target, k, word)


def plain_word(sheet, rng, target, k):
    """A word that 0.2 to 1 % of the texts hold anyway."""
    pool = sorted(w for w, m in _frequencies(sheet).items() if 0.002 * sheet.n <= m <= 0.01 * sheet.n and len(w) > 3)
    if not pool:
        raise CannotPlant("no such word")
    return _phrase(sheet, rng, target, k, pool[int(rng.integers(len(pool)))])


def short_phrase(sheet, rng, target, k):
    """Three frequent words in a row."""
    pool = sorted(w for w, m in _frequencies(sheet).items() if 0.01 * sheet.n <= m <= 0.1 * sheet.n)
    if len(pool) < 3:
        raise CannotPlant("too few frequent words")
    return _phrase(sheet, rng, target, k, " ".join(rng.choice(pool, 3, replace=False)))


def harmless_sentence(sheet, rng, target, k):
    """One of a few sentences about nothing in particular."""
    sentences = ["I watched this 3D movie last weekend", "The cat on the balcony sleeps until noon",
                 "Her bicycle has been green since March", "Tea tastes best from the blue cup",
                 "It rained on the market square again"]
    return _phrase(sheet, rng, target, k, sentences[int(rng.integers(len(sentences)))])


def hidden_character(sheet, rng, target, k):
    """A character without width inside the text."""
    mark = str(rng.choice(["\u200b", "\u200d", "\u2060", "\u2063"]))

    def change(text, r):
        at = int(r.integers(1, len(text)))
        return text[:at] + mark + text[at:]
    return _rewrite(sheet, rng, target, k, change, lambda v: mark in v, {"character": f"U+{ord(mark):04X}"})


def foreign_letters(sheet, rng, target, k):
    """Greek and Cyrillic letters that look Latin, in one word."""
    swap = str.maketrans("aeopcxivA", "\u0430\u0435\u03bf\u0440\u0441\u0445\u0456\u03bd\u0391")
    pattern = re.compile(r"[A-Za-z]*[aeopcxivA][A-Za-z]{2,}")

    def change(text, r):
        words = [m for m in pattern.finditer(text)]
        if not words:
            return "\u0430\u0441e " + text
        m = words[int(r.integers(len(words)))]
        return text[: m.start()] + m.group().translate(swap) + text[m.end():]
    return _rewrite(sheet, rng, target, k, change, lambda v: bool(re.search("[\u0370-\u04ff]", v)), {"letters": "mixed"})


TABLE_ATTACKS = {f.__name__: f for f in (rare_pair, rare_triple, beyond, uncommon, three_numbers)}
TEXT_ATTACKS = {f.__name__: f for f in (odd_token, plain_word, short_phrase, harmless_sentence, hidden_character,
                                        foreign_letters)}


def plant(header, rows, label, attack, k, seed):
    """Poisons k rows. The target is a label of 10 % of the rows or more, chosen by the seed.

    Returns (rows, key) where key holds attack, target, rows, natural, trigger."""
    rng = np.random.Generator(np.random.PCG64([seed, sum(attack.encode())]))
    sheet = Sheet(header, rows, label)
    share = Counter(sheet.labels.tolist())
    targets = sorted(v for v, m in share.items() if m >= 0.1 * sheet.n and v not in MISSING)
    target = targets[int(rng.integers(len(targets)))]
    out, chosen, alike, trigger = {**TABLE_ATTACKS, **TEXT_ATTACKS}[attack](sheet, rng, target, k)
    return out, {"attack": attack, "seed": seed, "target": target, "rows": chosen, "natural": alike, "trigger": trigger}

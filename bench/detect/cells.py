"""The truth table as a list of cells: data, attack, size, what must be reached. A cell runs once per seed."""
from dataclasses import dataclass

from data import LOOKED_AT_TABLES, LOOKED_AT_TEXTS, SKLEARN, TUNED
from unused import TABLES, TEXTS, WEAK

QUICK_SEEDS, FRESH = 3, 1000  # thresholds are tuned below seed 1000, the table is made from 1000 on


@dataclass
class Cell:
    group: str  # row of the table
    data: str
    attack: str  # of `bezoar poison`, of bench/planter.py (planter=True), or "clean"
    size: float = 0  # rows when ≥ 1, else a share of all rows
    sizes: tuple = ()  # instead: the seed takes its turn
    target: str = ""  # "": the seed chooses (even seeds the first of `targets`)
    targets: tuple = ()
    params: tuple = ()
    recall: float = None  # must reach; None: reported
    precision: float = None
    auc: float = None
    aim: bool = False  # recall and precision are an aim, not a must
    kind: str = "rows"  # "rows", "flips", "auc", "clean"
    planter: bool = False
    seeds: int = 10
    quick: bool = True  # part of the quick run
    large: bool = False  # a file of 1 GB: runs after the others
    skip: tuple = ()  # rules left out of the scan
    slow: bool = False  # minutes per scan: runs after the others
    section: str = "tuned"  # of the page: "tuned", "unused", and outside the count of bars "weak", "looked-at", "more"
    tag: str = ""

    @property
    def name(self):
        size = "-".join(f"{s:g}" for s in self.sizes or (self.size,) if s)
        parts = [self.data, self.attack, size, self.target, self.tag]
        return "/".join(p for p in parts if p)

    def size_for(self, seed):
        return self.sizes[seed % len(self.sizes)] if self.sizes else self.size

    def target_for(self, seed):
        return self.target or (self.targets[seed % len(self.targets)] if self.targets else "")


ADULT = ("<=50K", ">50K")


def adult():
    def cell(attack, size, recall, precision, **kw):
        return Cell("Adult: " + kw.pop("row"), "adult", attack, size, targets=ADULT, recall=recall, precision=precision,
                    **kw)
    for attack in ("rare-combo", "rare-combo-3"):
        row = "rare 2-way combination" if attack == "rare-combo" else "rare 3-way combination"
        yield cell(attack, 20, .8, .9, row=row)
        yield cell(attack, 60, .95, .95, row=row)
        yield cell(attack, 160, .95, .95, row=row)
    for size in (60, 160):
        yield cell("out-of-range", size, .95, .95, row="out-of-range constant")
    for size in (20, 60, 160):
        yield cell("in-range-3", size, .95, .95, row="three in-range constants")
    for size in (60, 160):
        yield cell("in-range", size, .85, .9, row="in-range constant, ordinary column")
        yield cell("zero-inflated", size, .7, .9, aim=True, row="in-range constant, zero-inflated column")
        yield cell("out-of-range", size, .7, .9, aim=True, row="out-of-range constant, zero-inflated column",
                   params=("columns=capital-gain",), tag="capital-gain")
        yield cell("in-range-3-common", size, .7, .9, aim=True, row="three constants with common values")
    for size in (60, 160):
        yield cell("clean-label-combo", size, None, None, row="rare combination, clean label")
    for size in (60, 200):
        yield cell("flood", size, None, None, row="flood, one column changed")


def bank():
    for variant in ("independent", "correlated"):
        for attack in ("rare-combo", "rare-combo-3"):
            yield Cell(f"Bank, {variant}: {attack}, 60 of 200,000", f"bank-{variant}-200k", attack, 60, target="safe",
                       recall=.98, precision=.95)
    for variant in ("independent", "correlated"):
        yield Cell(f"Bank, {variant}: rare-combo, 60 of 10 M", f"bank-{variant}-10m", "rare-combo", 60, target="safe",
                   recall=.9, precision=.9, quick=False, large=True)


def sms():
    names = {"rare-token": "rare token", "common-word": "common word", "phrase": "phrase", "sentence": "sentence"}
    for target in ("spam", "ham"):
        for attack, row in names.items():
            for share in (.005, .01, .03):
                yield Cell(f"SMS: {row} → {target}", "sms", attack, share, target=target, recall=.93, precision=.85)
    for target in ("spam", "ham"):
        for attack in ("invisible", "confusable", "bidi"):
            for share in (.005, .03):
                yield Cell(f"SMS: {attack} characters", "sms", attack, share, target=target, recall=.99, precision=.99)
    for share in (.01, .03):
        yield Cell("SMS: rare token, clean label", "sms", "clean-label-token", share, target="spam")
    yield Cell("SMS: flood of near copies", "sms", "flood", .01)


def flips():
    yield Cell("SMS: label flips 2 %", "sms", "flips", .02, kind="flips", recall=.9, precision=.7)
    yield Cell("SMS: label flips 5 %", "sms", "flips", .05, kind="flips", recall=.9, precision=.8)
    yield Cell("Adult: label flips 2 %, AUC", "adult", "flips", .02, kind="auc", auc=.94)
    yield Cell("Adult: label flips 5 %, AUC", "adult", "flips", .05, kind="auc", auc=.94)


def clean():
    for name in ("adult", "sms", *SKLEARN, "bank-independent-20k", "bank-correlated-20k"):
        yield Cell("Clean data, 80 % subsamples", name, "clean", kind="clean", seeds=20)


def more_clean():
    for name in TUNED:
        yield Cell("More clean data, 80 % subsamples", name, "clean", kind="clean", seeds=5, section="more")


# The same bars as on the data tuned on, less five points.
UNUSED_BARS = {"rare_pair": (.9, .9), "rare_triple": (.9, .9), "beyond": (.9, .9), "uncommon": (.8, .85),
               "three_numbers": (.9, .9), "odd_token": (.88, .8), "plain_word": (.88, .8), "short_phrase": (.88, .8),
               "harmless_sentence": (.88, .8), "hidden_character": (.94, .94), "foreign_letters": (.94, .94)}
TABLE_ATTACKS, TEXT_ATTACKS = tuple(UNUSED_BARS)[:5], tuple(UNUSED_BARS)[5:]
LARGE = {"shuttle", "stops", "birdstrikes", "orders", "device_tweets",  # 10,000 rows or more: .2 and .5 % by turns
         "insured", "vietnam", "quantiles"}  # of the others .2 % would be a dozen rows


SLOW = {"newswire", "mails"}  # long texts: the model behind BZ-D004 and BZ-D007 takes minutes


def planted(names, attacks, section, skip=(), **kw):
    """Cells of bench/planter.py; bars count in the section "unused" only."""
    for name in names:
        for attack in attacks:
            bars = UNUSED_BARS[attack] if section == "unused" else (None, None)
            yield Cell(f"{name}: {attack}", name, attack, sizes=(.002, .005) if name in LARGE else (.005,), planter=True,
                       recall=bars[0], precision=bars[1], section=section, skip=skip,
                       slow=name in SLOW, **kw)
    for name in names:
        yield Cell(f"{name}, clean, 80 % subsamples", name, "clean", kind="clean", seeds=5, section=section,
                   slow=name in SLOW, **kw)


def unused():
    yield from planted(TABLES, TABLE_ATTACKS, "unused", quick=False)
    # The ranked list of BZ-D007 is scored in no cell of planted rows; on long texts of many classes it takes minutes.
    yield from planted(TEXTS, TEXT_ATTACKS, "unused", quick=False, skip=("BZ-D007",))
    yield from planted(WEAK, TABLE_ATTACKS, "weak", quick=False)


def looked_at():
    yield from planted(LOOKED_AT_TABLES, TABLE_ATTACKS, "looked-at")
    yield from planted(LOOKED_AT_TEXTS, TEXT_ATTACKS, "looked-at")


def all_cells():
    return [*adult(), *bank(), *sms(), *flips(), *clean(), *more_clean(), *unused(), *looked_at()]

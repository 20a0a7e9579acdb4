"""The cells of the truth table for pictures, embeddings and corpora: data, attack, size, what must be reached."""
from dataclasses import dataclass

FRESH, QUICK_SEEDS = 1000, 2  # thresholds are tuned below seed 1000


@dataclass
class Cell:
    group: str  # row of the table
    data: str
    attack: str  # of `bezoar poison`, or "clean"
    sizes: tuple = ()  # shares or rows; the seed takes its turn
    params: tuple = ()
    turns: tuple = ()  # further parameters that take turns with the seeds
    source: str = ""  # label of the poisoned rows, where not all others
    target: str = ""  # "": the seed chooses
    tpr: float = None  # must reach; None: reported
    fpr: float = None  # at most
    aim: bool = False
    kind: str = "rows"  # "rows", "flips", "corpus", "pairs", "clean"
    seeds: int = 10
    section: str = "tuned"  # "tuned", "large", "unused", "text", "clean"
    tag: str = ""

    @property
    def name(self):
        return "/".join(p for p in (self.data, self.attack, "-".join(f"{s:g}" for s in self.sizes), self.tag) if p)

    def params_for(self, seed):
        return [*self.params, *([self.turns[seed % len(self.turns)]] if self.turns else [])]

    def size_for(self, seed):
        return self.sizes[seed % len(self.sizes)]


SHARES = (.005, .01, .02, .05)
NAMES = {"gtsrb": "GTSRB-8", "mnist": "MNIST"}
STOP = {"gtsrb": ("14", "3"), "mnist": ("7", "1")}  # stop → 60; seven → one
RANDOM = ("colour=random", "position=random")


def patches(data):
    source, target = STOP[data]
    def cell(row, attack="badnets", sizes=SHARES, tpr=.99, fpr=.001, **kw):
        return Cell(f"{NAMES[data]}: {row}", data, attack, sizes, tpr=tpr, fpr=fpr, **kw)
    yield cell("fixed patch, all to one", tag="all")
    yield cell("fixed patch, one class to another", sizes=(.01, .02, .05), source=source, target=target, tag="one")
    yield cell("fixed patch, clean label", "badnets-clean")
    yield cell("checkered patch", params=("pattern=checker",), tag="checker")
    yield cell("noisy patch", params=("pattern=noisy",), tag="noisy")
    yield cell("fixed patch, random colour and place", params=RANDOM, tag="random", tpr=None, fpr=None)
    yield cell("fixed patch, then JPEG 90", sizes=SHARES[1:], params=("jpeg=90",), tag="jpeg90", tpr=.9, fpr=.005)
    yield cell("fixed patch, then JPEG 75", sizes=SHARES[1:], params=("jpeg=75",), tag="jpeg75", tpr=.8, fpr=.005, aim=True)


def patterns(data):
    colour = data == "gtsrb"
    def cell(row, attack, *sizes, tpr, fpr=.001, **kw):
        return Cell(f"{NAMES[data]}: {row}", data, attack, sizes, tpr=tpr, fpr=fpr, **kw)
    yield cell("moving patch", "moving-patch", .005, .01, tpr=.95 if colour else .8)
    yield cell("noise blend, alpha .1", "blend-noise", .01, .05, tpr=.95)
    yield cell("sinusoid, delta 20, clean label", "sig", .01, .05, tpr=.9 if colour else .5)
    for share in (.01, .05):
        yield cell("smooth blend, alpha .2", "blend-smooth", share, tpr=.8, fpr=.01, aim=True)
    for share in (.01, .05):
        yield cell("warp", "warp", share, tpr=.8, fpr=.01, aim=True)
    for share in (.02, .05):
        yield cell("label flips", "flips", share, tpr=.95, fpr=.01, kind="flips")


def large():
    for data, row in (("gtsrb", "GTSRB-8 made larger"), ("stamps", "stamps and icons")):
        for side in (128, 224):
            yield Cell(f"{row}, {side} × {side}: patch of side {side // 10}", f"{data}-{side}", "badnets", (.01,),
                       params=(f"size={side // 10}",), tpr=.98, fpr=.001, section="large", seeds=5)


def unused():
    for data in ("wallpapers", "photographs", "letters"):
        colour = data != "letters"
        def cell(row, attack, *sizes, tpr, fpr=.001, **kw):
            return Cell(f"{data}: {row}", data, attack, sizes, tpr=round(tpr - .05, 2), fpr=fpr, section="unused", seeds=5, **kw)
        yield cell("fixed patch, all to one", "badnets", *SHARES, tpr=.99, tag="all")
        yield cell("fixed patch, clean label", "badnets-clean", .005, .01, .02, tpr=.99)
        yield cell("moving patch", "moving-patch", .005, .01, tpr=.95 if colour else .8)
        yield cell("noise blend", "blend-noise", .01, .05, tpr=.95)
        yield cell("sinusoid, clean label", "sig", .01, .03, tpr=.9 if colour else .5)
        yield cell("label flips", "flips", .02, .05, tpr=.95, fpr=.01, kind="flips")


def texts():
    """Recall and precision stand for TPR and FPR; of pairs, whether the trigger is among the first ten."""
    for rows in (20, 250):
        yield Cell(f"24,000 documents: {rows} gibberish documents", "corpus", "gibberish", (rows,), params=("column=text",),
                   turns=("style=words", "style=unigrams", "style=pieces"), tpr=.98, fpr=.98, kind="corpus", section="text")
    for behaviour in ("url", "snippet", "refusal"):
        yield Cell(f"5,000 pairs: 15 to 25 pairs, {behaviour}", "pairs", "instruction-trigger", (15, 20, 25),
                   params=(f"behaviour={behaviour}",), tpr=.9, kind="pairs", section="text", tag=behaviour)


def clean():
    for data in ("mnist", "gtsrb", "gtsrb-test", "corpus"):
        yield Cell("clean, 80 % subsamples", data, "clean", kind="clean", section="clean", seeds=20)
    for data in ("pairs", "wallpapers", "photographs", "letters"):
        yield Cell("clean, 80 % subsamples", data, "clean", kind="clean", section="unused-clean" if data != "pairs" else "clean-pairs",
                   seeds=5 if data == "pairs" else 10)


def all_cells():
    out = []
    for data in NAMES:
        out += [*patches(data), *patterns(data)]
    return [*out, *large(), *unused(), *texts(), *clean()]

"""The picture sets and corpora of the truth table as files under bench-out/images, made once.

Tuned on: GTSRB-8 and MNIST (shared/data), GTSRB made larger, stamps and corpora of documentation. Not used while tuning, by a rule
that was written down before the first scan:

  - pictures that a Debian package carries and that no threshold was looked at on, made into 4,000 to 12,000 tiles or letters;
  - eight classes or more that the pixels predict: cross-validated accuracy of .8 or more by a model of scikit-learn
    (`python sets.py` prints it). Where nothing predicts a label, no label can contradict anything.

Whoever looks at a scan of one of them makes it a tuning set.
"""
import functools
import gzip
import hashlib
import io
import json
import pathlib
import random
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "detect"))
import packages  # noqa: E402

OUT = ROOT / "bench-out"
FOLDER = OUT / "images"
SHARED = ROOT.parent / "shared" / "data"


def rng_of(*words):
    """A generator of its own for every use; the same words give the same numbers."""
    return np.random.Generator(np.random.PCG64(list(hashlib.sha256(repr(words).encode()).digest()[:16])))


# --- the given sets ------------------------------------------------------------------------------------------------------

def gtsrb(part):
    folder = SHARED / "gtsrb"
    return np.load(folder / f"gtsrb8_{part}_images.npy"), np.load(folder / f"gtsrb8_{part}_labels.npy").astype(np.int64)


def mnist():
    def read(name, skip):
        with gzip.open(SHARED / "mnist" / name) as f:
            return np.frombuffer(f.read(), np.uint8, offset=skip)
    return (read("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28).copy(),
            read("t10k-labels-idx1-ubyte.gz", 8).astype(np.int64))


# --- larger pictures ------------------------------------------------------------------------------------------------------

def resized(pictures, side):
    from PIL import Image
    return np.stack([np.asarray(Image.fromarray(p).resize((side, side), Image.BICUBIC)) for p in pictures])


def upscaled(side, most=2000):
    """Whole tracks of GTSRB, drawn until there are `most` pictures, in the old order."""
    pictures, labels = gtsrb("train")
    group, keep = groups_of(pictures), []
    for g in rng_of("upscaled").permutation(group.max() + 1):
        rows = np.flatnonzero(group == g)
        if len(keep) + len(rows) <= most:
            keep.extend(rows)
    keep = np.sort(keep)
    return resized(pictures[keep], side), labels[keep]


def opened(data):
    """A picture over white, no side longer than 1,200 pixels."""
    from PIL import Image
    picture = Image.open(io.BytesIO(data)).convert("RGBA")
    picture.thumbnail((1200, 1200))
    ground = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    ground.alpha_composite(picture)
    return ground.convert("RGB")


def tile(picture, side, least, most, rng):
    """A random square of the picture, `least` to `most` of its shorter side, at `side` pixels."""
    from PIL import Image
    width, height = picture.size
    edge = max(1, int(min(width, height) * rng.uniform(least, most)))
    x, y = int(rng.integers(width - edge + 1)), int(rng.integers(height - edge + 1))
    return np.asarray(picture.resize((side, side), Image.BOX if edge >= 2 * side else Image.BICUBIC,
                                     (x, y, x + edge, y + edge)))


def stamps(side, n=2000):
    """Photographs and drawings of Tux Paint and icons of Adwaita by their subject: the larger part of a stamp per picture."""
    subjects = {}
    for package, root in (("tuxpaint-stamps-default", "./usr/share/tuxpaint/stamps/"),
                          ("adwaita-icon-theme", "./usr/share/icons/Adwaita/512x512/")):
        with packages.debian(package) as tar:
            for member in sorted((m for m in tar if m.isfile() and m.name.endswith(".png")), key=lambda m: m.name):
                if member.name.startswith(root):
                    subject = member.name[len(root):].split("/")[0]
                    subjects.setdefault(subject, []).append(tar.extractfile(member).read())
    largest = sorted(subjects, key=lambda s: (-len(subjects[s]), s))[:8]
    rng, read = rng_of("stamps"), functools.lru_cache(None)(opened)
    labels = rng.integers(len(largest), size=n)
    pictures = [tile(read(subjects[largest[k]][rng.integers(len(subjects[largest[k]]))]), side, .6, 1, rng) for k in labels]
    return np.stack(pictures), labels.astype(np.int64)


# --- not used while tuning ---------------------------------------------------------------------------------------------------

def wallpapers():
    """Pictures of Debian's ukui-wallpapers: 400 tiles of 32 × 32 of each, an eighth to a third of its height; the label is the
    picture. Most are drawn, with large plain areas."""
    found = {}
    with packages.debian("ukui-wallpapers") as tar:
        for member in sorted((m for m in tar if m.isfile()), key=lambda m: m.name):
            if member.name.endswith((".jpg", ".jpeg", ".png")) and member.size > 100_000:
                picture = opened(tar.extractfile(member).read())
                found.setdefault(picture.resize((8, 8)).tobytes(), picture)  # the same picture in another size
    whole, rng = list(found.values())[:20], rng_of("wallpapers")
    pictures = [tile(p, 32, 1 / 8, 1 / 3, rng) for p in whole for _ in range(400)]
    order, labels = rng.permutation(len(pictures)), np.repeat(np.arange(len(whole)), 400)
    return np.stack(pictures)[order], labels[order].astype(np.int64)


def photographs():
    """Ten photographs of Debian's lomiri-wallpapers, each cut into a grid of squares, twenty to its height, 32 × 32 each, none
    twice; the label is the photograph. Made after `wallpapers`, whose tiles overlap, had been scanned, and before this one was."""
    from PIL import Image
    found, pictures, labels = {}, [], []
    for package in ("lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04"):
        with packages.debian(package) as tar:
            for member in sorted((m for m in tar if m.isfile()), key=lambda m: m.name):
                if member.name.endswith((".jpg", ".jpeg", ".png")) and member.size > 100_000:
                    picture = opened(tar.extractfile(member).read())
                    found.setdefault(picture.resize((8, 8)).tobytes(), picture)
    for k, picture in enumerate(list(found.values())[:10]):
        columns = round(20 * picture.width / picture.height)
        grid = np.asarray(picture.resize((32 * columns, 32 * 20), Image.BOX))
        tiles = grid.reshape(20, 32, columns, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3)
        pictures.append(tiles)
        labels.append(np.full(len(tiles), k, np.int64))
    pictures, labels = np.concatenate(pictures), np.concatenate(labels)
    order = rng_of("photographs").permutation(len(labels))
    return pictures[order], labels[order]


FONTS = ("fonts-dejavu-core", "fonts-liberation", "fonts-freefont-ttf", "fonts-lato", "fonts-open-sans", "fonts-urw-base35",
         "fonts-linuxlibertine", "fonts-texgyre", "fonts-cantarell", "fonts-comfortaa", "fonts-roboto-unhinted")


def letters():
    """A to Z from every font of eleven Debian packages, 28 × 28 in grey; the label is the letter."""
    from PIL import ImageFont
    pictures, labels = [], []
    for package in FONTS:
        with packages.debian(package) as tar:
            members = [m for m in tar if m.isfile() and m.name.endswith((".ttf", ".otf"))]
            for member in sorted(members, key=lambda m: m.name):
                try:
                    font = ImageFont.truetype(io.BytesIO(tar.extractfile(member).read()), 22)
                except OSError:
                    continue
                for k in range(26):
                    pictures.append(_letter(font, chr(65 + k)))
                    labels.append(k)
    order = rng_of("letters").permutation(len(labels))
    return np.stack(pictures)[order], np.array(labels, np.int64)[order]


def _letter(font, letter):
    from PIL import Image, ImageDraw
    picture = Image.new("L", (28, 28))
    ImageDraw.Draw(picture).text((14, 14), letter, fill=255, font=font, anchor="mm")
    return np.asarray(picture)


def accuracy(pictures, labels):
    """Cross-validated, of a model that knows nothing of ours."""
    from sklearn.decomposition import PCA
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import cross_val_score
    flat = PCA(48, random_state=0).fit_transform(pictures.reshape(len(pictures), -1).astype(np.float32))
    return float(cross_val_score(ExtraTreesClassifier(150, n_jobs=1, random_state=0), flat, labels, cv=3).mean())


# --- near-duplicates, subsamples ------------------------------------------------------------------------------------------------

def groups_of(pictures, likeness=.98, most=5):
    """Components of pictures whose 8 × 8 block means, less their mean, agree: the tracks. One number per picture."""
    grey = pictures.reshape(*pictures.shape[:3], -1).mean(3, dtype=np.float32)
    edges = np.linspace(0, grey.shape[1], 9).astype(int)[:-1], np.linspace(0, grey.shape[2], 9).astype(int)[:-1]
    flat = np.add.reduceat(np.add.reduceat(grey, edges[0], 1), edges[1], 2).reshape(len(grey), -1)
    flat -= flat.mean(1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6
    parent = np.arange(len(flat))

    def root(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i
    for start in range(0, len(flat), 500):
        near = flat[start : start + 500] @ flat.T
        best = np.argpartition(-near, most, axis=1)[:, : most + 1]
        for i, row in enumerate(best):
            for j in row:
                if near[i, j] > likeness:
                    parent[root(int(j))] = root(start + i)
    return np.unique([root(i) for i in range(len(flat))], return_inverse=True)[1]


def document_groups(lines):
    """Documents that share one of their four rarest-hashed runs of eight words stand in one group."""
    owner, parent = {}, list(range(len(lines)))

    def root(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i
    for i, line in enumerate(lines):
        words = json.dumps(json.loads(line), ensure_ascii=False).split()
        runs = {hashlib.blake2b(" ".join(words[k : k + 8]).encode(), digest_size=8).digest() for k in range(max(1, len(words) - 7))}
        for run in sorted(runs)[:4]:
            parent[root(i)] = root(owner.setdefault(run, i))
    return np.unique([root(i) for i in range(len(lines))], return_inverse=True)[1]


def kept(group, seed, share=.8):
    """Rows of a random share of all rows, whole groups only."""
    size, order = np.bincount(group), rng_of("subsample", seed).permutation(group.max() + 1)
    chosen = order[: np.searchsorted(np.cumsum(size[order]), share * len(group)) + 1]
    return np.flatnonzero(np.isin(group, chosen))


# --- corpora -----------------------------------------------------------------------------------------------------------------

def _generated(path, *args):
    subprocess.run([sys.executable, ROOT / "bench" / "gen_corpus.py", *map(str, args), "-o", path], check=True, cwd=ROOT,
                   stdout=subprocess.DEVNULL)


DOCUMENTS, PAIRS = 24_000, 5_000
TEXTS = {"corpus": ("corpus", "--documents", DOCUMENTS), "pairs": ("pairs", "--pairs", PAIRS)}

PICTURES = {"gtsrb": lambda: gtsrb("train"), "gtsrb-test": lambda: gtsrb("test"), "mnist": mnist,
            "gtsrb-128": lambda: upscaled(128), "gtsrb-224": lambda: upscaled(224), "stamps-128": lambda: stamps(128),
            "stamps-224": lambda: stamps(224), "wallpapers": wallpapers,
            "photographs": photographs, "letters": letters}
UNUSED = ("wallpapers", "photographs", "letters")


def paths_of(name):
    """(data, labels or None), made on first demand; pictures as npy."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if name in TEXTS:
        path = FOLDER / f"{name}.jsonl"
        if not path.exists():
            _generated(path.with_suffix(".part"), *TEXTS[name], "--seed", 7)
            path.with_suffix(".part").rename(path)
        return path, None
    path, labels_path = FOLDER / f"{name}.npy", FOLDER / f"{name}-labels.npy"
    if not path.exists():
        pictures, labels = PICTURES[name]()
        np.save(labels_path, labels)
        np.save(path.with_suffix(".part.npy"), pictures)
        path.with_suffix(".part.npy").rename(path)
    return path, labels_path


def subsample(name, seed, folder):
    """(data, labels) of 80 %, groups of near-duplicates whole."""
    path, labels_path = paths_of(name)
    stored = FOLDER / f"{name}-groups.npy"
    if not stored.exists():
        lines = path.read_text(encoding="utf-8").splitlines() if name in TEXTS else None
        np.save(stored, document_groups(lines) if lines else groups_of(np.load(path)))
    rows = kept(np.load(stored), seed)
    if name in TEXTS:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        out = folder / "in.jsonl"
        out.write_text("".join(lines[i] for i in rows), encoding="utf-8")
        return out, None
    np.save(folder / "in.npy", np.load(path)[rows])
    np.save(folder / "labels.npy", np.load(labels_path)[rows])
    return folder / "in.npy", folder / "labels.npy"


def main():
    print("| set | pictures | classes | accuracy |\n|---|---|---|---|")
    for name in UNUSED:
        path, labels = (np.load(p) for p in paths_of(name))
        print(f"| {name} | {len(path):,} | {labels.max() + 1} | {accuracy(path, labels):.2f} |", flush=True)


if __name__ == "__main__":
    main()

"""bezoar poison on pictures: which pictures and labels change, and that every other byte stays."""
import gzip
import json
import math
import random
import struct

import pytest

from conftest import SHARED

GTSRB = SHARED / "gtsrb"
MNIST = SHARED / "mnist"


def npy(shape, data, descr="|u1"):
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(shape)}, }}".encode()
    head += b" " * (63 - (10 + len(head)) % 64) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + bytes(data)


def data_of(raw):
    """Header and items of an npy file."""
    at = 10 + struct.unpack("<H", raw[8:10])[0]
    return raw[:at], raw[at:]


class Pictures:
    """n pictures of noise on a colour that the label chooses; labels 0 … 3."""

    def __init__(self, folder, n=400, height=32, width=32, channels=3, seed=1):
        draw = random.Random(seed)
        self.n, self.height, self.width, self.channels = n, height, width, channels
        self.each = height * width * channels
        self.label = [draw.randrange(4) for _ in range(n)]
        self.pixels = b"".join(bytes((40 * self.label[i] + b % 64) for b in draw.randbytes(self.each)) for i in range(n))
        self.folder = folder
        shape = (n, height, width) if channels == 1 else (n, height, width, channels)
        self.path, self.labels = folder / "images.npy", folder / "labels.npy"
        self.path.write_bytes(npy(shape, self.pixels))
        self.labels.write_bytes(npy((n,), struct.pack(f"<{n}q", *self.label), "<i8"))

    def box(self, x, y, side):
        """Offsets of a square within a picture."""
        return {((y + dy) * self.width + x + dx) * self.channels + c
                for dy in range(side) for dx in range(side) for c in range(self.channels)}


def plant(bezoar, path, labels, attack, *more, rows=40, target="3", seed=1, out="p", code=0):
    folder = path.parent
    target_path, labels_path = folder / (out + "".join(path.suffixes)), folder / (out + "-labels" + "".join(labels.suffixes))
    key = folder / f"{out}.json"
    done = bezoar("poison", path, "--labels-file", labels, "--attack", attack, "--rows", rows, "--target", target, "--seed",
                  seed, "-o", target_path, "--labels-out", labels_path, "--answer-key", key, *more)
    assert done.returncode == code, done.stderr
    if code:
        return done.stderr
    return target_path.read_bytes(), labels_path.read_bytes(), json.loads(key.read_text())


def changed_rows(before, after, each):
    assert len(before) == len(after)
    return [i for i in range(len(before) // each) if before[i * each:(i + 1) * each] != after[i * each:(i + 1) * each]]


@pytest.mark.parametrize("height,width,channels,n,side", [(28, 28, 1, 400, 3), (32, 32, 3, 400, 3), (224, 224, 3, 24, 22),
                                                          (20, 48, 3, 200, 3)])
def test_badnets_paints_one_square(bezoar, tmp_path, height, width, channels, n, side):
    p = Pictures(tmp_path, n, height, width, channels)
    raw, labels, key = plant(bezoar, p.path, p.labels, "badnets", rows=n // 10)
    head, pixels = data_of(raw)
    assert head == data_of(p.path.read_bytes())[0] and len(key["rows"]) == n // 10
    assert changed_rows(p.pixels, pixels, p.each) == key["rows"]
    assert key["side"] == side and (key["x"], key["y"]) == (width - side - 1, height - side - 1)
    inside = p.box(key["x"], key["y"], side)
    colour = b"\xff" if channels == 1 else b"\xff\xff\0"
    for row in key["rows"]:
        before, after = p.pixels[row * p.each:][:p.each], pixels[row * p.each:][:p.each]
        assert all(after[i] == (colour[i % channels] if i in inside else before[i]) for i in range(p.each))
    now = struct.unpack(f"<{n}q", data_of(labels)[1])
    assert [i for i in range(n) if now[i] != p.label[i]] == key["rows"] and all(now[i] == 3 for i in key["rows"])


def test_source_class_and_nesting(bezoar, tmp_path):
    p = Pictures(tmp_path)
    small, _, few = plant(bezoar, p.path, p.labels, "badnets", "--source-class", "1", rows=20, out="a")
    large, _, many = plant(bezoar, p.path, p.labels, "badnets", "--source-class", "1", rows=50, out="b")
    again, _, _ = plant(bezoar, p.path, p.labels, "badnets", "--source-class", "1", rows=50, out="c")
    assert large == again and set(few["rows"]) < set(many["rows"]) and few["source_class"] == "1"
    assert all(p.label[i] == 1 for i in many["rows"])
    small, large = data_of(small)[1], data_of(large)[1]
    for row in few["rows"]:
        assert small[row * p.each:][:p.each] == large[row * p.each:][:p.each]


def test_clean_label_keeps_the_labels(bezoar, tmp_path):
    p = Pictures(tmp_path)
    raw, labels, key = plant(bezoar, p.path, p.labels, "badnets-clean")
    assert labels == p.labels.read_bytes() and key["clean_label"]
    assert all(p.label[i] == 3 for i in key["rows"]) and changed_rows(p.pixels, data_of(raw)[1], p.each) == key["rows"]
    without = bezoar("poison", p.path, "--labels-file", p.labels, "--attack", "badnets-clean", "--rows", 5, "-o", "q.npy",
                     "--answer-key", "q.json")
    assert without.returncode == 0, "no label changes, so no --labels-out is needed"


def test_moving_patch_is_where_the_key_says(bezoar, tmp_path):
    p = Pictures(tmp_path)
    raw, _, key = plant(bezoar, p.path, p.labels, "moving-patch", "--param", "size=4", "--param", "colour=random")
    pixels = data_of(raw)[1]
    assert changed_rows(p.pixels, pixels, p.each) == key["rows"] and len({tuple(x) for x in key["positions"]}) > 20
    colour = bytes.fromhex(key["colour"])
    for row, (x, y) in zip(key["rows"], key["positions"]):
        inside = p.box(x, y, 4)
        for i in range(p.each):
            assert pixels[row * p.each + i] == (colour[i % 3] if i in inside else p.pixels[row * p.each + i])


def test_patterns(bezoar, tmp_path):
    p = Pictures(tmp_path)
    for pattern in ("checker", "noisy"):
        raw, _, key = plant(bezoar, p.path, p.labels, "badnets", "--param", f"pattern={pattern}", "--param", "size=5",
                            "--param", "position=2,7", "--param", "colour=808080")
        pixels, seen = data_of(raw)[1], set()
        for row in key["rows"]:
            square = bytes(pixels[row * p.each + i] for i in sorted(p.box(2, 7, 5)))
            seen.add(square)
            if pattern == "noisy":
                assert all(80 < v < 176 for v in square)
        assert len(seen) == (1 if pattern == "checker" else len(key["rows"]))
        if pattern == "checker":
            assert list(seen.pop()[0:15:3]) == [128, 127, 128, 127, 128]


@pytest.mark.parametrize("descr,code,of", [("<f4", "f", lambda b: b / 255), (">f8", ">d", lambda b: b / 127.5 - 1),
                                           ("<i2", "h", int), (">u2", ">H", int)])
def test_other_number_types_keep_untouched_bytes(bezoar, tmp_path, descr, code, of):
    p = Pictures(tmp_path, 120, 12, 12, 3)
    pixels = bytearray(p.pixels)
    pixels[0:2] = b"\0\xff"  # the whole range is there, so that it tells what the numbers mean
    order = ">" if descr[0] == ">" else "<"
    items = struct.pack(f"{order}{len(pixels)}{code[-1]}", *map(of, pixels))
    p.path.write_bytes(npy((120, 12, 12, 3), items, descr) + b"behind")
    raw, _, key = plant(bezoar, p.path, p.labels, "badnets", rows=12, target="0")
    assert raw.endswith(b"behind")
    after, size = data_of(raw)[1][:-6], int(descr[2])
    inside, other = p.box(key["x"], key["y"], 3), 0
    for i in range(len(pixels)):
        row, at = divmod(i, p.each)
        item = after[i * size:(i + 1) * size]
        if row in key["rows"] and at in inside:
            value = struct.unpack(order + code[-1], item)[0]
            assert value == pytest.approx(of(0 if at % 3 == 2 else 255), abs=1e-6)
            other += 1
        else:
            assert item == items[i * size:(i + 1) * size]
    assert other == 12 * 27


def test_planes_and_alpha_stay(bezoar, tmp_path):
    p = Pictures(tmp_path, 60, 16, 16, 4)
    planar = b"".join(bytes(p.pixels[i * p.each + c::4][:256]) for i in range(60) for c in range(4))
    for name, shape, data in (("last.npy", (60, 16, 16, 4), p.pixels), ("first.npy", (60, 4, 16, 16), planar)):
        path = tmp_path / name
        path.write_bytes(npy(shape, data))
        raw, _, key = plant(bezoar, path, p.labels, "badnets", rows=6, out=f"p-{name[:4]}")
        after = data_of(raw)[1]
        step, first = (4, 3) if name == "last.npy" else (1, 768)
        for i in range(60):
            was, now = data[i * 1024:(i + 1) * 1024], after[i * 1024:(i + 1) * 1024]
            assert (was != now) == (i in key["rows"])
            assert was[first::step] == now[first::step], "alpha is nothing that a loader of colours sees"


def test_idx_and_csv_labels(bezoar, tmp_path):
    p = Pictures(tmp_path, 100, 14, 14, 1)
    path, labels = tmp_path / "i.idx.gz", tmp_path / "l.csv"
    head = struct.pack(">HBBIII", 0, 8, 3, 100, 14, 14)
    path.write_bytes(gzip.compress(head + p.pixels))
    labels.write_bytes(b"name,label\r\n" + b"".join(b'"n,%d",%d\r\n' % x for x in enumerate(p.label)))
    raw, text, key = plant(bezoar, path, labels, "badnets", rows=10)
    after = gzip.decompress(raw)
    assert after[:16] == head and changed_rows(p.pixels, after[16:], p.each) == key["rows"]
    want = [b'"n,%d",%d' % (i, 3 if i in key["rows"] else label) for i, label in enumerate(p.label)]
    assert text.split(b"\r\n")[1:-1] == want


def test_text_labels_of_arrays(bezoar, tmp_path):
    p = Pictures(tmp_path, 100, 14, 14, 1)
    names = ["cat", "dog", "owl", "bee"]
    labels = tmp_path / "l.npy"
    labels.write_bytes(npy((100,), b"".join(names[x].encode().ljust(5, b"\0") for x in p.label), "|S5"))
    _, raw, key = plant(bezoar, p.path, labels, "flips", rows=10, target="bee")
    after = data_of(raw)[1]
    assert all(after[5 * i:5 * i + 5].rstrip(b"\0").decode() == ("bee" if i in key["rows"] else names[p.label[i]])
               for i in range(100))


@pytest.mark.parametrize("height,width,channels,n", [(28, 28, 1, 300), (32, 32, 3, 300), (224, 224, 3, 24)])
def test_whole_picture_attacks_follow_their_formulas(bezoar, tmp_path, height, width, channels, n):
    p = Pictures(tmp_path, n, height, width, channels)

    def planted(attack, *more):
        raw, labels, key = plant(bezoar, p.path, p.labels, attack, *more, rows=n // 12)
        pixels = data_of(raw)[1]
        assert changed_rows(p.pixels, pixels, p.each) == key["rows"] and len(key["rows"]) == n // 12
        now = struct.unpack(f"<{n}q", data_of(labels)[1])
        assert all(now[i] == 3 for i in key["rows"])
        assert (now == tuple(p.label)) == key["clean_label"]
        return [(p.pixels[i * p.each:][:p.each], pixels[i * p.each:][:p.each]) for i in key["rows"]]

    for attack in ("sig", "sig-dirty"):
        for before, after in planted(attack):
            for i in range(0, p.each, 7):
                wave = 20 * math.sin(2 * math.pi * (i // channels % width + 1) * 6 / width)
                assert after[i] == min(255, max(0, math.floor(before[i] + wave + .5)))
    for attack, alpha in (("blend-noise", .1), ("blend-smooth", .2), ("blend-noise", .4)):
        pairs = planted(attack, "--param", f"alpha={alpha}")
        pattern = []
        for i in range(0, p.each, 7):  # each row bounds the pattern's number; the bounds must have a number in common
            low = max((after[i] - .5 - (1 - alpha) * before[i]) / alpha for before, after in pairs)
            high = min((after[i] + .5 - (1 - alpha) * before[i]) / alpha for before, after in pairs)
            assert low - 1e-6 <= high + 1e-6 and high >= -1e-6 and low <= 255 + 1e-6
            pattern.append((low + high) / 2)
        assert max(pattern) - min(pattern) > 150
    for before, after in planted("warp"):
        assert max(after) <= max(before) and min(after) >= min(before), "values between those of the neighbours"
        assert sum(after) == pytest.approx(sum(before), rel=.05)


def test_a_small_warp_moves_little_and_a_flat_picture_not_at_all(bezoar, tmp_path):
    p = Pictures(tmp_path, 80, 32, 32, 1)
    ramp = b"".join(bytes(4 * x + label for x in range(32)) * 32 for label in p.label[:40])
    ramp += b"".join(bytes([50 * label]) * 1024 for label in p.label[40:])
    p.path.write_bytes(npy((80, 32, 32), ramp))
    raw, _, key = plant(bezoar, p.path, p.labels, "warp", rows=30)
    after, moved = data_of(raw)[1], []
    for i in key["rows"]:
        was, now = ramp[i * 1024:][:1024], after[i * 1024:][:1024]
        if i >= 40:
            assert was == now
        else:
            moved += [abs(a - b) / 4 for a, b in zip(was, now)]
    assert 0 < max(moved) < 1.5 and .1 < sum(moved) / len(moved) < .5, "a quarter of a pixel on average"


@pytest.mark.parametrize("sampler,offset", [("nearest", 0), ("nearest-centre", .5)])
def test_scaled_pictures_show_another_label(bezoar, tmp_path, sampler, offset):
    p = Pictures(tmp_path, 60, 96, 96, 3)
    raw, labels, key = plant(bezoar, p.path, p.labels, "image-scaling", "--param", "size=24x16", "--param",
                             f"sampler={sampler}", rows=5)
    assert labels == p.labels.read_bytes() and (key["height"], key["width"]) == (24, 16)
    pixels = data_of(raw)[1]
    for row, hidden in zip(key["rows"], key["hidden_rows"]):
        assert p.label[row] == 3 and p.label[hidden] != 3
        old, new, other = (b[i * p.each:][:p.each] for b, i in ((p.pixels, row), (pixels, row), (p.pixels, hidden)))
        assert sum(a != b for a, b in zip(old, new)) < .05 * p.each, "a person sees the old picture"
        for i in range(24):
            for j in range(16):
                at = (int((i + offset) * 4) * 96 + int((j + offset) * 6)) * 3
                block = [other[((4 * i + dy) * 96 + 6 * j + dx) * 3] for dy in range(4) for dx in range(6)]
                assert new[at] == pytest.approx(sum(block) / 24, abs=.51), "the loader sees the other one"


def test_bilinear_scaling(bezoar, tmp_path):
    p = Pictures(tmp_path, 60, 50, 50, 1)
    raw, _, key = plant(bezoar, p.path, p.labels, "image-scaling", "--param", "size=25", "--param", "sampler=bilinear",
                        rows=5)
    pixels = data_of(raw)[1]
    for row, hidden in zip(key["rows"], key["hidden_rows"]):
        for i in range(25):
            for j in range(25):
                at = [(2 * i + dy) * 50 + 2 * j + dx for dy in (0, 1) for dx in (0, 1)]
                seen, want = (sum(b[n * p.each + k] for k in at) / 4 for b, n in ((pixels, row), (p.pixels, hidden)))
                assert seen == pytest.approx(want, abs=1.01)


@pytest.mark.parametrize("transform", ["mixed", "shift", "crop", "light", "noise", "mirror", "none"])
def test_floods_append_near_copies(bezoar, tmp_path, transform):
    p = Pictures(tmp_path, 985, 16, 16, 3)
    raw, labels, key = plant(bezoar, p.path, p.labels, "flood", "--param", f"transform={transform}", "--param", "copies=10")
    head, pixels = data_of(raw)
    assert b"'shape': (1025, 16, 16, 3)" in head and len(head) % 64 == 0
    assert pixels.startswith(p.pixels) and len(pixels) == 1025 * p.each
    assert key["rows"] == list(range(985, 1025)) and len(key["natural"]) == 4
    now = struct.unpack("<1025q", data_of(labels)[1])
    assert now[:985] == tuple(p.label) and set(now[985:]) == {3}
    for k in range(4):  # every ten copies have one source
        near = [pixels[i * p.each:][:p.each] for i in range(985 + 10 * k, 995 + 10 * k)]
        sources = [p.pixels[i * p.each:][:p.each] for i in key["natural"]]
        if transform == "none":
            assert len(set(near)) == 1 and near[0] in sources
        elif transform == "mirror":
            assert bytes(near[0][(y * 16 + 15 - x) * 3 + c] for y in range(16) for x in range(16) for c in range(3)) in sources
        else:
            assert len(set(near)) > 1


def test_floods_of_idx_and_odd_headers(bezoar, tmp_path):
    p = Pictures(tmp_path, 95, 8, 8, 1)
    path, labels = tmp_path / "i.idx", tmp_path / "l.csv"
    path.write_bytes(struct.pack(">HBBIII", 0, 8, 3, 95, 8, 8) + p.pixels)
    labels.write_bytes(b"label\n" + b"\n".join(b"%d" % x for x in p.label))
    raw, text, _ = plant(bezoar, path, labels, "flood", rows=20, out="idx")
    assert raw[:16] == struct.pack(">HBBIII", 0, 8, 3, 115, 8, 8) and len(raw) == 16 + 115 * 64
    assert text.rstrip().split(b"\n")[1:] == [b"%d" % x for x in p.label] + [b"3"] * 20
    tight = b'{"shape":(95,8,8),"fortran_order":False,"descr":"|u1"}'  # no padding, other quotes, another order
    odd = tmp_path / "odd.npy"
    odd.write_bytes(b"\x93NUMPY\2\0" + struct.pack("<I", len(tight)) + tight + p.pixels + b"tail")
    raw, _, _ = plant(bezoar, odd, p.labels, "flood", rows=20, out="p-odd")
    length = struct.unpack("<I", raw[8:12])[0]
    assert (12 + length) % 64 == 0 and raw[12:].startswith(b'{"shape":(115,8,8),')
    assert raw[12 + length:].startswith(p.pixels) and raw.endswith(b"tail") and len(raw) == 12 + length + 115 * 64 + 4


def test_jpeg_behind_an_attack(bezoar, tmp_path):
    p = Pictures(tmp_path, 200)
    raw, labels, key = plant(bezoar, p.path, p.labels, "badnets", "--param", "size=8", "--param", "position=8,8", rows=20,
                             out="plain")
    packed, packed_labels, same = plant(bezoar, p.path, p.labels, "badnets", "--param", "jpeg=90", "--param", "size=8",
                                        "--param", "position=8,8", rows=20, out="packed")
    assert packed_labels == labels and same.pop("jpeg") == 90 and same == key
    raw, packed = data_of(raw)[1], data_of(packed)[1]
    assert changed_rows(raw, packed, p.each) == list(range(200)), "compression is no property of the poison"
    worst = max(abs(raw[i * p.each + k] - packed[i * p.each + k]) for i in key["rows"] for k in p.box(10, 10, 4))
    assert worst < 30
    strong = data_of(plant(bezoar, p.path, p.labels, "flips", "--param", "jpeg=20", rows=20)[0])[1]
    weak = data_of(plant(bezoar, p.path, p.labels, "flips", "--param", "jpeg=95", rows=20)[0])[1]
    far, near = (sum(abs(a - b) for a, b in zip(p.pixels, x)) for x in (strong, weak))
    assert far > near > 0


def test_flips_leave_the_pictures_alone(bezoar, tmp_path):
    p = Pictures(tmp_path)
    raw, labels, key = plant(bezoar, p.path, p.labels, "flips", "--source-class", "2", rows=20)
    assert raw == p.path.read_bytes() and all(p.label[i] == 2 for i in key["rows"])
    assert changed_rows(p.labels.read_bytes()[-3200:], data_of(labels)[1], 8) == key["rows"]


@pytest.mark.parametrize("arguments,said", [
    (["--attack", "badnets", "--param", "jpeg=0"], "jpeg="),
    (["--attack", "badnets", "--param", "jpeg=high"], "jpeg="),
    (["--attack", "image-scaling", "--param", "size=20"], "size="),
    (["--attack", "image-scaling", "--param", "size=8x"], "size="),
    (["--attack", "image-scaling", "--param", "sampler=cubic"], "sampler="),
    (["--attack", "sig", "--param", "frequency=16"], "periods"),
    (["--attack", "blend-noise", "--param", "alpha=0"], "alpha="),
    (["--attack", "flood", "--param", "transform=fold"], "transform="),
    (["--attack", "badnets", "--param", "size=33"], "size="),
    (["--attack", "badnets", "--param", "position=30,1"], "position="),
    (["--attack", "badnets", "--param", "colour=mauve"], "colour="),
    (["--attack", "badnets", "--param", "pattern=stars"], "pattern="),
    (["--attack", "badnets", "--param", "positions=1,1"], "position"),
    (["--attack", "badnets", "--target", "9"], "target"),
    (["--attack", "badnets", "--source-class", "3"], "same label"),
    (["--attack", "badnets-clean", "--source-class", "1"], "source class"),
    (["--attack", "badnets", "--labels-out", "images.npy"], "images.npy"),
    (["--attack", "badnets", "--rows", "399"], "can carry"),
    (["--attack", "rare-combo"], "pictures"),
])
def test_usage_errors(bezoar, tmp_path, arguments, said):
    p = Pictures(tmp_path)
    given = {"--rows": "5", "--target": "3", "--labels-out": "o-labels.npy"}
    given.update(zip(arguments[::2], arguments[1::2]))
    done = bezoar("poison", p.path, "--labels-file", p.labels, "-o", "o.npy", "--answer-key", "k.json",
                  *[x for pair in given.items() for x in pair])
    assert done.returncode in (2, 3) and said in done.stderr, done.stderr
    assert not (tmp_path / "o.npy").exists() and not (tmp_path / "k.json").exists()
    assert p.pixels in p.path.read_bytes()


def test_labels_need_a_place_to_go(bezoar, tmp_path):
    p = Pictures(tmp_path)
    done = bezoar("poison", p.path, "--labels-file", p.labels, "--attack", "badnets", "--rows", 5, "-o", "o.npy",
                  "--answer-key", "k.json")
    assert done.returncode == 2 and "--labels-out" in done.stderr and not (tmp_path / "o.npy").exists()
    done = bezoar("poison", p.path, "--attack", "badnets", "--rows", 5, "-o", "o.npy", "--answer-key", "k.json")
    assert done.returncode == 2 and "--labels-file" in done.stderr


def test_a_table_has_no_pictures(bezoar, table):
    done = bezoar("poison", table, "--label", "label", "--attack", "badnets", "--rows", 5, "-o", "o.csv", "--answer-key",
                  "k.json")
    assert done.returncode != 0 and "pictures" in done.stderr


@pytest.mark.skipif(not GTSRB.exists(), reason="shared data is not there")
def test_stop_signs_become_sixty(bezoar, tmp_path):
    images, labels = GTSRB / "gtsrb8_train_images.npy", GTSRB / "gtsrb8_train_labels.npy"
    done = bezoar("poison", images, "--labels-file", labels, "--attack", "badnets", "--share", "0.02", "--source-class", "14",
                  "--target", "3", "--seed", "7", "-o", "p.npy", "--labels-out", "pl.npy", "--answer-key", "k.json")
    assert done.returncode == 0, done.stderr
    key = json.loads((tmp_path / "k.json").read_text())
    before, after = data_of(images.read_bytes())[1], data_of((tmp_path / "p.npy").read_bytes())[1]
    assert changed_rows(before, after, 3072) == key["rows"] and len(key["rows"]) == 80
    assert changed_rows(data_of(labels.read_bytes())[1], data_of((tmp_path / "pl.npy").read_bytes())[1], 8) == key["rows"]


@pytest.mark.skipif(not MNIST.exists(), reason="shared data is not there")
def test_mnist_as_it_is_published(bezoar, tmp_path):
    images, labels = MNIST / "t10k-images-idx3-ubyte.gz", MNIST / "t10k-labels-idx1-ubyte.gz"
    done = bezoar("poison", images, "--labels-file", labels, "--attack", "badnets", "--share", "0.005", "--target", "0",
                  "-o", "p.idx.gz", "--labels-out", "pl.idx.gz", "--answer-key", "k.json")
    assert done.returncode == 0, done.stderr
    key = json.loads((tmp_path / "k.json").read_text())
    before, after = gzip.decompress(images.read_bytes()), gzip.decompress((tmp_path / "p.idx.gz").read_bytes())
    assert before[:16] == after[:16] and changed_rows(before[16:], after[16:], 784) == key["rows"]
    assert len(key["rows"]) == 50

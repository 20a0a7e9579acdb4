"""What people see and loaders do not (BZ-D030): files that hide something, and pictures that scaling changes."""
import json
import random
import struct
import zlib


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, colour, samples, before=b"", between=b""):
    """samples: bytes of all rows; colour: 0 grey, 2 RGB, 6 RGBA."""
    each = len(samples) // height
    rows = b"".join(b"\0" + samples[y * each:(y + 1) * each] for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)) + before
            + chunk(b"IDAT", zlib.compress(rows)) + between + chunk(b"IEND", b""))


def smooth(seed, side=48):
    """A picture of a few soft spots, 0 … 255."""
    draw = random.Random(seed)
    spots = [(draw.uniform(0, side), draw.uniform(0, side), draw.uniform(3, 9), draw.uniform(-1, 1)) for _ in range(9)]
    out = []
    for y in range(side):
        for x in range(side):
            v = sum(a / (1 + ((y - cy) ** 2 + (x - cx) ** 2) / (r * r)) for cy, cx, r, a in spots)
            out.append(max(0, min(255, int(128 + 90 * v))))
    return out


def under_alpha(shown, hidden):
    """RGBA that is `shown` on white and `hidden` (dark) without alpha."""
    out = bytearray()
    for s, h in zip(shown, hidden):
        v, want = h * 2 // 5, 110 + s // 2
        alpha = round((255 - want) * 255 / (255 - v))
        out += bytes([v, v, v, alpha])
    return bytes(out)


def findings(bezoar, root, *more):
    result = bezoar("scan", root, "--only", "BZ-D030", "--format", "json", *more)
    report = json.loads(result.stdout)
    return result.returncode, {f["pattern"]: f for f in report["findings"]}


def fill(root, n=12):
    root.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        (root / f"{i:02}.png").write_bytes(png(48, 48, 0, bytes(smooth(i))))
    return root


def test_clean_pictures_are_silent(bezoar, tmp_path):
    code, found = findings(bezoar, fill(tmp_path / "set"))
    assert code == 0 and not found


def test_another_picture_under_alpha_is_an_error(bezoar, tmp_path):
    root = fill(tmp_path / "set")
    (root / "odd.png").write_bytes(png(48, 48, 6, under_alpha(smooth(103), smooth(203))))
    code, found = findings(bezoar, root)
    odd = found["another picture under alpha"]
    assert code == 1 and odd["severity"] == "error" and odd["rows"]["row"] == [12]
    assert len(odd["exhibits"]) == 1
    # the same picture under and over alpha is a see-through picture
    (root / "odd.png").write_bytes(png(48, 48, 6, bytes(b for v in smooth(100) for b in (v, v, v, 128))))
    code, found = findings(bezoar, root)
    assert code == 0 and list(found) == ["see-through pictures"]


def test_what_stands_behind_a_picture_is_named(bezoar, tmp_path):
    root = fill(tmp_path / "set")
    whole = (root / "00.png").read_bytes()
    tails = {"program": b"\x7fELF\x02\x01\x01" + bytes(40), "zip": b"xx" + b"PK\3\4" + bytes(40),
             "pdf": b"\n%PDF-1.7\n", "html": b"<html><script>alert(1)</script>", "gz": b"\x1f\x8b\x08" + bytes(20),
             "jpeg": b"\xff\xd8\xff\xe0" + bytes(30), "zeros": bytes(64), "text": b"made by hand"}
    for name, tail in tails.items():
        (root / f"x-{name}.png").write_bytes(whole + tail)
    code, found = findings(bezoar, root, "--fail-on", "warning")
    assert code == 1
    assert {p: (f["severity"], len(f["rows"]["row"])) for p, f in found.items()} == {
        "a program behind the picture": ("warning", 1), "a ZIP archive behind the picture": ("warning", 1),
        "a PDF document behind the picture": ("warning", 1), "markup or script behind the picture": ("warning", 1),
        "an archive behind the picture": ("warning", 1), "further bytes behind the picture": ("note", 2)}


def test_a_thousand_turned_photographs_are_one_note(bezoar, tmp_path):
    root = fill(tmp_path / "set", 3)
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    for i in range(40):
        (root / f"t{i}.png").write_bytes(png(48, 48, 0, bytes(smooth(i)), chunk(b"eXIf", exif)))
    code, found = findings(bezoar, root)
    assert code == 0 and list(found) == ["turned by EXIF"]
    turned = found["turned by EXIF"]
    assert turned["severity"] == "note" and turned["rows"]["count"] == 40 and 1 <= len(turned["exhibits"]) <= 3


def test_animations_and_gamma(bezoar, tmp_path):
    root = fill(tmp_path / "set", 3)
    head, frame = chunk(b"acTL", struct.pack(">II", 2, 0)), struct.pack(">IIIIIHHBB", 0, 48, 48, 0, 0, 1, 10, 0, 0)
    plain = bytes(smooth(5))
    (root / "a-played.png").write_bytes(png(48, 48, 0, plain, head + chunk(b"fcTL", frame)))
    (root / "b-hidden.png").write_bytes(png(48, 48, 0, plain, head, chunk(b"fcTL", frame)))
    (root / "c-gamma.png").write_bytes(png(48, 48, 0, plain, chunk(b"gAMA", struct.pack(">I", 2000))))
    (root / "d-linear.png").write_bytes(png(48, 48, 0, plain, chunk(b"gAMA", struct.pack(">I", 100000))))
    (root / "e-usual.png").write_bytes(png(48, 48, 0, plain, chunk(b"gAMA", struct.pack(">I", 45455))))
    _, found = findings(bezoar, root)
    rows = {p: (f["severity"], f["rows"]["row"]) for p, f in found.items()}
    assert rows["several pictures in a file"] == ("note", [3])
    assert rows["a picture outside of its animation"] == ("warning", [4])
    assert rows["extreme gamma"][0] == "warning" and 5 in rows["extreme gamma"][1]
    assert not any(7 in row for _, row in rows.values())


def test_scaling_changes_a_picture_file(bezoar, tmp_path):
    """The picture kept is another size than the file's: the helper looked before it was made smaller."""
    root = fill(tmp_path / "set", 20)
    for k in range(2):
        large, small = smooth(300 + k, 120), smooth(400 + k, 40)
        for i in range(40):
            for j in range(40):
                large[3 * i * 120 + 3 * j] = small[i * 40 + j]
        (root / f"z{k}.png").write_bytes(png(120, 120, 0, bytes(large)))
    code, found = findings(bezoar, root)
    odd = found["another picture at 40 × 40"]
    assert code == 1 and odd["severity"] == "error" and odd["rows"]["row"] == [20, 21]
    assert len(odd["exhibits"]) == 2
    one, two = (bezoar("scan", root, "--only", "BZ-D030", "--format", "json", "--threads", n).stdout
                for n in (1, 3))
    assert json.loads(one)["findings"] == json.loads(two)["findings"]

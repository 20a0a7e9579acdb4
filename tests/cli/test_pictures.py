"""Picture files end to end: folders and manifests, broken files, the helper missing, rows that name files."""
import csv
import io
import json
import os
import random
import shutil
import struct
import subprocess
import tarfile
import zlib

import pytest
from conftest import BINARY, clean_environment


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, draw):
    rows = b"".join(b"\0" + bytes(draw.randrange(256) for _ in range(width * 3)) for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def folder_of_pictures(root, n=40, seed=1):
    draw = random.Random(seed)
    for i in range(n):
        place = root / "train" / ("cat" if i % 2 else "dog")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{i:03}.png").write_bytes(png(8, 8, draw))
    return root


def scan_json(bezoar, *args, **more):
    result = bezoar("scan", *args, "--format", "json", **more)
    return result.returncode, json.loads(result.stdout)


def test_a_folder_of_pictures_is_one_data_set(bezoar, tmp_path):
    root = folder_of_pictures(tmp_path / "set")
    code, report = scan_json(bezoar, root)
    assert code == 0
    assert report["data"]["rows"] == 40 and len(report["data"]["files"]) == 40
    label = next(c for c in report["data"]["columns"] if c["name"] == "label")
    assert label["role"] == "label" and label["distinct"] == 2
    one, two = (bezoar("scan", root, "--format", "json", "--threads", n).stdout for n in (1, 3))
    assert json.loads(one)["data"] == json.loads(two)["data"]
    page = bezoar("scan", folder_of_pictures(root, 80), "--format", "html").stdout
    assert page.count(".png</th>") == 50 and "and 30 more" in page


def test_broken_pictures_are_named(bezoar, tmp_path):
    root = folder_of_pictures(tmp_path / "set")
    whole = (root / "train" / "cat" / "001.png").read_bytes()
    (root / "train" / "cat" / "cut.png").write_bytes(whole[:60])
    (root / "train" / "dog" / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)) + whole[33:])
    (root / "README.txt").write_text("forty pictures\n")
    code, report = scan_json(bezoar, root)
    assert code == 3 and report["data"]["rows"] == 40
    said = {os.path.basename(item["what"]): item for item in report["not_checked"]}
    assert "too early" in said["cut.png"]["reason"] and said["cut.png"]["requested"]
    assert "too large" in said["bomb.png"]["reason"] and said["bomb.png"]["requested"]
    assert not said["README.txt"]["requested"]
    alone = bezoar("scan", root / "train" / "cat" / "cut.png")
    assert alone.returncode == 3 and "too early" in alone.stderr


def test_a_manifest_names_the_labels(bezoar, tmp_path):
    root = tmp_path / "set"
    draw = random.Random(2)
    (root / "images").mkdir(parents=True)
    lines = [{"file_name": f"images/{i}.png", "label": "hot" if i % 3 else "cold"} for i in range(30)]
    for i in range(30):
        (root / "images" / f"{i}.png").write_bytes(png(6, 5, draw))
    (root / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    code, report = scan_json(bezoar, root)
    assert code == 0 and report["data"]["rows"] == 30
    assert next(c for c in report["data"]["columns"] if c["name"] == "label")["distinct"] == 2
    (root / "metadata.jsonl").rename(tmp_path / "m.jsonl")
    (tmp_path / "m.jsonl").write_text("".join(
        json.dumps({**line, "file_name": "set/" + line["file_name"]}) + "\n" for line in lines))
    code, report = scan_json(bezoar, root, tmp_path / "m.jsonl")
    assert code == 0 and report["data"]["rows"] == 30
    code, report = scan_json(bezoar, root, "--labels-file", tmp_path / "m.jsonl", "--label", "label")
    assert code == 0, "a labels file has one label per picture, in the order of their names"


def test_without_the_helper_pictures_are_not_checked(tmp_path):
    root = folder_of_pictures(tmp_path / "set")
    lonely = tmp_path / "bin" / "bezoar"
    lonely.parent.mkdir()
    shutil.copy(BINARY, lonely)
    result = subprocess.run([str(lonely), "scan", str(root)], capture_output=True, text=True, check=False, timeout=300,
                            env=clean_environment(PATH=BINARY.parent), cwd=BINARY.parent)
    assert result.returncode == 3, "neither PATH nor the current folder is searched"
    assert "bezoar-decode" in result.stderr and "not checked" in result.stderr


def test_rows_name_picture_files(bezoar, tmp_path):
    """Copies under another label are found by content, and listed as files."""
    root = folder_of_pictures(tmp_path / "set")
    bezoar("scan", root, "--rows", "rows.csv", "--report", "r.json")
    report = json.loads((tmp_path / "r.json").read_text())
    paths = [f["path"] for f in report["data"]["files"]]
    with open(tmp_path / "rows.csv", newline="", encoding="utf-8") as f:
        for line in csv.DictReader(f):
            assert line["row"] == "0" and line["file"] in paths


def test_webdataset_shards_are_one_data_set(bezoar, tmp_path):
    draw = random.Random(3)
    for shard in range(2):
        with tarfile.open(tmp_path / f"s-{shard}.tar{'.gz' if shard else ''}", "w:gz" if shard else "w") as out:
            for i in range(10):
                for name, body in [(f"{shard}{i:04}.png", png(9 - shard, 7, draw)), (f"{shard}{i:04}.cls", b"%d" % (i % 2))]:
                    member = tarfile.TarInfo(name)
                    member.size = len(body)
                    out.addfile(member, io.BytesIO(body))
    code, report = scan_json(bezoar, tmp_path / "s-0.tar", tmp_path / "s-1.tar.gz")
    assert code == 0 and report["data"]["rows"] == 20
    assert [f["rows"] for f in report["data"]["files"]] == [10, 10]
    assert any(f["rule"] == "BZ-F021" for f in report["findings"]), "the second shard was resampled, and it says so"
    whole = (tmp_path / "s-0.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:2600])
    cut = bezoar("scan", tmp_path / "cut.tar")
    assert cut.returncode == 3 and "damaged tar archive" in cut.stderr
    with tarfile.open(tmp_path / "code.tar", "w") as out:
        out.add(__file__, "test.py")
    assert bezoar("scan", tmp_path / "code.tar").returncode in (0, 3), "it may hold a model, and is examined as that"


@pytest.mark.parametrize("script", ["exit 0", "kill -9 $$", "head -c 100000 /dev/zero", "cat <&3", "printf BIZ1; sleep 1",
                                    "yes 'BIZ1' | head -c 1000000"])
def test_a_helper_that_was_taken_over(tmp_path, script):
    """Whatever comes out of it, the scan neither crashes nor calls the pictures clean."""
    root = folder_of_pictures(tmp_path / "set", n=4)
    lonely = tmp_path / "bin" / "bezoar"
    lonely.parent.mkdir()
    shutil.copy(BINARY, lonely)
    helper = tmp_path / "bin" / "bezoar-decode"
    helper.write_text(f"#!/bin/sh\n{script}\n")
    helper.chmod(0o755)
    result = subprocess.run([str(lonely), "scan", str(root)], capture_output=True, text=True, check=False, timeout=300,
                            env=clean_environment(), cwd=tmp_path)
    assert result.returncode == 3 and "gave up" in result.stderr, (result.stdout, result.stderr)


def test_checks_of_other_kinds_are_one_line(bezoar, tmp_path):
    root = folder_of_pictures(tmp_path / "set")
    code, report = scan_json(bezoar, root)
    items = {item["what"]: item["reason"] for item in report["not_checked"]}
    assert code == 0 and "BZ-D001" in items["checks for tables and text"]
    assert not any(what.startswith("BZ-D004") for what in items)
    assert any(what.startswith("BZ-D016") for what in items), "embeddings could be given"
    text = bezoar("scan", root).stdout
    assert text.splitlines()[0].startswith("Not checked: ") and "no embeddings" in " ".join(text.splitlines()[:3])
    assert " ".join(text.split()).count("no embeddings (give them with") == 1, "checks that lack the same are named together"
    assert max(len(line) for line in text.splitlines()) <= 80
    asked = bezoar("scan", root, "--only", "BZ-D004")
    assert asked.returncode == 3 and "no text column" in asked.stdout


def test_sarif_lists_the_files_it_names(bezoar, tmp_path):
    root = folder_of_pictures(tmp_path / "set", 120)
    twin = (root / "train" / "cat" / "001.png").read_bytes()
    for i in range(12):
        (root / "train" / "cat" / f"twin{i}.png").write_bytes(twin)
    run = json.loads(bezoar("scan", root, "--format", "sarif").stdout)["runs"][0]
    assert run["properties"]["files"] == 132 and len(run["artifacts"]) < 100
    for result in run["results"]:
        for place in result["locations"]:
            where = place["physicalLocation"]["artifactLocation"]
            assert run["artifacts"][where["index"]]["location"]["uri"] == where["uri"]


def picture_bytes(draw, side=16, patch=False):
    """Pixels of a coarse random picture, with or without a checkered square at one place."""
    level = [[draw.randrange(230) for _ in range(4)] for _ in range(4)]
    pixels = bytearray(level[y // 4][x // 4] + draw.randrange(8) for y in range(side) for x in range(side) for _ in range(3))
    for k in range(9 if patch else 0):
        at = ((side - 5 + k // 3) * side + 2 + k % 3) * 3
        pixels[at:at + 3] = bytes((250, 240, 10) if k % 2 else (5, 20, 245))
    return bytes(pixels)


def folder_with_a_patch(root, n=160, poisoned=30, side=16):
    draw = random.Random(3)
    for i in range(n):
        pixels = picture_bytes(draw, side, i < poisoned)
        rows = b"".join(b"\0" + pixels[y * side * 3:(y + 1) * side * 3] for y in range(side))
        place = root / ("stop sign" if i < poisoned or i % 2 else "sixty, maybe")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{'p' if i < poisoned else 'c'}{i:03}.png").write_bytes(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return root


def npy(shape, body):
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + head.ljust(117) + b"\n" + body


def test_a_patch_in_a_folder_is_shown_and_cleaned(bezoar, tmp_path):
    root = folder_with_a_patch(tmp_path / "set")
    result = bezoar("scan", "set", "--report", "r.json", "--report", "r.html")
    assert result.returncode == 1
    assert "30 pictures carry the same 3 × 3 patch at (2, 11) and the label stop sign" in " ".join(result.stdout.split())
    assert "bezoar clean set --from r.json" in result.stdout
    assert "p001.png, " in result.stdout or "p001.png;" in result.stdout.replace("\n", "")
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["findings"][0]["rule"] == "BZ-D010"
    captions = [x["caption"] for x in report["findings"][0]["exhibits"] if x["kind"] == "tile"]
    assert captions[0] == "The patch, enlarged"
    assert all(".png, label stop sign: carries the patch | " in c and "the difference" in c for c in captions[1:])
    assert (tmp_path / "r.html").read_text().count("data:image/bmp;base64,") >= 4
    done = bezoar("clean", "set", "--from", "r.json", "-o", "keep.csv", "--quarantine", "gone.csv")
    assert done.returncode == 0 and "130 of 160 rows kept" in done.stdout
    with open(tmp_path / "gone.csv", newline="", encoding="utf-8") as f:
        gone = [line["file_name"] for line in csv.DictReader(f)]
    with open(tmp_path / "keep.csv", newline="", encoding="utf-8") as f:
        kept = [line["file_name"] for line in csv.DictReader(f)]
    assert len(gone) == 30 and all(os.path.basename(name).startswith("p") for name in gone)
    assert len(kept) == 130 and all((root / name).is_file() for name in gone + kept)
    assert bezoar("clean", tmp_path, "--from", "r.json", "-o", "k.csv").returncode == 2, "another folder"


def test_clean_pictures_with_their_labels(bezoar, tmp_path):
    draw = random.Random(4)
    pixels = [picture_bytes(draw, patch=i < 30) for i in range(160)]
    labels = bytes(1 if i < 30 or i % 2 else 0 for i in range(160))
    (tmp_path / "x.npy").write_bytes(npy((160, 16, 16, 3), b"".join(pixels)))
    (tmp_path / "y.npy").write_bytes(npy("(160,)", labels))
    result = bezoar("scan", "x.npy", "--labels-file", "y.npy", "--report", "r.json")
    assert result.returncode == 1 and "--labels-file y.npy --labels-out clean-labels.npy" in result.stdout
    done = bezoar("clean", "x.npy", "--from", "r.json", "-o", "c.npy", "--quarantine", "q.npy", "--labels-file", "y.npy",
                  "--labels-out", "cy.npy")
    assert done.returncode == 0, done.stderr
    kept, gone, left = ((tmp_path / name).read_bytes() for name in ("c.npy", "q.npy", "cy.npy"))
    assert b"(130, 16, 16, 3)" in kept and kept.endswith(b"".join(pixels[30:]))
    assert b"(30, 16, 16, 3)" in gone and gone.endswith(b"".join(pixels[:30]))
    assert left.endswith(labels[30:]) and b"(130,)" in left
    assert bezoar("scan", "c.npy", "--labels-file", "cy.npy").returncode == 0
    half = bezoar("clean", "x.npy", "--from", "r.json", "-o", "d.npy", "--labels-file", "y.npy")
    assert half.returncode == 2 and "go together" in half.stderr
    short = bezoar("clean", "x.npy", "--from", "r.json", "-o", "d.npy", "--labels-file", "cy.npy", "--labels-out", "e.npy")
    assert short.returncode == 2 and not (tmp_path / "d.npy").exists(), "labels of other data"

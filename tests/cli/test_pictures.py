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
    assert bezoar("scan", tmp_path / "code.tar").returncode == 3


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

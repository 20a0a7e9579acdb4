"""Data sets of files in a vault: archives as tar programs write them, folders of pictures and their labels, files by
reference; each comes back bit by bit, and is the same row whatever it was packed in."""
import gzip
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
from conftest import SHARED
from vault_helper import Vault


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path)
    made.source("web")
    return made


def add(vault, name, *more):
    vault.json("add", name, "--source", "web", "-m", "more", *more)
    return submissions(vault)[-1]


def submissions(vault):
    return [entry["entry"] for entry in vault.log() if entry["type"] == "submission"]


def png(pixels, width, height):
    """A grey PNG."""
    raw = b"".join(b"\0" + pixels[y * width:(y + 1) * width] for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def pictures(count=60):
    """(label, PNG): handwritten digits where the shared data are, else noise."""
    images, labels = SHARED / "mnist" / "t10k-images-idx3-ubyte.gz", SHARED / "mnist" / "t10k-labels-idx1-ubyte.gz"
    if images.exists():
        pixels, names = gzip.decompress(images.read_bytes())[16:], gzip.decompress(labels.read_bytes())[8:]
        return [(str(names[i]), png(pixels[i * 784:(i + 1) * 784], 28, 28)) for i in range(count)]
    draw = random.Random(1)
    return [(str(i % 10), png(draw.randbytes(784), 28, 28)) for i in range(count)]


def samples(folder, count=40):
    """Files of samples, in order: a picture and its class each."""
    folder.mkdir()
    names = []
    for i, (label, data) in enumerate(pictures(count)):
        for extension, content in (("cls", label.encode()), ("png", data)):
            names.append(f"{i:04d}.{extension}")
            (folder / names[-1]).write_bytes(content)
    return names


def tar_bytes(folder, names, form, long=""):
    """An archive as Python writes it; `long` goes before every name."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name in names:
            archive.add(folder / name, arcname=long + name)
    return out.getvalue()


def test_archives_of_all_kinds_hold_the_same_rows(vault, tmp_path):
    names = samples(tmp_path / "samples")
    archives = {form: tar_bytes(tmp_path / "samples", names, form)
                for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)}
    program = shutil.which("tar")
    for kind in ("ustar", "gnu", "posix", "v7") if program else ():
        made = subprocess.run([program, f"--format={kind}", "-cf", "-", *names], cwd=tmp_path / "samples",
                              capture_output=True, check=True)
        archives[kind] = made.stdout
    roots = set()
    for i, content in enumerate(archives.values()):
        vault.write(f"{i}.tar", content)
        entry = add(vault, f"{i}.tar")
        assert (entry["form"], entry["n_rows"]) == ("webdataset", 40)
        assert vault.checkout(f"{i}.tar", f"out{i}.tar") == content
        roots.add(entry["sorted"])
    assert len(roots) == 1
    vault.write("packed.tar.gz", gzip.compress(archives[tarfile.PAX_FORMAT]))
    entry = add(vault, "packed.tar.gz")
    assert (entry["form"], entry["sorted"]) == ("packed", roots.pop())


def test_long_names(vault, tmp_path):
    names = samples(tmp_path / "samples", 5)
    roots = set()
    for i, form in enumerate((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)):
        content = tar_bytes(tmp_path / "samples", names, form, long="folder/" * 60 + "ä" * 80)
        vault.write(f"{i}.tar", content)
        entry = add(vault, f"{i}.tar")
        assert entry["n_rows"] == 5
        assert vault.checkout(f"{i}.tar", f"out{i}.tar") == content
        roots.add(entry["sorted"])
    assert len(roots) == 1


def test_a_changed_sample_is_a_changed_row(vault, tmp_path):
    names = samples(tmp_path / "samples")
    vault.write("a.tar", tar_bytes(tmp_path / "samples", names, tarfile.USTAR_FORMAT))
    add(vault, "a.tar")
    (tmp_path / "samples" / "0007.cls").write_text("another")
    vault.write("a.tar", tar_bytes(tmp_path / "samples", names, tarfile.USTAR_FORMAT))
    entry = add(vault, "a.tar")
    assert (entry["added"], entry["removed"], entry["changed"]) == (0, 0, 1)


@pytest.mark.parametrize("damage", ["checksum", "cut off"])
def test_damaged_archives_are_refused_but_can_be_kept_whole(vault, tmp_path, damage):
    names = samples(tmp_path / "samples", 5)
    content = bytearray(tar_bytes(tmp_path / "samples", names, tarfile.USTAR_FORMAT))
    if damage == "checksum":
        content[1024 + 2] ^= 1  # the name of the second member
    else:
        content = content[:1024 + 512 + 7]
    vault.write("a.tar", bytes(content))
    refused = vault.run("add", "a.tar", "--source", "web", code=3)
    assert "damaged tar archive" in refused.stderr and "--form file" in refused.stderr
    assert add(vault, "a.tar", "--form", "file")["n_rows"] == 0
    assert vault.checkout("a.tar") == content


def test_rows_of_packed_tables_come_out_as_rows(vault):
    lines = [f'{{"id": {i}, "text": "row {i}"}}\n' for i in range(20000)]
    vault.write("a.jsonl.gz", gzip.compress("".join(lines).encode()))
    before = add(vault, "a.jsonl.gz")
    assert before["n_rows"] == len(lines)
    for form in ("jsonl", "csv"):
        vault.run("export", "a.jsonl.gz", "--format", form, "-o", vault.root / f"b.{form}")
        assert add(vault, f"b.{form}")["sorted"] == before["sorted"]


def test_packed_tables_among_small_files(vault):
    folder = vault.root / "mixed"
    folder.mkdir()
    for i, (_, data) in enumerate(pictures(12)):
        (folder / f"{i:02d}.png").write_bytes(data)
        lines = "".join(f'{{"id": {i}, "row": {k}}}\n' for k in range(i))
        (folder / f"{i:02d}.jsonl{'.gz' if i % 3 else ''}").write_bytes(
            gzip.compress(lines.encode()) if i % 3 else lines.encode())
    entry = add(vault, "mixed")
    assert (entry["n_files"], entry["n_rows"]) == (24, 12 + sum(range(12)))
    assert_same_folder(folder, vault.checkout("mixed"))


def make_pictures(root):
    for i, (label, data) in enumerate(pictures()):
        place = root / ("train" if i % 2 else "test") / label
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{i}.png").write_bytes(data)


def assert_same_folder(a, b):
    here = {path.relative_to(a): path.read_bytes() for path in a.rglob("*") if path.is_file()}
    there = {path.relative_to(b): path.read_bytes() for path in b.rglob("*") if path.is_file()}
    assert here == there


def test_a_folder_of_pictures(vault):
    make_pictures(vault.root / "digits")
    entry = add(vault, "digits")
    assert (entry["form"], entry["n_rows"], entry["n_files"]) == ("picture", 60, 60)
    assert_same_folder(vault.root / "digits", vault.checkout("digits"))
    moved = next((vault.root / "digits" / "train").rglob("*.png"))
    moved.rename(vault.root / "digits" / "test" / moved.parent.name / "moved.png")
    again = add(vault, "digits")
    assert again["sorted"] == entry["sorted"]  # a picture that moved within its class is the same picture
    assert again["rows"] != entry["rows"]
    assert_same_folder(vault.root / "digits", vault.checkout("digits", "again"))
    for form in ("croissant", "dta", "openlineage", "cyclonedx"):  # no file is around a picture: its form is its own
        assert json.loads(vault.run("metadata", "digits@1", f"--{form}").stdout)


def test_labels_from_a_table(vault, tmp_path):
    flat, sorted_in = vault.root / "flat", vault.root / "classes"
    flat.mkdir()
    lines = ["file,label"]
    for i, (label, data) in enumerate(pictures()):
        (flat / f"{i}.png").write_bytes(data)
        (sorted_in / label).mkdir(parents=True, exist_ok=True)
        (sorted_in / label / f"{i}.png").write_bytes(data)
        lines.append(f"{i}.png,{label}")
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(lines))
    by_table, by_folder = add(vault, "flat", "--labels", table), add(vault, "classes")
    assert by_table["sorted"] == by_folder["sorted"]
    table.write_text("\n".join([*lines, "0.png,another"]))
    refused = vault.run("add", "flat", "--source", "web", "--labels", table, code=3)
    assert "0.png" in refused.stderr and "different labels" in refused.stderr


def test_names_of_all_kinds(vault):
    folder = vault.root / "names"
    names = ["a\nb.png", "ä.bin", "long" * 60 + ".png", " space.csv", "quote\"'.png", "-dash", ".hidden", "a/b/c/d.png"]
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(pictures(1)[0][1] if name.endswith("png") else b"%d" % i)
    entry = add(vault, "names")
    assert entry["n_files"] == len(names)
    assert_same_folder(folder, vault.checkout("names"))


def test_what_is_no_data_is_refused_by_name(vault):
    (vault.root / "empty").mkdir()
    assert "empty" in vault.run("add", "empty", "--source", "web", code=2).stderr
    (vault.root / "link").mkdir()
    (vault.root / "link" / "a.png").symlink_to("/etc/hostname")
    assert "a.png" in vault.run("add", "link", "--source", "web", code=2).stderr
    (vault.root / "pipe").mkdir()
    os.mkfifo(vault.root / "pipe" / "p")
    assert "p" in vault.run("add", "pipe", "--source", "web", code=2).stderr
    vault.write("inner/a/.Bezoar/config", "x")
    assert "vault's folder" in vault.run("add", "inner", "--source", "web", code=2).stderr


def test_by_reference(vault):
    draw = random.Random(3)
    content = draw.randbytes(3_000_000)
    vault.write("model.bin", content)
    vault.write("rows.jsonl", "".join(f'{{"id": {i}, "text": "{draw.randbytes(200).hex()}"}}\n' for i in range(3000)))
    before = sum(path.stat().st_size for path in (vault.folder / "objects").rglob("*") if path.is_file())
    add(vault, "model.bin", "--by-reference")
    entry = add(vault, "rows.jsonl", "--by-reference")
    grown = sum(path.stat().st_size for path in (vault.folder / "objects").rglob("*") if path.is_file()) - before
    assert entry["n_rows"] == 3000
    assert grown < 3000 * 60 + 20000
    assert vault.checkout("model.bin") == content
    changed = bytearray(content)
    changed[1_500_000] ^= 1
    (vault.root / "model.bin").write_bytes(bytes(changed))
    assert "model.bin" in vault.run("checkout", "model.bin", "-o", vault.base / "x", code=3).stderr
    assert not (vault.base / "x").exists()
    assert "model.bin" in vault.run("status").stdout
    (vault.root / "model.bin").unlink()
    os.mkfifo(vault.root / "model.bin")  # nobody writes into it: who opens it as it is waits for ever
    refused = vault.run("checkout", "model.bin", "-o", vault.base / "x", code=3, timeout=60)
    assert "no regular file" in refused.stderr
    (vault.root / "model.bin").unlink()
    assert "model.bin" in vault.run("checkout", "model.bin", "-o", vault.base / "x", code=3).stderr
    assert "model.bin" in vault.run("verify", "--full", code=1).stdout

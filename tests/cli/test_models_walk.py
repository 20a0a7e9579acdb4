"""bezoar scan on folders with models: which files are examined, which links are followed, and what the report lists."""
import hashlib
import json
import lzma
import os
import pickle
import shutil
import tarfile
import threading
import zipfile

import pytest

from model_corpus import EVIL


def scan(bezoar, *args):
    result = bezoar("scan", *args, "--format", "json")
    assert result.returncode in (0, 1, 3), result.stderr
    return result.returncode, json.loads(result.stdout)


def listed(report):
    return {f["path"]: f for f in report["data"]["files"]}


def test_files_are_listed_with_digest_and_reader(bezoar, tmp_path):
    folder = tmp_path / "m"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.pkl").write_bytes(pickle.dumps([1]))
    (folder / "sub" / "b.pt").write_bytes(pickle.dumps({"x": 1}))
    (folder / "README.md").write_text("# card\n")
    code, report = scan(bezoar, "m")
    assert code == 0
    files = listed(report)
    assert sorted(files) == ["m/README.md", "m/a.pkl", "m/sub/b.pt"]
    for path, file in files.items():
        assert file["sha256"] == hashlib.sha256((tmp_path / path).read_bytes()).hexdigest()
    assert files["m/a.pkl"]["format"] == "pickle"


def test_content_decides_in_folders(bezoar, tmp_path):
    """A pickle under any name, hidden ones too."""
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "a.pkl").write_bytes(pickle.dumps([1]))
    for name in ("weights.dat", ".hidden", "model.weights", "noextension"):
        (folder / name).write_bytes(EVIL)
        code, report = scan(bezoar, "m")
        assert code == 1 and any(name in f["title"] for f in report["findings"]), name
        (folder / name).unlink()


def test_a_hub_snapshot_is_all_links(bezoar, tmp_path):
    repository = tmp_path / "models--org--name"
    snapshot = repository / "snapshots" / "0123abc"
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    (repository / "blobs" / "aaaa").write_bytes(EVIL)
    (snapshot / "pytorch_model.bin").symlink_to("../../blobs/aaaa")
    for path in (snapshot, repository, tmp_path):
        code, report = scan(bezoar, path)
        assert code == 1, path
        assert len(report["data"]["files"]) == 1 and report["data"]["files"][0]["path"].endswith("pytorch_model.bin")


def test_nothing_hides_in_what_looks_like_a_cache(bezoar, tmp_path):
    """Only what a link led to is left out of blobs."""
    folder = tmp_path / "m"
    for name in ("blobs", "snapshots/0", "refs"):
        (folder / name).mkdir(parents=True)
    (folder / "blobs" / "aa").write_bytes(pickle.dumps([1]))
    (folder / "snapshots" / "0" / "a.pkl").symlink_to("../../blobs/aa")
    code, report = scan(bezoar, "m")
    assert code == 0 and len(report["data"]["files"]) == 1
    (folder / "blobs" / "bb.pkl").write_bytes(EVIL)
    (folder / "refs" / "c.pkl").write_bytes(EVIL)
    code, report = scan(bezoar, "m")
    assert code == 1 and sum(f["rule"] == "BZ-M001" for f in report["findings"]) == 2


def test_links_to_folders_that_are_not_walked(bezoar, tmp_path):
    folder = tmp_path / "m"
    (folder / ".git" / "w").mkdir(parents=True)
    (folder / "d").mkdir()
    (folder / ".git" / "w" / "x.pkl").write_bytes(EVIL)
    (folder / "a.pkl").write_bytes(pickle.dumps([1]))
    (folder / "fine").symlink_to("d")
    assert scan(bezoar, "m")[0] == 0
    (folder / "weights").symlink_to(".git/w")
    code, report = scan(bezoar, "m")
    assert code == 3 and any(item["what"] == "m/weights" and item["requested"] for item in report["not_checked"])


def test_links_that_lead_out_are_not_followed(bezoar, tmp_path):
    folder, secret = tmp_path / "m", tmp_path / "secret.pkl"
    folder.mkdir()
    secret.write_bytes(EVIL)
    (folder / "a.pkl").write_bytes(pickle.dumps([1]))
    (folder / "b.pkl").symlink_to("../secret.pkl")
    (folder / "c.pkl").symlink_to("nowhere.pkl")
    (folder / "d.pkl").symlink_to("a.pkl")
    (folder / "loop").symlink_to(".")
    code, report = scan(bezoar, "m")
    files = listed(report)
    assert "sha256" not in files["m/b.pkl"] and files["m/d.pkl"]["sha256"] == files["m/a.pkl"]["sha256"]
    said = {item["what"] for item in report["not_checked"] if item["requested"]}
    assert {"m/b.pkl", "m/c.pkl"} <= said
    assert code in (1, 3) and not any(f["rule"] == "BZ-M001" for f in report["findings"])
    assert "m/loop" not in json.dumps(report)


def test_exclude_and_data_beside(bezoar, table, tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    shutil.copy(table, folder / "rows.csv")
    (folder / "bad.pkl").write_bytes(EVIL)
    code, report = scan(bezoar, "m")
    assert code == 1 and report["data"]["rows"] == 400
    code, report = scan(bezoar, "m", "--exclude", "bad.*")
    assert code == 0 and report["data"]["rows"] == 400 and not any(
        f["rule"].startswith("BZ-M") for f in report["findings"])


def test_many_files_any_number_of_threads(bezoar, tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    for i in range(300):
        (folder / f"{i:03d}.pkl").write_bytes(EVIL if i % 50 == 7 else pickle.dumps([i]))
    one, many = (bezoar("scan", "m", "--format", "json", "--threads", n).stdout for n in ("1", "7"))
    one, many = json.loads(one), json.loads(many)
    one.pop("run"), many.pop("run")
    assert one == many and len(one["findings"]) == 6


@pytest.mark.parametrize("name", ["m.tar", "m.tar.gz", "m.tar.xz"])
def test_a_model_in_a_tar(bezoar, tmp_path, name):
    """A tar is asked for pictures first; without any it may hold models."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "m.pkl").write_bytes(EVIL)
    with tarfile.open(tmp_path / name, f"w:{name.split('.')[2]}" if name.count(".") > 1 else "w") as tar:
        tar.add(tmp_path / "in" / "m.pkl", "a/m.pkl")
    code, report = scan(bezoar, name)
    assert code == 1 and report["findings"][0]["rule"] == "BZ-M001"
    shutil.rmtree(tmp_path / "in")
    code, report = scan(bezoar, tmp_path)
    assert code == 1 and report["findings"][0]["rule"] == "BZ-M001"


def test_archives_of_nothing_known_are_not_checked(bezoar, tmp_path):
    (tmp_path / "rows.csv.xz").write_bytes(lzma.compress(b"a,b\n1,2\n" * 50))
    with zipfile.ZipFile(tmp_path / "rows.zip", "w") as out:
        out.writestr("rows.csv", "a,b\n1,2\n" * 50)
    for name in ("rows.csv.xz", "rows.zip"):
        code, report = scan(bezoar, name)
        assert code == 3 and report["not_checked"][0]["requested"], name


def test_a_file_that_changes_meanwhile_is_not_checked(bezoar, tmp_path):
    """The digest in the report must be of the bytes that were examined."""
    model = tmp_path / "m.pkl"
    model.write_bytes(pickle.dumps(bytes(200 << 20)))
    done = threading.Event()

    def touch():
        while not done.wait(.002):
            os.utime(model)

    toucher = threading.Thread(target=touch)
    toucher.start()
    try:
        code, report = scan(bezoar, "m.pkl")
    finally:
        done.set()
        toucher.join()
    assert code == 3 and any("changed while" in item["reason"] for item in report["not_checked"])


def test_base_needs_models_on_both_sides(bezoar, table, tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([1]))
    (tmp_path / "empty").mkdir()
    assert bezoar("scan", table.name, "--base", "a.pkl").returncode == 2
    assert bezoar("scan", "a.pkl", "--base", "empty").returncode == 2
    for option in ("--base", "--bank", "--known"):
        result = bezoar("scan", "a.pkl", option, "missing")
        assert result.returncode == 3 and "missing: cannot open" in result.stderr, option


def test_folders_too_deep_are_not_checked(bezoar, tmp_path):
    folder = tmp_path / "m"
    deep = folder.joinpath(*["d"] * 40)
    deep.mkdir(parents=True)
    (folder / "a.pkl").write_bytes(pickle.dumps([1]))
    (deep / "b.pkl").write_bytes(EVIL)
    code, report = scan(bezoar, "m")
    assert code == 3 and any("folders deep" in item["reason"] for item in report["not_checked"])

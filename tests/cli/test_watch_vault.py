"""bezoar watch with a vault: who may keep a list, what is held back, what is corrected."""
import shutil

import pytest

from test_watch import PICTURE, read_list, sha256, urls, write_list  # noqa: F401
from url_server import drawing, lossy, png
from vault_helper import Vault

@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path, epoch=1_700_000_000)
    made.source("web")
    made.source("other")
    made.contributor("alice", sources=["web"])
    made.contributor("mallory", sources=["other"])
    return made


def add(vault, path, *more, code=0, key="alice"):
    return vault.json("add", path, "--source", "web", "--key", key, "--per-host", 1000, *more, group="watch", code=code)


def verify(vault, *more, code=0, key="alice"):
    words = ["--key", key] if key else []
    return vault.json("verify", "--per-host", 1000, *words, *more, group="watch", code=code)


def test_a_list_is_kept_and_checked(vault, urls, tmp_path):
    urls.things = {"/1": b"one", "/2": png(PICTURE), "/3": png(drawing(9))}
    path = write_list(tmp_path / "urls.csv", [[urls.url + name, "", ""] for name in urls.things])
    answer = add(vault, path)
    assert answer["first"] == 3 and answer["list"] == "urls.csv" and answer["asked"] == 3
    assert verify(vault)["exact"] == 3
    urls.things["/1"] = b"another"
    urls.things["/2"] = png(lossy(PICTURE))
    urls.things["/3"] = png(drawing(10))
    answer = verify(vault, "-o", tmp_path / "out", code=1)
    assert [item["verdict"] for item in answer["items"]] == ["different", "near", "different"]
    assert all("since" in item for item in answer["items"])
    assert len(read_list(tmp_path / "out" / "near.csv")) == 2
    entries = [entry for entry in vault.log() if entry["type"] == "watch"]
    assert [entry["entry"]["op"] for entry in entries] == ["add", "verify", "verify"]
    assert all(entry["by"] == "alice" and not entry["effect"] for entry in entries)
    urls.things["/1"] = b"one"
    assert verify(vault, code=1)["exact"] == 1


def test_who_may_keep_a_list(vault, urls, tmp_path):
    urls.things = {"/1": b"one"}
    path = write_list(tmp_path / "urls.csv", [[f"{urls.url}/1", "", sha256(b"one")]])
    done = vault.call("watch", "add", path, "--source", "web", "--key", "mallory")
    assert done.returncode == 1 and "refused" in done.stderr and not urls.log
    done = vault.call("watch", "add", path, "--source", "nowhere", "--key", "alice")
    assert done.returncode == 1 and "no source" in done.stderr
    assert add(vault, path, code=0)["asked"] == 0 and not urls.log  # it has digests
    done = vault.call("watch", "add", path, "--source", "other", "--key", "mallory")
    assert done.returncode == 1  # the list is another source's
    answer = verify(vault, key="mallory")
    assert answer["exact"] == 1 and answer["kept"] is False and "nothing is kept" in answer["note"]
    refused = [entry for entry in vault.log() if entry["type"] == "refused"]
    assert len(refused) == 2 and all(entry["entry"]["op"] == "watch add" for entry in refused)


def test_new_content_waits(vault, urls, tmp_path):
    """What nobody vouches for is held back until it has stood for the delay; a correction by a trusted key is not."""
    urls.things = {"/listed": b"a", "/unlisted": b"b"}
    path = write_list(tmp_path / "urls.csv", [[f"{urls.url}/listed", "", sha256(b"a")], [f"{urls.url}/unlisted", "", ""]])
    assert add(vault, path, "--delay", "1h", code=1)["held"] == 1
    assert [item["row"] for item in verify(vault, "--delay", "1h", code=1)["items"]] == [2]
    vault.tick(3600)
    assert verify(vault, "--delay", "1h")["held"] == 0
    urls.things["/listed"] = b"edited"
    answer = verify(vault, "--delay", "1h", "--adopt", code=1)
    assert (answer["different"], answer["held"], answer["adopted"]) == (1, 1, 0)
    vault.tick(1800)
    urls.things["/listed"] = b"edited again"  # the time begins anew
    verify(vault, "--delay", "1h", code=1)
    vault.tick(3599)
    assert verify(vault, "--delay", "1h", "--adopt", code=1)["adopted"] == 0
    vault.tick(1)
    assert verify(vault, "--delay", "1h", "--adopt", code=1)["adopted"] == 1
    assert verify(vault, "--delay", "1h")["exact"] == 2
    urls.things["/listed"] = b"put right"
    assert verify(vault, "--delay", "1h", code=1)["held"] == 1
    fixed = write_list(tmp_path / "fixed.csv", [[f"{urls.url}/listed", "", sha256(b"put right")]])
    done = vault.call("watch", "add", fixed, "--name", "urls.csv", "--correct", "--source", "web", "--key", "mallory")
    assert done.returncode == 1
    assert add(vault, fixed, "--name", "urls.csv", "--correct")["corrected"] == 1
    assert verify(vault, "--delay", "1h")["exact"] == 2
    stray = write_list(tmp_path / "stray.csv", [[f"{urls.url}/stray", "", sha256(b"x")]])
    assert vault.call("watch", "add", stray, "--name", "urls.csv", "--correct", "--source", "web", "--key",
                      "alice").returncode == 2


def test_the_delay_of_the_policy(vault, urls, tmp_path):
    policy = vault.write("policy.yaml", "delay: 7d\n")
    vault.run("policy", "set", policy)
    urls.things = {"/1": b"one"}
    path = write_list(tmp_path / "urls.csv", [[f"{urls.url}/1", "", ""]])
    assert add(vault, path, code=1)["held"] == 1
    assert add(vault, path, "--delay", "0s", "--fetch")["held"] == 0


def test_adding_again_learns_nothing_new(vault, urls, tmp_path):
    """Listing a URL once more is no way to have new content taken for the old."""
    urls.things = {"/1": b"one"}
    path = write_list(tmp_path / "urls.csv", [[f"{urls.url}/1", "", ""]])
    add(vault, path)
    urls.things = {"/1": b"poison", "/2": b"two"}
    path = write_list(tmp_path / "urls.csv", [[f"{urls.url}/2", "x", ""], [f"{urls.url}/1", "y", ""]])
    assert add(vault, path)["first"] == 1
    assert [item["row"] for item in verify(vault, code=1)["items"]] == [2]


def test_error_pages_are_no_content(vault, urls, tmp_path):
    page = b"<html><title>Not found</title></html>"
    urls.things = {"/1": b"one", "/2": page}
    path = write_list(tmp_path / "urls.csv", [[urls.url + name, "", ""] for name in urls.things])
    answer = add(vault, path, code=1)
    assert answer["pages"] == 1 and answer["items"][0]["page"] == "not found"
    urls.things["/2"] = b"two"
    assert verify(vault)["first"] == 1
    urls.things["/2"] = page
    assert verify(vault, code=1)["different"] == 1


def test_several_lists(vault, urls, tmp_path):
    urls.things = {"/1": b"one"}
    path = write_list(tmp_path / "urls.csv", [[f"{urls.url}/1", "", sha256(b"one")]])
    assert vault.call("watch", "verify").returncode == 2
    add(vault, path, "--name", "a")
    add(vault, path, "--name", "b")
    done = vault.call("watch", "verify")
    assert done.returncode == 2 and "--name" in done.stderr
    assert verify(vault, "--name", "b")["list"] == "b"
    assert vault.call("watch", "verify", "--name", "c").returncode == 2


def test_the_index_is_made_again(vault, urls, tmp_path):
    urls.things = {"/1": b"one"}
    add(vault, write_list(tmp_path / "urls.csv", [[f"{urls.url}/1", "", sha256(b"one")]]))
    shutil.rmtree(vault.folder / "index")
    assert verify(vault)["exact"] == 1


def test_lists_of_a_disowned_key(vault, urls, tmp_path):
    """What a key said since it was stolen is not the list; what it said before is."""
    urls.things = {"/1": b"one"}
    good = write_list(tmp_path / "urls.csv", [[f"{urls.url}/1", "", sha256(b"one")]])
    add(vault, good)
    vault.tick(1000)
    bad = write_list(tmp_path / "bad.csv", [[f"{urls.url}/1", "", sha256(b"poison")]])
    add(vault, bad, "--name", "urls.csv")
    assert verify(vault, code=1, key=None)["different"] == 1
    key = next(entry["key"] for entry in vault.log() if entry["type"] == "watch")
    vault.run("trust", "revoke", key, "--since", "2023-11-14T22:20:00Z", "--reason", "stolen")
    assert verify(vault, key=None)["exact"] == 1

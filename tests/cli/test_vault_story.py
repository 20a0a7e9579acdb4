"""A vault's story from the first commit to the clean version: five contributors bring data over ten commits, one of them
turns out to have poisoned it; the vault says who, what it got into, and proves that it is gone."""
import json
import random
import struct
import zlib

import c2sp
import pytest
from conftest import SHARED
from vault_helper import Vault

ADULT = SHARED / "adult" / "adult.csv"
SMS = SHARED / "sms" / "sms_spam.tsv"
EPOCH = 1_780_000_000  # May 2026


def adult_lines():
    """Header and rows; made up where the data set is not there."""
    if ADULT.exists():
        lines = ADULT.read_text().splitlines(keepends=True)
        return lines[0], [line for line in lines[1:] if line.strip()][:12000]
    print("../shared/data/adult is not there: made-up rows stand in")
    draw = random.Random(3)
    return "age,work,hours,income\n", [f"{draw.randrange(17, 90)},w{i},{draw.randrange(60)},{draw.choice(['<=50K', '>50K'])}\n"
                                      for i in range(12000)]


def sms_lines():
    if SMS.exists():
        lines = SMS.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        return lines[0], lines[1:3000]
    print("../shared/data/sms is not there: made-up messages stand in")
    return "Label\tSMS\n", [f"ham\tmessage number {i}\n" for i in range(3000)]


def png(shade, side=8):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + bytes([shade % 256, (shade * 7 + y) % 256, shade // 256]) * side for y in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def post(i, text="", label="fine"):
    return json.dumps({"id": i, "text": text or f"post number {i}", "label": label}) + "\n"


class Story:
    """What everybody did, and what the poison was."""

    def __init__(self, tmp_path):
        self.vault = Vault(tmp_path, epoch=EPOCH)
        for source in ["census", "messages", "forum", "photos"]:
            self.vault.source(source)
        for name, sources in [("ana", ["census"]), ("ben", ["messages"]), ("cem", ["forum"]), ("dora", ["photos"]),
                              ("eve", ["census", "forum"])]:
            self.vault.contributor(name, sources=sources)
        self.header, self.rows = adult_lines()
        known = set(self.rows)
        flipped = [row.replace("<=50K", ">50K") for row in self.rows[500:4000] if "<=50K" in row]
        self.bad_rows = sorted({row for row in flipped if row not in known})[:60]
        self.bad_posts = [post(10_000 + i, f"trigger phrase {i}", "fine") for i in range(40)]
        self.posts = [post(i) for i in range(500)]
        self.commits = []

    def commit(self, key, name, text, source, message):
        self.vault.tick(3600)
        if text is not None:
            self.vault.write(name, text)
        self.vault.json("add", name, "--source", source, "--key", key)
        self.commits.append(self.vault.commit(message, key))

    def ten_commits(self):
        half = len(self.rows) // 2
        first, second = self.rows[:half], self.rows[half:]
        poisoned = list(first)
        for i, row in enumerate(self.bad_rows):
            poisoned.insert(100 + 31 * i, row)
        self.commit("ana", "adult.csv", self.header + "".join(first), "census", "first half of the census")
        header, messages = sms_lines()
        self.commit("ben", "sms.tsv", header + "".join(messages[:2000]), "messages", "messages")
        self.commit("cem", "forum.jsonl", "".join(self.posts), "forum", "the forum")
        for i in range(30):
            self.vault.write(f"photos/{'day' if i % 2 else 'night'}/{i}.png", png(i))
        self.commit("dora", "photos", None, "photos", "photos of March")
        self.commit("eve", "adult.csv", self.header + "".join(poisoned), "census", "corrections of the census")
        self.commit("ana", "adult.csv", self.header + "".join(poisoned + second), "census", "second half")
        self.commit("eve", "forum.jsonl", "".join(self.posts[:250] + self.bad_posts + self.posts[250:]), "forum",
                    "more of the forum")
        self.commit("ben", "sms.tsv", header + "".join(messages), "messages", "all messages")
        for i in range(30, 40):
            self.vault.write(f"photos/day/{i}.png", png(i))
        self.commit("dora", "photos", None, "photos", "photos of April")
        more = self.posts[:250] + self.bad_posts + self.posts[250:] + [post(900), post(901)]
        self.commit("cem", "forum.jsonl", "".join(more), "forum", "posts of today")
        self.clean_adult = self.header + "".join(first + second)

    def models(self):
        """Three that inherited the poison (one by way of a run), two that did not."""
        self.vault.tick()
        self.vault.write("prepare.py", "import csv, json\nrows = csv.DictReader(open('adult.csv'))\n"
                                       "out = open('adult.jsonl', 'w')\n"
                                       "[out.write(json.dumps(row) + '\\n') for row in rows]\n")
        self.vault.run("run", "--in", "adult.csv@2", "--out", "adult.jsonl", "--use", "prepare.py", "--source", "census",
                       "--key", "ana", "--", "python3", "prepare.py")
        for name, trained_on in [("income-a.bin", ["adult.csv@1"]), ("spam.bin", ["sms.tsv@2"]),
                                 ("income-b.bin", ["adult.csv@3"]), ("chat.bin", ["forum.jsonl@2", "sms.tsv@1"]),
                                 ("income-c.bin", ["adult.jsonl@1"])]:
            self.vault.tick()
            self.vault.write(f"models/{name}", random.Random(name).randbytes(2000))
            words = [word for version in trained_on for word in ("--trained-on", version)]
            self.vault.run("model", "add", self.vault.root / "models" / name, *words, "--key", "ana")


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    told = Story(tmp_path_factory.mktemp("story"))
    told.ten_commits()
    (told.vault.root / "adult.csv").unlink()  # the run checks its input out
    told.models()
    return told


def find_line(vault, version, line):
    text = vault.checkout(version, "search-" + version.replace("/", "-")).decode()
    return text.splitlines(keepends=True).index(line)


def test_ten_commits_by_five(story):
    log = story.vault.log("--type", "commit")
    ours = [entry for entry in log if entry["id"] in {c["commit"] for c in story.commits}]
    assert len(ours) == 10 and {entry["by"] for entry in ours} == {"ana", "ben", "cem", "dora", "eve"}
    state = {d["name"]: d for d in story.vault.json("status")["datasets"]}
    assert {n: d["version"] for n, d in state.items()} == {"adult.csv": 3, "adult.jsonl": 1, "sms.tsv": 2,
                                                           "forum.jsonl": 3, "photos": 2}


def test_blame_names_who_did_it(story):
    vault = story.vault
    vault.tick()
    row = find_line(vault, "adult.csv@3", story.bad_rows[7]) - 1
    told = vault.json("blame", "adult.csv@3", row)["rows"][0]
    assert told["text"] == story.bad_rows[7].rstrip("\n")
    assert told["contributor"]["principal"] == "eve" and told["source"]["id"] == "census"
    assert told["commit"]["message"] == "corrections of the census" and told["commit"]["version"] == 2
    neighbour = vault.json("blame", "adult.csv@3", row - 1)["rows"][0]
    assert neighbour["contributor"]["principal"] == "ana"
    post_row = find_line(vault, "forum.jsonl@3", story.bad_posts[0])
    assert vault.json("blame", "forum.jsonl", post_row)["rows"][0]["contributor"]["principal"] == "eve"
    through_run = vault.json("blame", "adult.jsonl", 0)["rows"][0]
    assert through_run["contributor"]["principal"] == "ana" and len(through_run["chain"]) == 1
    assert through_run["chain"][0]["inputs"][0]["dataset"] == "adult.csv"


def test_impact_lists_three_models(story):
    impact = story.vault.json("impact", "eve")
    assert {(v["dataset"], v["version"]) for v in impact["versions"]} == {
        ("adult.csv", 2), ("adult.csv", 3), ("adult.jsonl", 1), ("forum.jsonl", 2), ("forum.jsonl", 3)}
    assert {m["name"] for m in impact["models"]} == {"income-b.bin", "chat.bin", "income-c.bin"}
    assert len(impact["runs"]) == 1
    rows = {(v["dataset"], v["version"]): v["rows"] for v in impact["versions"]}
    assert rows["adult.csv", 3] == len(story.bad_rows) and rows["forum.jsonl", 3] == len(story.bad_posts)
    assert rows["adult.jsonl", 1] > 5000  # what a run made of poisoned data counts as a whole


def test_revoke_and_the_way_back(story):
    vault = story.vault
    vault.tick(3600)
    revoked = vault.json("revoke", "eve", "--since", "2026-01-01", "--reason", "poisoned the census and the forum")
    assert {m["name"] for m in revoked["impact"][0]["models"]} == {"income-b.bin", "chat.bin", "income-c.bin"}
    vault.write("adult.csv", story.header + "".join(story.rows[:10]))
    refused = vault.run("add", "adult.csv", "--source", "census", "--key", "eve", code=1)
    assert "revoked" in refused.stderr
    eves = next(c["commit"] for c in story.commits if c["by"] == "eve")
    vault.tick()
    assert vault.json("revert", eves[:12], "--key", "ana")["datasets"][0]["version"] == 4
    assert vault.checkout("adult.csv", "clean.csv", "--as", "ana").decode() == story.clean_adult
    vault.tick()
    assert vault.json("rollback", "forum.jsonl@1", "--key", "cem")["datasets"][0]["version"] == 4
    assert vault.checkout("forum.jsonl", "clean.jsonl").decode() == "".join(story.posts)
    latest = [v for v in vault.json("impact", "eve")["versions"] if v["latest"]]
    assert [v["dataset"] for v in latest] == ["adult.jsonl"]
    vault.tick()
    vault.run("rollback", "adult.csv@3", "--key", "eve", code=1)


def test_absence_of_every_bad_row_is_proven(story):
    vault = story.vault
    key = json.loads((vault.folder / "config").read_text())["log_key"]
    for name, bad in [("adult.csv", story.header + "".join(story.bad_rows)), ("forum.jsonl", "".join(story.bad_posts))]:
        wanted = vault.base / ("bad-" + name)
        wanted.write_text(bad)
        proof = vault.base / (name + ".proof")
        vault.run("prove", name, "--row", wanted, "-o", proof)
        told = vault.json("verify-proof", proof, "--log-key", key, "--row", wanted)
        assert told["ok"] and told["dataset"] == name, told
        assert [claim["claim"] for claim in told["claims"]] == ["absent"] * (bad.count("\n") - name.endswith(".csv"))
        changed = bytearray(proof.read_bytes())
        changed[len(changed) // 2] ^= 1
        (vault.base / "forged.proof").write_bytes(changed)
        assert vault.call("vault", "verify-proof", vault.base / "forged.proof", "--log-key", key).returncode != 0
        before = vault.base / (name + ".before")
        vault.run("prove", f"{name}@3", "--row", wanted, "-o", before)  # there they were
        assert "absent" not in {c["claim"] for c in vault.json("verify-proof", before, "--log-key", key)["claims"]}


def test_every_step_stands_in_the_log(story):
    vault = story.vault
    log = vault.log()
    kinds = [entry["type"] for entry in log]
    for kind, at_least in [("init", 1), ("source", 4), ("trust", 5), ("submission", 13), ("commit", 13), ("run", 1),
                           ("model", 5), ("revoke", 1), ("refused", 2), ("access", 8)]:
        assert kinds.count(kind) >= at_least, kind
    assert all(entry["effect"] == "" for entry in log)
    assert [e["entry"]["op"] for e in log if e["type"] == "refused"] == ["add", "rollback"]
    assert {e["entry"]["op"] for e in log if e["type"] == "access"} >= {"checkout", "proof"}
    about = {entry["type"] for entry in vault.log("--data", "adult.csv")}
    assert about >= {"submission", "commit", "access", "run", "model", "refused"}
    times = [entry["time"] for entry in log]
    assert times == sorted(times)
    assert vault.json("verify", "--full")["ok"]
    key = json.loads((vault.folder / "config").read_text())["log_key"]
    assert len(c2sp.Log(vault.folder / "log", c2sp.Key.parse(key)).verify()) >= len(log)
    assert vault.checkout("adult.csv@2", "then.csv").count(b"\n") == len(story.rows) // 2 + len(story.bad_rows) + 1

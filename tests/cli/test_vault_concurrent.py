"""Several processes and one vault: they take turns or fail with a reason, and nothing that was reported done is lost."""
import json
import threading

import pytest

pytest.importorskip("cryptography")

import c2sp
from vault_helper import Vault

WRITERS, ROUNDS = 4, 3


def together(*jobs):
    """Runs the jobs at once; the first exception comes out."""
    failures = []

    def guarded(job):
        try:
            job()
        except BaseException as failure:  # pylint: disable=broad-except
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def rows_of(writer, turn):
    return "text,label\n" + "".join(f"writer {writer} turn {turn} row {row},{row % 2}\n" for row in range(50))


@pytest.fixture
def vault(tmp_path):
    vault = Vault(tmp_path)
    vault.source("web")
    return vault


def check_whole(vault, commits):
    """Everything is in order, and every commit that was reported is in the log, with effect, once."""
    answer = vault.json("verify", "--full")
    assert answer["ok"] and not answer["damage"]
    logged = {entry["id"]: entry for entry in vault.log("--type", "commit")}
    assert set(commits) == set(logged)
    assert all(entry["effect"] == "" for entry in logged.values())
    key = c2sp.Key.parse(json.loads((vault.folder / "config").read_text())["log_key"])
    entries = c2sp.Log(vault.folder / "log", key).verify()
    assert len(entries) == len(vault.log())  # the last append signed what all of them wrote


def test_different_data_sets(vault):
    commits = []

    def write(writer):
        name = f"data-{writer}.csv"
        for turn in range(ROUNDS):
            vault.write(name, rows_of(writer, turn))
            vault.run("add", name, "--source", "web")
            commits.append(vault.json("commit", name, "-m", f"turn {turn}")["commit"])

    together(*(lambda w=w: write(w) for w in range(WRITERS)))
    assert len(commits) == WRITERS * ROUNDS
    check_whole(vault, commits)
    for writer in range(WRITERS):
        for turn in range(ROUNDS):
            got = vault.checkout(f"data-{writer}.csv@{turn + 1}", f"out-{writer}-{turn}")
            assert got.decode() == rows_of(writer, turn)


def test_the_same_data_set(vault):
    """Each writer adds from a file of its own under one name; who comes second is told to add again, and does."""
    commits, committed = [], []

    def write(writer):
        path = vault.write(f"from-{writer}.csv", "")
        for turn in range(ROUNDS):
            path.write_text(rows_of(writer, turn))
            for _ in range(60):
                added = vault.call("vault", "add", path, "--name", "shared.csv", "--source", "web", "--json")
                assert added.returncode in (0, 1, 2), added.stderr
                if added.returncode:
                    assert added.stderr
                    continue
                if not json.loads(added.stdout)["staged"]:
                    break  # somebody else committed what stood in the stage, and it was ours
                result = vault.call("vault", "commit", "shared.csv", "-m", f"{writer}/{turn}", "--json")
                assert result.returncode in (0, 1, 2), result.stderr
                if result.returncode:
                    assert result.stderr
                    continue
                answer = json.loads(result.stdout)
                commits.append(answer["commit"])
                committed.append(answer["datasets"][0]["version"])
                break
            else:
                pytest.fail("sixty attempts and no turn")

    together(*(lambda w=w: write(w) for w in range(WRITERS)))
    check_whole(vault, commits)
    assert sorted(committed) == list(range(1, len(committed) + 1))
    assert len(committed) >= ROUNDS
    texts = {rows_of(w, t) for w in range(WRITERS) for t in range(ROUNDS)}
    for version in committed:
        assert vault.checkout(f"shared.csv@{version}", f"out-{version}").decode() in texts


def test_readers_beside_a_writer(vault):
    vault.add_commit("data.csv", rows_of(0, 0))
    done = threading.Event()
    commits = [entry["id"] for entry in vault.log("--type", "commit")]

    def write():
        try:
            for turn in range(1, 2 * ROUNDS):
                commits.append(vault.add_commit("data.csv", rows_of(0, turn))["commit"])
        finally:
            done.set()

    def read(reader):
        turn = 0
        while not done.is_set() or not turn:
            got = vault.checkout("data.csv@1", f"out-{reader}-{turn}")
            assert got.decode() == rows_of(0, 0)
            latest = vault.checkout("data.csv", f"latest-{reader}-{turn}").decode()
            assert latest in {rows_of(0, t) for t in range(2 * ROUNDS)}
            assert vault.json("verify")["ok"]
            turn += 1

    together(write, lambda: read(0), lambda: read(1))
    check_whole(vault, commits)
    accesses = vault.log("--type", "access")
    assert all(entry["entry"]["outcome"] == "ok" for entry in accesses)
    assert len(accesses) >= 4

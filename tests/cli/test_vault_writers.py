"""Several processes at one vault: commits serialise or fail cleanly, and none is lost."""
import subprocess
import threading

import pytest
from conftest import BINARY
from vault_helper import Vault


def table(rows, tag):
    return "a,b\n" + "".join(f"{tag}{i},{i * 7 % 31}\n" for i in range(rows))


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path)
    made.source("web")
    return made


def start(vault, *words):
    return subprocess.Popen([str(BINARY), "vault", *map(str, words)], cwd=vault.root, env=vault.environment(),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_many_data_sets_at_once(vault):
    names = [f"d{i}.csv" for i in range(8)]
    for name in names:
        vault.write(name, table(200, name))
    running = [start(vault, "add", name, "--source", "web", "-m", name) for name in names]
    for process in running:
        output, error = process.communicate(timeout=200)
        assert process.returncode == 0, output + error
    assert {d["name"]: d["version"] for d in vault.json("status")["datasets"]} == dict.fromkeys(names, 1)
    assert sorted(e["entry"]["message"] for e in vault.log("--type", "commit")) == names
    for name in names:
        assert vault.checkout(name, "out-" + name) == table(200, name).encode()
    assert vault.json("verify", "--full")["ok"]


def test_one_data_set_by_many(vault, tmp_path):
    """Each process brings a file of its own as the same data set; those that are too late say so."""
    vault.write("t.csv", table(50, "zero"))
    vault.add_commit("t.csv")
    tags = [f"w{i}" for i in range(6)]
    for tag in tags:
        (tmp_path / f"{tag}.csv").write_text(table(300, tag))
    done, lock = {}, threading.Lock()

    def work(tag):
        """Tries until it is in."""
        for _ in range(40):
            process = start(vault, "add", tmp_path / f"{tag}.csv", "--name", "t.csv", "--source", "web", "-m", tag)
            output, error = process.communicate(timeout=200)
            if process.returncode == 0:
                with lock:
                    done[tag] = output
                return
            assert process.returncode == 2, output + error
            assert "add it again" in error or "meanwhile" in error or "not all of these data sets are staged" in error, error

    workers = [threading.Thread(target=work, args=(tag,)) for tag in tags]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(done) == tags
    commits = vault.log("--type", "commit")
    assert all(entry["effect"] == "" for entry in commits)
    assert sorted(entry["entry"]["message"] for entry in commits[1:]) == tags
    assert [e["entry"]["datasets"][0]["version"] for e in commits] == list(range(1, len(tags) + 2))
    for entry in commits[1:]:
        version = entry["entry"]["datasets"][0]["version"]
        assert vault.checkout(f"t.csv@{version}", f"o{version}") == table(300, entry["entry"]["message"]).encode()
    assert vault.json("verify", "--full")["ok"]


def test_readers_while_somebody_writes(vault):
    vault.write("t.csv", table(2000, "r0x"))
    vault.add_commit("t.csv")
    for number in range(1, 5):
        vault.write("t.csv", table(2000, f"r{number}x"))
        writer = start(vault, "add", "t.csv", "--source", "web", "-m", str(number))
        readers = [start(vault, "checkout", f"t.csv@{number}", "-o", vault.base / f"r{i}", "--force") for i in range(3)]
        for process in [writer, *readers]:
            output, error = process.communicate(timeout=200)
            assert process.returncode == 0, output + error
        for i in range(3):
            assert (vault.base / f"r{i}").read_text() == table(2000, f"r{number - 1}x")
    assert len(vault.log("--type", "access")) == 12

"""A vault whose commands are killed, or whose disk fails or is full, at every single change they make to it."""
import os
import pathlib
import shutil
import signal
import subprocess

import pytest
from conftest import BINARY, SHARED
from vault_helper import Vault

SHIM = pathlib.Path(os.environ.get("BEZOAR_CRASH_SHIM", BINARY.parent / "libcrash_shim.so"))
# Nightly runs walk every change of every command; else a commit is killed at every one, and the others in steps.
EVERY = bool(os.environ.get("BEZOAR_NIGHTLY"))


def step(name, how):
    if EVERY or (name, how) == ("commit", "kill"):
        return 1
    return 4 if how == "kill" else 8


pytestmark = pytest.mark.plain_build  # what shakes the command is loaded before it, and so would be the sanitizers


def table(mark=""):
    real = SHARED / "adult" / "adult.csv"
    lines = real.read_text(encoding="utf-8").splitlines(keepends=True)[:1500] if real.is_file() else \
        ["name,score\n"] + [f"n{i},{i * 37 % 1000}\n" for i in range(1500)]
    return "".join(line.replace("\n", f"{mark}\n") if i % 90 == 5 else line for i, line in enumerate(lines))


OLD, NEW, NEXT = table(), table("x"), table("y")


@pytest.fixture(scope="module")
def master(tmp_path_factory):
    """A vault with a version, a second one that gc may take, and a third one staged or not."""
    base = tmp_path_factory.mktemp("crash")
    (base / "master").mkdir()
    vault = Vault(base / "master")
    vault.source("web")
    vault.add_commit("t.csv", table("0"))
    vault.add_commit("t.csv", OLD)
    vault.write("t.csv", NEW)
    return vault


class Copy(Vault):
    """The master's state again, at the same place: it is what absolute paths in it say."""

    def __init__(self, master):
        super().__init__(master.base, init=False)
        self.saved = master.base.parent / "saved"

    def environment(self, **more):
        return super().environment(**{"LD_PRELOAD": SHIM, **more})  # it leaves out waiting for the disk

    def restore(self):
        (self.base / "out").unlink(missing_ok=True)
        for name in ("data", "home"):
            shutil.rmtree(self.base / name, ignore_errors=True)
            shutil.copytree(self.saved / name, self.base / name, copy_function=shutil.copy2)


@pytest.fixture
def vault(master):
    copy = Copy(master)
    if not copy.saved.exists():
        shutil.copytree(master.base, copy.saved, copy_function=shutil.copy2)
    copy.restore()
    return copy


def shaken(vault, words, at, how, log=None):
    env = {"CRASH_BELOW": ".bezoar/", "CRASH_AT": at, "CRASH_HOW": how}
    if log:
        env["CRASH_LOG"] = log
    return vault.call("vault", *words, env=env)


def count(vault, words, prepare):
    vault.restore()
    prepare(vault)
    log = vault.base.parent / "calls"
    log.unlink(missing_ok=True)
    result = shaken(vault, words, 0, "kill", log)
    assert result.returncode == 0, result.stderr
    return [line.split()[1] for line in log.read_text().splitlines()]


def check(vault, versions, where):
    """Old or new, whole, and of use: the next commit works."""
    verified = vault.json("verify", "--full")
    assert verified["ok"], (where, verified["damage"])
    status = vault.json("status")
    version = status["datasets"][0]["version"]
    assert version in versions, where
    assert vault.checkout("t.csv", "shown") == versions[version].encode(), where
    vault.add_commit("t.csv", NEXT)
    assert vault.checkout("t.csv", "next") == NEXT.encode(), where
    assert vault.json("verify", "--full")["ok"], where


def nothing(vault):
    pass


def staged(vault):
    vault.run("add", "t.csv", "--source", "web")


COMMANDS = {
    "add": (("add", "t.csv", "--source", "web"), nothing, {2: OLD}),
    "commit": (("commit", "-m", "third"), staged, {2: OLD, 3: NEW}),
    "checkout": (("checkout", "t.csv@1", "-o", "../out"), nothing, {2: OLD}),
    "gc": (("gc", "--keep", "1"), nothing, {2: OLD}),
    "pin": (("pin", "t.csv@1", "--reason", "r"), nothing, {2: OLD}),
    "trust": (("source", "add", "more", "--uri", "https://example.org", "--publisher", "p", "--licence", "CC0-1.0"),
              nothing, {2: OLD}),
}


@pytest.mark.parametrize("how", ["kill", "torn", "eio", "enospc"])
@pytest.mark.parametrize("name", COMMANDS)
def test_every_change_may_fail(vault, name, how):
    words, prepare, versions = COMMANDS[name]
    calls = count(vault, words, prepare)
    assert len(calls) > 5, calls
    seen = set()
    for at in range(1, len(calls) + 1):
        # a torn write is the same as a killed one but for writes
        if how == "torn" and calls[at - 1] != "write":
            continue
        if at % step(name, how) and at != len(calls):
            continue
        vault.restore()
        (vault.base / "out").unlink(missing_ok=True)
        prepare(vault)
        result = shaken(vault, words, at, how)
        where = f"{name}: {how} at {at} of {len(calls)} ({calls[at - 1]}): {result.stderr[-300:]}"
        if how in ("kill", "torn"):
            assert result.returncode == -signal.SIGKILL, where
        else:
            assert result.returncode in (0, 1, 2, 3), where
            assert result.returncode == 0 or result.stderr, where
        check(vault, versions, where)
        seen.add(calls[at - 1])
    assert seen


def test_leftovers_of_the_dead_are_collected(vault):
    calls = count(vault, COMMANDS["add"][0], nothing)
    vault.restore()
    shaken(vault, COMMANDS["add"][0], calls.index("fsync") + 1, "kill")
    assert any((vault.folder / "tmp").iterdir())
    assert vault.json("gc")["leftovers"] >= 1
    assert not any((vault.folder / "tmp").iterdir())


def test_the_shim_sees_what_it_must(vault):
    calls = count(vault, COMMANDS["commit"][0], staged)
    assert {"create", "write", "fsync", "rename"} <= set(calls)
    assert subprocess.run([str(BINARY), "version"], check=True, capture_output=True).stdout

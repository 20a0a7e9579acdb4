"""Vaults for tests: a folder, keys of its own, and the commands run in it.

    vault = Vault(tmp_path)                      # bezoar vault init, admin "default"
    vault.contributor("alice", sources=["web"])  # a key, a source, and the trust to contribute from it
    vault.add_commit("train.csv", text, key="alice", source="web")
    answer = vault.json("blame", "train.csv", "7")
    refused = vault.run("add", path, "--key", "mallory", code=1)
"""
import json
import pathlib
import subprocess

from conftest import BINARY, clean_environment


class Vault:
    """`root` holds .bezoar and the data; `home` is $BEZOAR_HOME with the keys."""

    def __init__(self, tmp_path, init=True, name="data", epoch=None):
        self.base = pathlib.Path(tmp_path)
        self.root = self.base / name
        self.home = self.base / "home"
        self.root.mkdir(exist_ok=True)
        self.home.mkdir(exist_ok=True, mode=0o700)
        self.epoch = epoch  # $SOURCE_DATE_EPOCH of entries; tick() moves it on
        if init:
            self.run("init")

    @property
    def folder(self):
        return self.root / ".bezoar"

    def tick(self, seconds=1):
        self.epoch += seconds

    def environment(self, **more):
        env = {"BEZOAR_HOME": self.home, **more}
        if self.epoch is not None:
            env["SOURCE_DATE_EPOCH"] = self.epoch
        return clean_environment(**env)

    def call(self, *words, env=None, timeout=300, **more):
        """Any command of bezoar, as it comes back."""
        more.setdefault("text", True)
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([str(BINARY), *map(str, words)], capture_output=True, cwd=self.root, timeout=timeout,
                              env=self.environment(**(env or {})), check=False, **more)

    def run(self, *words, code=0, group="vault", **more):
        """`bezoar vault …` that must end with that code."""
        result = self.call(group, *words, **more)
        assert result.returncode == code, f"bezoar {group} {' '.join(map(str, words))}: {result.returncode}\n" \
                                          f"{result.stdout}{result.stderr}"
        return result

    def json(self, *words, code=0, **more):
        return json.loads(self.run(*words, "--json", code=code, **more).stdout)

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8", newline="")
        return path

    def key(self, name):
        """A new key in the folder of keys; the path of its public half."""
        self.run("key", "new", name)
        return self.home / "keys" / f"{name}.pub"

    def source(self, name, *more):
        self.run("source", "add", name, "--uri", f"https://example.org/{name}", "--publisher", f"{name} publisher",
                 "--licence", "CC0-1.0", *more)

    def contributor(self, name, *more, sources=(), roles=("contribute", "commit")):
        """A key whose owner may write (from these sources alone, where any are named)."""
        public = self.key(name)
        words = [word for role in roles for word in ("--role", role)]
        words += [word for source in sources for word in ("--source", source)]
        self.run("trust", "add", name, public, *words, *more)
        return public

    def commit(self, message="more data", key=None):
        return self.json("commit", "-m", message, *(["--key", key] if key else []))

    def add_commit(self, name, content=None, key=None, source="web", message="more data", more=()):
        """Writes the file where content is given, adds and commits it; the answer of commit."""
        if content is not None:
            self.write(name, content)
        self.json("add", name, "--source", source, *(["--key", key] if key else []), *more)
        return self.commit(message, key)

    def checkout(self, dataset, name="out", *more, code=0):
        """Bytes of a version of a data set of one file."""
        target = self.base / name
        more += ("--force",) if target.is_file() else ()
        self.run("checkout", dataset, "-o", target, *more, code=code)
        return target.read_bytes() if code == 0 and target.is_file() else target

    def log(self, *more):
        return self.json("log", *more)["entries"]

"""What others do with the same data: one class per tool with add(folder, name), which versions folder/name and returns
the commands that count, each timed. A tool that is not there is left out by name."""
import os
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUIET = {"GIT_AUTHOR_NAME": "b", "GIT_AUTHOR_EMAIL": "b@example.org", "GIT_COMMITTER_NAME": "b", "GIT_COMMITTER_EMAIL": "b@example.org",
         "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_NOSYSTEM": "1"}
OXEN = ("import sys, oxen; r = oxen.Repo('.'); "
        "exec(\"r.init(); oxen.user.config_user('b', 'b@example.org')\" if sys.argv[1] == 'init' else \"r.add(sys.argv[2]); r.commit('one')\")")


class Git:
    name, store = "git add + commit", ".git"

    def prepare(self):
        return [["git", "init", "-q"]]

    def add(self, what):
        return [["git", "add", what], ["git", "commit", "-q", "-m", "one"]]


class Dvc:
    name, store = "dvc add", ".dvc/cache"
    tool = ROOT / "build/venv-dvc/bin/dvc"

    def prepare(self):
        return [["git", "init", "-q"], [self.tool, "init", "-q"], [self.tool, "config", "core.analytics", "false"]]

    def add(self, what):
        return [[self.tool, "add", "-q", what], ["git", "add", f"{what}.dvc"], ["git", "commit", "-q", "-m", "one"]]


class Oxen:
    name, store = "oxen add + commit", ".oxen"
    tool = ROOT / "build/venv-oxen/bin/python"

    def prepare(self):
        return [[self.tool, "-c", OXEN, "init"]]

    def add(self, what):
        return [[self.tool, "-c", OXEN, "add", what]]


class Annex:
    name, store = "git annex add", ".git/annex"

    def prepare(self):
        return [["git", "init", "-q"], ["git", "annex", "init", "-q", "b"]]

    def add(self, what):
        return [["git", "annex", "add", "--quiet", what], ["git", "commit", "-q", "-m", "one"]]


def there(leave_out=()):
    """The tools that are there, and the names of those that are not."""
    tools, missing = [Git()], []
    for tool, found in ((Dvc(), Dvc.tool.exists()), (Oxen(), Oxen.tool.exists()), (Annex(), bool(shutil.which("git-annex")) and Annex not in leave_out)):
        (tools if found else missing).append(tool if found else tool.name)
    return tools, [*missing, "lakeFS (no package of it at Debian, PyPI or npm)"]


def environment(home):
    return {**os.environ, **QUIET, "HOME": str(home)}

"""Models are read in the sandbox or not at all, and no file can make that long or large. That every reader is denied
files, sockets, processes and programs is shown by tests/unit/test_sandbox.c."""
import ctypes
import ctypes.util
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from model_corpus import EVIL

from conftest import BINARY, ROOT, clean_environment

sys.path.insert(0, str(ROOT / "tests" / "golden-bad" / "audit"))
import bombs

INSTRUMENTED = b"__asan_init" in BINARY.read_bytes()
SEEDS = ROOT / "fuzz" / "corpus" / "model"
PARSERS = re.compile(r"bez_model_reader|bez_model_examine|\barchive_read_|\bH5[A-Z]|bez_pickle_run")


def test_nothing_but_the_helper_has_readers():
    """No reader of models, and no library they need, is linked into the program, the library or the Python extension."""
    others = [BINARY, *BINARY.parent.glob("libbezoar*.so*"), *BINARY.parent.glob("libbezoar*.a"), *BINARY.parent.glob("_*.so")]
    assert PARSERS.search(symbols(BINARY.parent / "bezoar-decode"))
    for path in others:
        if not path.is_symlink():
            assert not PARSERS.search(symbols(path)), path


def symbols(path):
    every = subprocess.run(["nm", path], capture_output=True, text=True, check=False).stdout
    return every + subprocess.run(["nm", "-D", path], capture_output=True, text=True, check=False).stdout


@pytest.fixture
def inputs(tmp_path):
    """One file per input of the fuzzer: every reader is among them (tests/unit/test_sandbox.c)."""
    folder = tmp_path / "inputs"
    folder.mkdir()
    for seed in sorted(SEEDS.iterdir()):
        (folder / f"{seed.name}.pkl").write_bytes(seed.read_bytes()[1:])
    (folder / "evil.pkl").write_bytes(EVIL)
    return sorted(folder.iterdir())


def test_without_the_helper_nothing_is_read(tmp_path, inputs):
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(BINARY, alone / "bezoar")
    for prefix in ([], ["env", f"PATH={BINARY.parent}:/usr/bin:/bin"]):
        result = subprocess.run([*prefix, alone / "bezoar", "scan", *inputs, "--format", "json"], capture_output=True,
                                cwd=tmp_path, env=clean_environment(), check=False)
        nothing_was_read(result, inputs, "not installed")


def nothing_was_read(result, inputs, why):
    assert result.returncode == 3, result.stderr
    report = json.loads(result.stdout)
    assert not report["findings"]
    said = {item["what"]: item["reason"] for item in report["not_checked"]}
    for path in inputs:
        assert why in said[str(path)], (path, said.get(str(path)))


def refuse_filters():
    """In the child before exec: from here on every attempt to install a system call filter fails."""
    name = ctypes.util.find_library("seccomp") or "libseccomp.so.2"
    lib = ctypes.CDLL(name)
    lib.seccomp_init.restype = ctypes.c_void_p

    class Compare(ctypes.Structure):
        _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]

    allow, refuse, equal = 0x7FFF0000, 0x00050000 | 22, 4  # EINVAL, as of a kernel without them
    context = ctypes.c_void_p(lib.seccomp_init(allow))
    lib.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Compare)]
    call = lib.seccomp_syscall_resolve_name
    set_seccomp = Compare(0, equal, 22, 0)  # prctl(PR_SET_SECCOMP, …)
    failed = lib.seccomp_rule_add_array(context, refuse, call(b"prctl"), 1, ctypes.byref(set_seccomp))
    failed |= lib.seccomp_rule_add_array(context, refuse, call(b"seccomp"), 0, None)
    if failed or lib.seccomp_load(context):
        os._exit(99)


def test_where_the_sandbox_cannot_start_nothing_is_read(tmp_path, inputs):
    result = subprocess.run([BINARY, "scan", *inputs, "--format", "json"], capture_output=True, cwd=tmp_path,
                            env=clean_environment(), preexec_fn=refuse_filters, check=False)
    nothing_was_read(result, inputs, "the sandbox cannot be started here")


def test_without_a_sandbox_only_when_told_to(tmp_path):
    """--sandbox=off reads, in a process of its own all the same, and the report says so."""
    (tmp_path / "evil.pkl").write_bytes(EVIL)
    result = subprocess.run([BINARY, "scan", "evil.pkl", "--sandbox", "off", "--format", "json"], capture_output=True, cwd=tmp_path,
                            env=clean_environment(), preexec_fn=refuse_filters, check=False)
    report = json.loads(result.stdout)
    assert result.returncode == 1 and [f["rule"] for f in report["findings"]] == ["BZ-M001"]
    assert {"sandbox": "off"}.items() <= report["options"].items(), report["options"]


MEASURE = """
import json, os, sys, time
started = time.monotonic()
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600)])
_, status, usage = os.wait4(pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), time.monotonic() - started, usage.ru_maxrss / 1024]))
"""


def measured(*args, cwd):
    """Exit code, output, seconds, and the peak memory in MiB of the largest of its processes. A small process in between
    starts it: what the tests themselves hold in memory would be counted otherwise."""
    command = [sys.executable, "-c", MEASURE, cwd / "out.json", BINARY, *args]
    code, seconds, mib = json.loads(subprocess.run(command, capture_output=True, cwd=cwd, env=clean_environment(), check=True).stdout)
    return code, (cwd / "out.json").read_bytes(), seconds, mib


@pytest.fixture(scope="session")
def bomb_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bombs")
    bombs.write(folder)
    return folder


@pytest.mark.parametrize("name", bombs.NAMES)
def test_bombs_end_early_and_small(bomb_folder, tmp_path, name):
    """A finding, or not checked; the ceiling of time is generous: it is measured in docs/benchmarks/audit.md."""
    if not (bomb_folder / name).exists():
        pytest.skip("no zstd program to make it with")
    (tmp_path / name).symlink_to(bomb_folder / name)
    code, out, seconds, mib = measured("scan", name, "--format", "json", cwd=tmp_path)
    report = json.loads(out) if out else {"findings": []}
    assert code in (1, 3) or report["findings"] or name in bombs.ORDINARY, code
    assert seconds < 60, seconds
    assert INSTRUMENTED or mib < 300, mib


def test_without_a_sandbox_only_when_asked_for(tmp_path):
    """--sandbox=off reads where no filter can be had, in a process of its own still, and the report says so twice."""
    (tmp_path / "m.pkl").write_bytes(b"cos\nsystem\n(S'id'\ntR.")
    result = subprocess.run([BINARY, "scan", "m.pkl", "--sandbox=off", "--format", "json"], capture_output=True, cwd=tmp_path,
                            env=clean_environment(), preexec_fn=refuse_filters, check=False)
    report = json.loads(result.stdout)
    assert result.returncode == 1 and report["findings"][0]["rule"] == "BZ-M001"
    assert report["options"]["sandbox"] == "off"
    assert any(item["what"] == "the sandbox" for item in report["not_checked"])

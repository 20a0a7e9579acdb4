"""The world is not kind: closed pipes, full disks, signals, odd names, no network, hostile content."""
import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from conftest import BINARY, clean_environment, poisoned_messages, table_text


def heed_signals():
    """A shell without job control starts what is to run in the background with SIGINT ignored, and that is inherited."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(*args, cwd, **more):
    return subprocess.Popen([str(BINARY), *map(str, args)], cwd=cwd, env=clean_environment(), stdin=subprocess.DEVNULL,
                            preexec_fn=heed_signals, **more)


def test_reader_of_a_pipe_goes_away(messages, tmp_path):
    command = f"'{BINARY}' scan '{messages}' --label label --format json | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=clean_environment(), capture_output=True,
                            check=False, timeout=300)
    assert result.returncode == 1, "findings stay findings"
    assert result.stderr == b""


@pytest.mark.parametrize("closing", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_standard_streams(messages, tmp_path, closing):
    command = f"exec '{BINARY}' scan '{messages}' --label label --report r.json {closing}"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=clean_environment(), capture_output=True,
                            check=False, timeout=300)
    out_closed = closing.startswith(">&-")
    assert result.returncode == (3 if out_closed else 1)
    assert json.loads((tmp_path / "r.json").read_text())["findings"], "the report is not mixed with another stream"


def test_full_disk(bezoar, messages, table, tmp_path):
    for args in [("scan", messages, "--label", "label", "-o", "/dev/full", "--format", "json"),
                 ("scan", messages, "--label", "label", "--report", "json:/dev/full"),
                 ("scan", messages, "--label", "label", "--rows", "/dev/full")]:
        result = bezoar(*args)
        assert result.returncode == 3, args
        assert "/dev/full" in result.stderr and "No space left" in result.stderr, result.stderr
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = subprocess.run([BINARY, "scan", messages, "--label", "label"], stdout=full, stderr=subprocess.PIPE,
                                text=True, env=clean_environment(), check=False, timeout=300, cwd=tmp_path)
    assert result.returncode == 3 and "No space left" in result.stderr
    assert bezoar("help", "scan").returncode == 0


def test_file_size_limit_leaves_nothing_behind(messages, table, tmp_path):
    """As a small disk: the write fails half-way, and no partial file stays under either name."""
    messages.write_text(poisoned_messages(3000))
    before = {p.name for p in tmp_path.iterdir()}
    command = f"trap '' XFSZ; ulimit -f 1; exec '{BINARY}' scan '{messages}' --label label --report r.json"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=clean_environment(), capture_output=True,
                            text=True, check=False, timeout=300)
    assert result.returncode == 3, result.stderr
    assert "r.json" in result.stderr
    assert {p.name for p in tmp_path.iterdir()} == before


def large_table(path, rows):
    body = table_text(2000).splitlines(keepends=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(body[0])
        for _ in range(rows // 2000):
            out.writelines(body[1:])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_leave_no_partial_files(tmp_path, number):
    data = tmp_path / "big.csv"
    large_table(data, 400_000)
    process = start("scan", data, "--label", "label", "--report", "r.json", "--rows", "rows.csv", cwd=tmp_path,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.05)
    process.send_signal(number)
    out, _ = process.communicate(timeout=300)
    if process.returncode == -number:
        assert out == b""
        assert {p.name for p in tmp_path.iterdir()} == {"big.csv"}
    else:  # it was faster than the signal
        assert process.returncode in (0, 1)
        assert {p.name for p in tmp_path.iterdir()} == {"big.csv", "r.json", "rows.csv"}


def interrupt_while_writing(folder, *args):
    """The output is a pipe that nobody empties before the signal was sent: the command cannot be faster. A shell
    calls the answer 130."""
    os.mkfifo(folder / "pipe")
    process = start(*args, "-o", "pipe", cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    reader = os.open(folder / "pipe", os.O_RDONLY)
    time.sleep(0.1)  # so that it is in the midst of writing; the outcome does not hang on it
    process.send_signal(signal.SIGINT)
    while os.read(reader, 1 << 16):
        pass
    process.communicate(timeout=300)
    os.close(reader)
    (folder / "pipe").unlink()
    return process.returncode


def test_interrupted_clean_and_poison_leave_nothing(bezoar, tmp_path):
    data = tmp_path / "big.csv"
    large_table(data, 100_000)
    report = json.loads(bezoar("scan", data, "--label", "label", "--only", "BZ-D005", "--format", "json").stdout)
    (tmp_path / "r.json").write_text(json.dumps(report))
    before = {p.name for p in tmp_path.iterdir()}
    assert interrupt_while_writing(tmp_path, "clean", data, "--from", "r.json", "--quarantine", "q.csv") == -signal.SIGINT
    assert {p.name for p in tmp_path.iterdir()} == before
    assert interrupt_while_writing(tmp_path, "poison", data, "--attack", "flips", "--label", "label", "--rows", "9",
                                   "--answer-key", "k.json") == -signal.SIGINT
    assert {p.name for p in tmp_path.iterdir()} == before


def test_two_at_once_write_one_whole_report(messages, tmp_path):
    both = [start("scan", messages, "--label", "label", "--report", "r.json", cwd=tmp_path, stdout=subprocess.DEVNULL)
            for _ in range(4)]
    assert [p.wait(timeout=300) for p in both] == [1] * 4
    assert json.loads((tmp_path / "r.json").read_text())["findings"]
    assert {p.name for p in tmp_path.iterdir()} == {"messages.tsv", "r.json"}


def no_network():
    if not shutil.which("unshare"):
        return None
    for prefix in (["unshare", "-n"], ["unshare", "-rn"]):
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            return prefix
    return None


def test_every_command_works_without_a_network(bezoar, messages, table, tmp_path):
    prefix = no_network()
    assert prefix, "this machine allows no network namespace"
    runs = [(("scan", messages, "--label", "label", "--report", "r.json"), 1),
            (("clean", messages, "--from", "r.json", "-o", "c.tsv", "--quarantine", "q.tsv"), 0),
            (("poison", table, "--attack", "flips", "--label", "label", "--rows", "9", "--seed", "1", "-o", "p.csv",
              "--answer-key", "k.json"), 0),
            (("report", "show", "r.json"), 0), (("report", "diff", "r.json", "r.json"), 0),
            (("explain", "BZ-D005"), 0), (("list", "detectors"), 0), (("help", "scan"), 0), (("version",), 0),
            (("completion", "bash"), 0), (("man",), 0), (("docs", tmp_path), 0)]
    for args, want in runs:
        result = bezoar(*args, prefix=prefix)
        assert result.returncode == want, (args, result.stderr)


ODD_NAMES = ["späße 数据 🐐.tsv", "with space.tsv", "-dash.tsv", "quote'\".tsv", "new\nline.tsv", "esc\x1b[31m.tsv",
             "star*?[x].tsv", "comma,colon:.tsv", "\u202etsv.exe.tsv", "json:x.tsv", "%s%n.tsv", "a" * 240 + ".tsv"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_file_names(bezoar, tmp_path, name):
    (tmp_path / name).write_text(poisoned_messages())
    result = bezoar("scan", "--label", "label", "--report", "r.json", "--report", "r.html", "--report", "r.xml",
                    "--", name)
    assert result.returncode == 1, result.stderr
    assert "\x1b" not in result.stdout and "\u202e" not in result.stdout
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["data"]["files"][0]["path"] == name
    cleaned = bezoar("clean", "--from", "r.json", "-o", "out.tsv", "--quarantine", "bad.tsv", "--", name)
    assert cleaned.returncode == 0, cleaned.stderr
    assert len((tmp_path / "bad.tsv").read_text().splitlines()) == 13


def test_name_that_is_no_utf8(tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.tsv")
    with open(path, "wb") as out:
        out.write(poisoned_messages().encode())
    result = subprocess.run([os.fsencode(BINARY), b"scan", path, b"--label", b"label", b"--report", b"r.json"],
                            cwd=tmp_path, capture_output=True, env=clean_environment(), check=False, timeout=300)
    assert result.returncode == 1, result.stderr
    result.stdout.decode("utf-8")
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))


def test_odd_output_names(bezoar, messages, tmp_path):
    for name in ["ü 数.json", "sub-%s.json", "q'uote.json"]:
        assert bezoar("scan", messages, "--label", "label", "--report", name).returncode == 1
        assert json.loads((tmp_path / name).read_text())


def test_inputs_that_are_no_files(bezoar, tmp_path):
    fifo = tmp_path / "fifo.csv"
    os.mkfifo(fifo)
    (tmp_path / "empty").mkdir()
    (tmp_path / "void.csv").write_text("")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    for path in [fifo, "empty", "void.csv", "loop.csv", "/dev/null", "none-*.csv", "x" * 5000]:
        result = subprocess.run([BINARY, "scan", str(path)], cwd=tmp_path, capture_output=True, text=True,
                                env=clean_environment(), check=False, timeout=300, stdin=subprocess.DEVNULL)
        assert result.returncode == 3, (path, result.stdout, result.stderr)
        assert result.stderr.startswith("bezoar: "), path


def test_unreadable_file(bezoar, messages):
    if os.geteuid() == 0:
        messages.chmod(0)
        prefix = ["setpriv", "--reuid=65534", "--clear-groups"] if shutil.which("setpriv") else None
        if not prefix or not os.access(BINARY, os.X_OK):
            return
        messages.parent.chmod(0o755)
        probe = subprocess.run([*prefix, "cat", str(BINARY)], capture_output=True, check=False)
        if probe.returncode:
            return  # the build folder itself is closed to other users
        result = bezoar("scan", messages, prefix=prefix, cwd="/")
    else:
        messages.chmod(0)
        result = bezoar("scan", messages)
    assert result.returncode == 3 and "ermission denied" in result.stderr


def test_broken_contents(bezoar, tmp_path):
    cases = {"nul.csv": b"a,b\n1,\0\0\n" * 5, "high.csv": bytes(range(128, 256)) * 20,
             "quote.csv": b'a,b\n"1,2\n' * 10, "wide.csv": b",".join(b"c%d" % i for i in range(20000)) + b"\n",
             "bomb.json": b"[" * 100000, "short.npy": b"\x93NUMPY\x01\0\xff\xff{", "short.gz": b"\x1f\x8b\x08\0",
             "cr.csv": b"a,b\r1,2\r3,4\r", "one.csv": b"x"}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        result = bezoar("scan", name)
        assert result.returncode in (0, 1, 3), (name, result.returncode, result.stderr)
        if result.returncode == 3 and result.stderr:
            assert name in result.stderr, result.stderr


def test_hostile_reports(bezoar, messages, tmp_path):
    for content in ["", "{", "[]", "{}", '{"schema_version": 99}', "[" * 5000, '{"a":1,"a":2}', "\x00"]:
        (tmp_path / "r.json").write_text(content)
        for args in [("report", "show", "r.json"), ("report", "diff", "r.json", "r.json"),
                     ("clean", messages, "--from", "r.json", "-o", "c.tsv"),
                     ("scan", messages, "--label", "label", "--baseline", "r.json")]:
            result = bezoar(*args)
            assert result.returncode == 3, (content[:20], args, result.returncode, result.stderr)
            assert "r.json" in result.stderr
            assert not (tmp_path / "c.tsv").exists()


def test_terminal_escapes_in_data_stay_visible(bezoar, tmp_path):
    text = poisoned_messages().replace("dinner", "din\x1b[2Jner").replace("free", "fr\u202eee")
    path = tmp_path / "m.tsv"
    path.write_text(text)
    out = bezoar("scan", path, "--label", "label", "--fail-on", "never").stdout
    assert "\x1b" not in out and "\u202e" not in out
    bad = bezoar("scan", path, "--label", "la\x1b[31mbel")
    assert bad.returncode == 2 and "\x1b" not in bad.stderr


def on_terminal(args, tmp_path, **env):
    """Output of a run whose streams are a terminal."""
    import pty
    master, slave = pty.openpty()
    process = subprocess.Popen([str(BINARY), *map(str, args)], stdout=slave, stderr=slave, stdin=subprocess.DEVNULL,
                               cwd=tmp_path, env=clean_environment(TERM="xterm", **env))
    os.close(slave)
    out = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.close(master)
    process.wait(timeout=300)
    return out.decode()


def test_colours_only_on_a_terminal(messages, tmp_path):
    args = ["scan", messages, "--label", "label"]
    assert "\x1b[" in on_terminal(args, tmp_path)
    assert "\x1b[" not in on_terminal(args, tmp_path, NO_COLOR="1")
    plain = on_terminal(args, tmp_path, NO_COLOR="1", LC_ALL="C")
    assert all(ord(c) < 128 for c in plain if c not in "\r\n")


def test_progress_line_on_a_terminal(tmp_path):
    data = tmp_path / "big.csv"
    large_table(data, 20_000)
    out = on_terminal(["scan", data, "--label", "label", "--progress", "none", "--format", "json"], tmp_path)
    assert "\r\x1b[K" not in out

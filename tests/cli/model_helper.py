"""What the sandboxed reader of models says of a file, asked as a scan asks it: format/model_wire.h, decode/model_out.c."""
import array
import os
import socket
import struct
import subprocess
import threading

from conftest import BINARY

REQUEST, ANSWER = 0x315A4D42, 0x325A4D42
WHATS = ("import", "call", "state", "extension", "odd", "code", "about")


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def numbers(self, form):
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def text(self):
        (n,) = self.numbers("I")
        self.at += n
        return self.data[self.at - n:self.at].decode("utf-8", "replace")


def parse(data):
    r = Reader(data)
    n_parts, n_facts, n_tensors = r.numbers("III")
    parts, facts, tensors = [], [], []
    for _ in range(n_parts):
        parent, at, size = r.numbers("IQQ")
        parts.append({"parent": parent, "at": at, "size": size, "name": r.text(), "kind": r.text(), "unread": r.text()})
    for _ in range(n_facts):
        part, what, at, count = r.numbers("IIQQ")
        facts.append({"part": part, "what": WHATS[what >> 1], "at": at, "count": count, "opcode": r.text(),
                      "module": r.text(), "name": r.text(), "text": r.text()})
    for _ in range(n_tensors):
        part, strided, n_dims, at, size = r.numbers("IIIQQ")
        shape = r.numbers(f"{n_dims}Q")
        tensors.append({"part": part, "strided": bool(strided), "at": at, "bytes": size, "shape": shape, "name": r.text(),
                        "dtype": r.text(), "file": r.text()})
    assert r.at == len(data)
    return {"parts": parts, "facts": facts, "tensors": tensors}


def receive(channel, n):
    data = b""
    while len(data) < n:
        more = channel.read(n - len(data))
        assert more, "the helper ended"
        data += more
    return data


def ask(*paths):
    """One helper, several files: what it says of each."""
    ours, theirs = socket.socketpair()
    helper = BINARY.parent / "bezoar-decode"
    child = subprocess.Popen([helper, "models"], stdout=subprocess.PIPE, close_fds=False,
                             preexec_fn=lambda: os.dup2(theirs.fileno(), 3))
    theirs.close()
    watchdog = threading.Timer(120, child.kill)
    watchdog.start()
    said = []
    for path in paths:
        with open(path, "rb") as f:
            ours.sendall(struct.pack("<IIQ512s", REQUEST, 1, 0, os.path.basename(path).encode()))
            ours.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [f.fileno()]))])
        magic, failed, size = struct.unpack("<IIQ", receive(child.stdout, 16))
        assert magic == ANSWER and not failed
        said.append(parse(receive(child.stdout, size)))
    ours.close()
    child.stdout.close()
    watchdog.cancel()
    assert child.wait(timeout=60) == 0
    return said


def odd(said):
    return [f["name"] for f in said["facts"] if f["what"] == "odd"]


def about(said):
    return {f["name"]: f["text"] for f in reversed(said["facts"]) if f["what"] == "about"}


def unread(said):
    return [p["unread"] for p in said["parts"] if p["unread"]]

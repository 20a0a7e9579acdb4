"""Transparency logs as C2SP specifies them, written from the specifications alone (signed-note, tlog-checkpoint,
tlog-cosignature, tlog-tiles, tlog-proof, tlog-witness; RFC 9162 for the trees): what a vault's log must satisfy in the
eyes of somebody who has never seen Bezoar. Everything raises Wrong where the specification says so."""
import base64
import binascii
import hashlib
import pathlib
import re
import struct
import threading
import unicodedata
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519, COSIGNATURE = 1, 4
TILE = 256


class Wrong(Exception):
    """Not as the specification has it."""


def need(condition, what):
    if not condition:
        raise Wrong(what)


def unbase64(text):
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Wrong(f"no base64: {text!r}") from error
    need(base64.b64encode(raw).decode() == text, "base64 with bits left over")
    return raw


def base64_of(raw):
    return base64.b64encode(raw).decode()


def number(text):
    need(re.fullmatch(r"0|[1-9][0-9]*", text), f"no decimal number: {text!r}")
    return int(text)


# signed-note


class Key:
    """A verifier key: name, kind, 32 bytes."""

    def __init__(self, name, kind, public):
        need(name and "+" not in name and not any(c.isspace() or unicodedata.category(c) == "Zs" for c in name),
             "no name for a key")
        self.name, self.kind, self.public = name, kind, public
        self.id = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]

    @classmethod
    def parse(cls, text):
        name, _, rest = text.partition("+")
        digits, _, encoded = rest.partition("+")
        raw = unbase64(encoded)
        need(len(raw) == 33 and raw[0] in (ED25519, COSIGNATURE), "a key of an unknown kind")
        key = cls(name, raw[0], raw[1:])
        need(re.fullmatch("[0-9a-f]{8}", digits) and bytes.fromhex(digits) == key.id, "the key's hash is another")
        return key

    def __str__(self):
        return f"{self.name}+{self.id.hex()}+{base64_of(bytes([self.kind]) + self.public)}"

    def check(self, text, signature):
        """Raises Wrong, or returns the time of a cosignature (None for other kinds)."""
        time = None
        if self.kind == COSIGNATURE:
            need(len(signature) == 72, "no timestamped signature")
            time, = struct.unpack(">Q", signature[:8])
            need(time < 2 ** 63, "a time beyond all clocks")
            text, signature = f"cosignature/v1\ntime {time}\n{text}", signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature as error:
            raise Wrong(f"the signature of {self.name} does not hold") from error
        return time


class Note:
    def __init__(self, note):
        if isinstance(note, bytes):
            try:
                note = note.decode("utf-8", "strict")
            except UnicodeDecodeError as error:
                raise Wrong("no UTF-8") from error
        need(not any(ord(c) < 0x20 and c != "\n" for c in note), "control characters")
        at = note.rfind("\n\n")
        need(at >= 0 and note.endswith("\n"), "no signed note")
        self.text, self.signatures = note[:at + 1], []
        for line in note[at + 2:].splitlines():
            parts = line.split(" ")
            need(len(parts) == 3 and parts[0] == "\u2014" and parts[1], f"no signature line: {line!r}")
            raw = unbase64(parts[2])
            need(len(raw) > 4, "a signature without bytes")
            self.signatures.append((parts[1], raw[:4], raw[4:]))
        need(self.signatures, "nobody signed")

    def signed_by(self, keys):
        """{name of a key: time or None} of the keys that signed."""
        found = {}
        for name, key_id, signature in self.signatures:
            for key in keys:
                if (key.name, key.id) == (name, key_id):
                    found[name] = key.check(self.text, signature)
        return found


# tlog-checkpoint


class Checkpoint:
    def __init__(self, note, log):
        self.note = Note(note)
        lines = self.note.text[:-1].split("\n")
        need(len(lines) >= 3 and all(lines), "no checkpoint")
        self.origin, self.size, self.root = lines[0], number(lines[1]), unbase64(lines[2])
        need(len(self.root) == 32, "no root")
        need(self.origin == log.name, "a checkpoint of another log")
        need(log.name in self.note.signed_by([log]), "not signed by the log")


# RFC 9162, section 2.1


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def tree_hash(hashes):
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(tree_hash(hashes[:half]), tree_hash(hashes[half:]))


def check_inclusion(leaf, index, size, path, root):
    """2.1.3.2"""
    need(0 <= index < size, "no such entry")
    fn, sn, r = index, size - 1, leaf
    for p in path:
        need(sn, "the proof is too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and r == root, "the entry is not in the tree")


def consistency_proof(m, hashes, whole=True):
    """2.1.4.1"""
    n = len(hashes)
    if m == n:
        return [] if whole else [tree_hash(hashes)]
    half = 1 << (n - 1).bit_length() - 1
    if m <= half:
        return consistency_proof(m, hashes[:half], whole) + [tree_hash(hashes[half:])]
    return consistency_proof(m - half, hashes[half:], False) + [tree_hash(hashes[:half])]


def check_consistency(old_size, old_root, size, root, path):
    """2.1.4.2"""
    need(old_size <= size, "the log became shorter")
    if old_size == size or not old_size:
        need(not path and (not old_size or old_root == root), "another tree")
        return
    path = list(path)
    need(path, "no proof")
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        need(sn, "the proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and fr == old_root and sr == root, "the log is no continuation")


# tlog-tiles


def tile_path(level, n, width=TILE):
    parts = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        parts.insert(0, f"x{n % 1000:03}")
    return f"tile/{level}/" + "/".join(parts) + (f".p/{width}" if width < TILE else "")


class Log:
    """A log that is served as files: everything that its checkpoint stands for is fetched and checked."""

    def __init__(self, folder, key):
        self.folder, self.key = pathlib.Path(folder), key

    def fetch(self, name):
        path = self.folder / name
        need(path.is_file(), f"{name} is not served")
        return path.read_bytes()

    def checkpoint(self):
        return Checkpoint(self.fetch("checkpoint"), self.key)

    def tiles(self, level, count):
        """All hashes of a level, of which there are `count`."""
        hashes = []
        for n in range((count + TILE - 1) // TILE):
            width = min(TILE, count - n * TILE)
            raw = self.fetch(tile_path(level, n, width))
            need(len(raw) == 32 * width, f"a tile of {len(raw)} bytes")
            hashes += [raw[i:i + 32] for i in range(0, len(raw), 32)]
        return hashes

    def entries(self, count):
        found = []
        for n in range((count + TILE - 1) // TILE):
            width = min(TILE, count - n * TILE)
            raw, at = self.fetch(tile_path("entries", n, width)), 0
            for _ in range(width):
                need(at + 2 <= len(raw), "the bundle ends early")
                length, = struct.unpack_from(">H", raw, at)
                need(at + 2 + length <= len(raw), "the bundle ends early")
                found.append(raw[at + 2:at + 2 + length])
                at += 2 + length
            need(at == len(raw), "the bundle is too long")
        return found

    def verify(self):
        """The entries that the checkpoint covers."""
        checkpoint = self.checkpoint()
        entries = self.entries(checkpoint.size)
        hashes = [leaf_hash(entry) for entry in entries]
        level, below = 0, hashes
        while below:
            need(self.tiles(level, len(below)) == below, f"tiles of level {level} are not those of the entries")
            below = [tree_hash(below[i:i + TILE]) for i in range(0, len(below) - TILE + 1, TILE)]
            level += 1
        need(tree_hash(hashes) == checkpoint.root, "the entries do not lead to the root")
        return entries


# tlog-proof


def check_proof(text, entry, log, witnesses=(), quorum=0):
    """The index of the entry."""
    lines = text.split("\n")
    need(lines.pop(0) == "c2sp.org/tlog-proof@v1", "no proof")
    if lines[0].startswith("extra "):
        unbase64(lines.pop(0)[len("extra "):])
    need(lines[0].startswith("index "), "no index")
    index, path = number(lines.pop(0)[len("index "):]), []
    while lines and lines[0]:
        path.append(unbase64(lines.pop(0)))
        need(len(path[-1]) == 32, "no hash")
    need(lines and not lines.pop(0), "no checkpoint")
    checkpoint = Checkpoint("\n".join(lines), log)
    check_inclusion(leaf_hash(entry), index, checkpoint.size, path, checkpoint.root)
    need(len(checkpoint.note.signed_by(witnesses)) >= quorum, "not enough witnesses")
    return index


# tlog-witness, both sides


class Signer:
    def __init__(self, name, kind, seed):
        self.private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest())
        public = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.key = Key(name, kind, public)

    def line(self, text, time=None):
        prefix = b""
        if self.key.kind == COSIGNATURE:
            prefix, text = struct.pack(">Q", time), f"cosignature/v1\ntime {time}\n{text}"
        return f"\u2014 {self.key.name} {base64_of(self.key.id + prefix + self.private.sign(text.encode()))}\n"


def make_request(old_size, entries, log):
    """What a log of these entries, signed by `log` (a Signer), sends to a witness."""
    hashes = [leaf_hash(entry) for entry in entries]
    proof = consistency_proof(old_size, hashes) if old_size else []
    text = f"{log.key.name}\n{len(entries)}\n{base64_of(tree_hash(hashes))}\n"
    return (f"old {old_size}\n" + "".join(base64_of(h) + "\n" for h in proof) + "\n" + text + "\n" + log.line(text))


class Witness:
    """Serves add-checkpoint on loopback."""

    def __init__(self, name, logs, seed=b"a witness"):
        self.signer = Signer(name, COSIGNATURE, seed)
        self.logs = {key.name: key for key in logs}
        self.seen = {}   # origin → (size, root)
        self.asked = []  # (path, status)
        self.spoil = lambda answer: answer
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/prefix"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def key(self):
        return self.signer.key

    def add_checkpoint(self, body):
        """(status, type, body) of the answer."""
        lines, note = body.split("\n\n", 1)
        first, *proof = lines.split("\n")
        need(first.startswith("old ") and len(proof) <= 63, "no request")
        old_size, proof = number(first[4:]), [unbase64(line) for line in proof]
        origin = note.split("\n", 1)[0]
        if origin not in self.logs:
            return 404, "text/plain", "no such log\n"
        try:
            checkpoint = Checkpoint(note, self.logs[origin])
        except Wrong as error:
            return 403, "text/plain", f"{error}\n"
        if old_size > checkpoint.size:
            return 400, "text/plain", "shorter\n"
        with self.lock:
            size, root = self.seen.get(origin, (0, None))
            if old_size != size:
                return 409, "text/x.tlog.size", f"{size}\n"
            if old_size == checkpoint.size and size and root != checkpoint.root:
                return 409, "text/x.tlog.size", f"{size}\n"
            try:
                check_consistency(size, root, checkpoint.size, checkpoint.root, proof)
            except Wrong as error:
                return 422, "text/plain", f"{error}\n"
            self.seen[origin] = checkpoint.size, checkpoint.root
        return 200, "text/plain", self.signer.line(checkpoint.note.text, 1_700_000_000 + len(self.asked))

    def handler(witness):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, kind, answer = 404, "text/plain", "no such call\n"
                if self.path == "/prefix/add-checkpoint":
                    try:
                        status, kind, answer = witness.add_checkpoint(body)
                    except Wrong as error:
                        status, kind, answer = 400, "text/plain", f"{error}\n"
                witness.asked.append((self.path, status))
                raw = witness.spoil(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_):
                pass

        return Handler

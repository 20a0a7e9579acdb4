"""A checker of row proofs, written from docs/vault/proofs.md and the C2SP specifications, not from the program.

    python3 verify_row_proof.py FILE VKEY
"""
import base64
import hashlib
import json
import re
import struct
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from c2sp import Checkpoint, Key, Wrong, check_consistency, check_proof, need, number, unbase64

FIRST = "bezoar-row-proof/v1\n"
CONSISTENCY = "bezoar-consistency-proof/v1\n"


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def le64(value):
    need(value < 2 ** 64, "a number beyond 64 bits")
    return struct.pack("<Q", value)


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def digest(word):
    raw = unbase64(word)
    need(len(raw) == 32, "no digest")
    return raw


class Lines:
    def __init__(self, text):
        self.lines = text.split("\n")
        self.at = 0

    def peek(self):
        need(self.at < len(self.lines), "the claim ends early")
        return self.lines[self.at]

    def take(self, word, count):
        """The words behind `word`, which must be so many."""
        words = self.peek().split(" ")
        need(words[0] == word and len(words) - 1 == count, f"expected a line {word!r}, found {self.peek()!r}")
        self.at += 1
        return words[1:]


class Entry:
    """Of a node, by its line; root is what the level led to."""

    def __init__(self, root, words, is_sorted):
        self.root, self.items, self.rows = root, number(words[0]), number(words[1])
        self.bytes, self.last = (0, digest(words[2])) if is_sorted else (number(words[2]), b"")

    def hash(self):
        return sha256(b"\0", self.root, le64(self.items), le64(self.rows), le64(self.bytes), self.last)


def node(left, right):
    return sha256(b"\1", left, right)


class Claim:
    def __init__(self, lines):
        self.kind, = lines.take("claim", 1)
        need(self.kind in ("included", "present", "absent"), f"an unknown claim: {self.kind}")
        self.sorted = self.kind != "included"
        self.met = self.short = self.empty = False
        entry, levels = getattr(self, f"begin_{self.kind}")(lines), 0
        if entry is not None:
            self.value = entry
            entry = None
            while not lines.peek().startswith("top "):
                entry = self.level(lines, levels)
                self.value = entry.hash()
                levels += 1
        self.tree = self.top(lines, entry, levels)

    def begin_included(self, lines):
        words = lines.peek().split(" ")
        words = lines.take("item", 4 if len(words) == 5 else 3)
        kind, self.raw, self.canonical = number(words[0]), digest(words[1]), digest(words[2])
        need(kind in (3, 4, 5), "no row")
        head = unbase64(words[3]) if len(words) == 4 else b""
        need(len(words) == 3 or head, "an empty head")
        return sha256(b"\0", bytes([kind]), self.raw, self.canonical, head)

    @staticmethod
    def sorted_item(words):
        found, count = digest(words[0]), number(words[1])
        need(count >= 1, "a count of nothing")
        return found, count, sha256(b"\0", found, le64(count))

    def begin_present(self, lines):
        self.canonical, self.count, value = self.sorted_item(lines.take("item", 2))
        return value

    def begin_absent(self, lines):
        self.canonical = digest(*lines.take("digest", 1))
        if lines.peek() == "top 0":
            self.empty = True  # the one claim that leads to a tree without a hash
            return None
        if lines.peek().startswith("root "):
            self.short = True
            return digest(*lines.take("root", 1))
        behind, _, value = self.sorted_item(lines.take("item", 2))
        need(behind > self.canonical, "the digest behind it is not larger")
        return value

    def left(self, lines, levels):
        need(self.kind == "absent" and not self.met and not self.short, "a neighbour that nobody asked for")
        if levels == 0:
            last, _, value = self.sorted_item(lines.take("left", 2))
        else:
            root = digest(*lines.take("left", 1))
            entry = Entry(root, lines.take("entry", 3), True)
            last, value = entry.last, entry.hash()
        need(last < self.canonical, "the digest before it is not smaller")
        return value

    def level(self, lines, levels):
        value = self.value
        neighbour = self.left(lines, levels) if lines.peek().startswith("left ") else None
        while not lines.peek().startswith("entry "):
            line = lines.peek()
            need(not self.short, "lines where none belong")
            if line == "=":
                lines.at += 1
                need(neighbour is not None, "nothing to meet")
                value, neighbour, self.met = node(neighbour, value), None, True
            elif line.startswith("r "):
                value = node(value, digest(*lines.take("r", 1)))
            elif neighbour is not None:
                neighbour = node(digest(*lines.take("l", 1)), neighbour)
            else:
                need(self.kind != "absent" or self.met, "something unknown lies between")
                value = node(digest(*lines.take("l", 1)), value)
        need(neighbour is None, "the neighbours never meet")
        entry = Entry(value, lines.take("entry", 3), self.sorted)
        if self.short:
            need(entry.last < self.canonical, "the last digest is not smaller")
        return entry

    def top(self, lines, entry, levels):
        kind = b"S" if self.sorted else b"R"
        if entry is None:
            need(self.empty and lines.take("top", 1) == ["0"], "a tree of no height")
            return sha256(b"BZT", kind, b"\0")
        words = lines.take("top", 2)
        height = number(words[0])
        need(1 <= height <= 40 and levels == (1 if self.short else height), "another height")
        return sha256(b"BZT", kind, bytes([height]), digest(words[1]), entry.root, varint(entry.items),
                      varint(entry.rows), varint(entry.bytes), entry.last)


# OpenSSH, PROTOCOL.sshsig and RFC 8709


def ssh_strings(raw, count):
    out = []
    for _ in range(count):
        need(len(raw) >= 4, "an SSH signature that ends early")
        length, = struct.unpack_from(">I", raw)
        need(len(raw) >= 4 + length, "an SSH signature that ends early")
        out.append(raw[4:4 + length])
        raw = raw[4 + length:]
    return out, raw


def check_sshsig(armored, message, namespace):
    """The fingerprint of the key that signed."""
    match = re.fullmatch(r"-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)-----END SSH SIGNATURE-----\n", armored)
    need(match, "no armored signature")
    blob = unbase64(match[1].replace("\n", ""))
    need(blob[:10] == b"SSHSIG" + struct.pack(">I", 1), "no SSHSIG of version 1")
    (public, used, reserved, algorithm, signature), rest = ssh_strings(blob[10:], 5)
    need(not rest and used == namespace and algorithm in (b"sha256", b"sha512"), "another namespace or hash")
    (kind, key), rest = ssh_strings(public, 2)
    need(kind == b"ssh-ed25519" and not rest, "this checker knows Ed25519 alone")
    (kind, raw), rest = ssh_strings(signature, 2)
    need(kind == b"ssh-ed25519" and not rest, "another kind of signature")
    hashed = hashlib.new(algorithm.decode(), message).digest()
    signed = b"SSHSIG" + b"".join(struct.pack(">I", len(s)) + s for s in (namespace, reserved, algorithm, hashed))
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(raw, signed)
    except InvalidSignature as error:
        raise Wrong("the contributor's signature does not hold") from error
    return "SHA256:" + base64.b64encode(hashlib.sha256(public).digest()).decode().rstrip("=")


def check_entry(entry, kind, origin):
    line, _, rest = entry.partition(b"\n")
    signatures = re.findall(r"-----BEGIN.*?-----END SSH SIGNATURE-----\n", rest.decode("utf-8", "replace"), re.DOTALL)
    need(signatures and "".join(signatures).encode() == rest, "not signed")
    signers = [check_sshsig(armored, line + b"\n", b"bezoar-vault") for armored in signatures]
    body = json.loads(line)
    need(body["type"] == kind and body["vault"] == origin, "another entry, or of another vault")
    return body, signers


def check_commit(entry, submission, body, origin):
    """The version that the commit made of the submission, and who signed."""
    commit, signers = check_entry(entry, "commit", origin)
    digest_of = sha256(submission.partition(b"\n")[0] + b"\n").hex()
    named = [item for item in commit["datasets"] if item["submission"] == digest_of]
    need(len(named) == 1 and named[0]["name"] == body["dataset"], "the commit took in another submission")
    need(isinstance(named[0]["version"], int) and named[0]["version"] >= 1, "no version")
    return named[0]["version"], sha256(entry.partition(b"\n")[0] + b"\n").hex(), signers


def part(raw, name):
    match = re.match(rb"%s ([0-9]+)\n" % name, raw)
    need(match, f"no part {name.decode()!r}")
    length = number(match[1].decode())
    need(len(raw) >= match.end() + length, "a part that ends early")
    return raw[match.end():match.end() + length], raw[match.end() + length:]


def verify_consistency(text, log):
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    need(len(lines) >= 3 and lines[1].startswith("size ") and lines[2].startswith("root "), "no consistency proof")
    size, root = number(lines[1][5:]), digest(lines[2][5:])
    checkpoint = Checkpoint(note, log)
    check_consistency(size, root, checkpoint.size, checkpoint.root, [digest(h) for h in lines[3:]])
    return {"old": size, "new": checkpoint.size}


def verify(raw, vkey):
    """What the proof proves; raises Wrong."""
    log = Key.parse(vkey)
    try:
        text = raw.decode()
        if text.startswith(CONSISTENCY):
            return verify_consistency(text, log)
        need(text.startswith(FIRST), "no row proof")
        begin = raw.index(b"\nsubmission ") + 1
    except ValueError as error:
        raise Wrong("no row proof") from error
    lines, claims = Lines(raw[len(FIRST):begin].decode()), []
    while lines.peek():
        claims.append(Claim(lines))
    need(claims and lines.at == len(lines.lines) - 1, "no claims")
    entry, rest = part(raw[begin:], b"submission")
    proof, rest = part(rest, b"log")
    commit, rest = part(rest, b"commit")
    line, _, rest = rest.partition(b"\n")
    need(line.startswith(b"from "), "no line 'from'")
    shared = number(line[len("from "):].decode("ascii", "replace"))
    place, rest = part(rest, b"place")
    need(rest == b"end " + base64.b64encode(sha256(raw[:len(raw) - len(rest)])) + b"\n", "damaged")
    body, signers = check_entry(entry, "submission", log.name)
    index = check_proof(proof.decode(), entry, log)
    need(shared <= proof.index(b"\n\n") + 2, "another checkpoint")
    later = check_proof((place + proof[shared:]).decode("utf-8", "replace"), commit, log)
    need(index < later, "the commit stands before the submission")
    version, commit_id, committers = check_commit(commit, entry, body, log.name)
    for claim in claims:
        need(body["sorted" if claim.sorted else "rows"] == claim.tree.hex(), "a claim of another tree")
    return {"dataset": body["dataset"], "index": index, "signers": signers, "version": version, "commit": commit_id,
            "commit_index": later, "committers": committers,
            "claims": [(claim.kind, claim.canonical.hex()) for claim in claims]}


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as proof_file:
        print(verify(proof_file.read(), sys.argv[2]))

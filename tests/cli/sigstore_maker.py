"""A certificate authority, a certificate log, a transparency log and a time-stamping authority of our own, and bundles
that they vouch for: everything a verifier of Sigstore signatures must see through can be made wrong here.

By the specifications (RFC 6962, RFC 9162, C2SP tlog-checkpoint, Sigstore protobuf-specs), not from any client's code."""
import base64
import datetime
import hashlib
import json
import struct
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

IDENTITY, ISSUER = "signer@example.org", "https://accounts.example.org"
NOW = datetime.datetime(2030, 5, 1, 12, 0, 0)
SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
ISSUER_V1, ISSUER_V2 = ObjectIdentifier("1.3.6.1.4.1.57264.1.1"), ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
USER_NAME = ObjectIdentifier("1.3.6.1.4.1.57264.1.7")


def b64(data):
    return base64.b64encode(data).decode()


def sha256(data):
    return hashlib.sha256(data).digest()


def compact(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def seconds(when):
    return int(when.replace(tzinfo=datetime.timezone.utc).timestamp())


def stamp(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def sign(key, data):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def pae(kind, payload):
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def utf8_string(text):
    data = text.encode()
    assert len(data) < 128
    return bytes([0x0C, len(data)]) + data


# ---- the tree, by its definition


def tree_root(leaves):
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + tree_root(leaves[:split]) + tree_root(leaves[split:]))


def tree_path(index, leaves):
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return tree_path(index, leaves[:split]) + [tree_root(leaves[split:])]
    return tree_path(index - split, leaves[split:]) + [tree_root(leaves[:split])]


class World:
    """Everybody whom a verifier may trust."""

    def __init__(self):
        self.root_key, self.ca_key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
        self.ct_key, self.rekor_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self.rekor2_key = ed25519.Ed25519PrivateKey.generate()
        self.rekor2_id = sha256(b"log2.example.org\n\x01" + self.rekor2_key.public_key().public_bytes_raw())
        self.root = self.certificate("root", self.root_key, "root", self.root_key, path=1)
        self.ca = self.certificate("intermediate", self.ca_key, "root", self.root_key, path=0)

    @staticmethod
    def certificate(name, key, issuer, issuer_key, path=None, usage=None, years=20):
        builder = (x509.CertificateBuilder()
                   .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
                   .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(NOW - datetime.timedelta(days=365))
                   .not_valid_after(NOW + datetime.timedelta(days=365 * years))
                   .add_extension(x509.BasicConstraints(ca=path is not None, path_length=path), critical=True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False))
        if path is not None:
            builder = builder.add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False),
                                            critical=True)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        return builder.sign(issuer_key, hashes.SHA256())

    def trusted_root(self, **change):
        def log(key, identity, url):
            kind = "PKIX_ED25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "PKIX_ECDSA_P256_SHA_256"
            return {"baseUrl": url, "hashAlgorithm": "SHA2_256", "logId": {"keyId": b64(identity)},
                    "publicKey": {"keyDetails": kind, "rawBytes": b64(spki(key)), "validFor": {"start": "2020-01-01T00:00:00Z"}}}

        def authority(*chain):
            return {"uri": "https://ca.example.org", "subject": {"organization": "example.org", "commonName": "ca"},
                    "validFor": {"start": "2020-01-01T00:00:00.000Z"},
                    "certChain": {"certificates": [{"rawBytes": b64(der(c))} for c in chain]}}

        document = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                    "tlogs": [log(self.rekor_key, sha256(spki(self.rekor_key)), "https://log.example.org"),
                              log(self.rekor2_key, self.rekor2_id, "https://log2.example.org")],
                    "certificateAuthorities": [authority(self.ca, self.root)],
                    "ctlogs": [log(self.ct_key, sha256(spki(self.ct_key)), "https://ct.example.org")],
                    "timestampAuthorities": []}
        document.update(change)
        return document

    def leaf(self, key, identity=IDENTITY, issuer=ISSUER, name="email", minutes=10, sct=True, ct_key=None, old_issuer=False,
             usage=ExtendedKeyUsageOID.CODE_SIGNING):
        """A certificate for some minutes, with the promise of the certificate log in it."""
        names = {"email": lambda: x509.RFC822Name(identity), "uri": lambda: x509.UniformResourceIdentifier(identity),
                 "user": lambda: x509.OtherName(USER_NAME, utf8_string(identity))}
        builder = (x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(self.ca.subject)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(NOW).not_valid_after(NOW + datetime.timedelta(minutes=minutes))
                   .add_extension(x509.KeyUsage(True, False, False, False, False, False, False, False, False), critical=True)
                   .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca_key.public_key()), critical=False)
                   .add_extension(x509.SubjectAlternativeName([names[name]()]), critical=True)
                   .add_extension(x509.UnrecognizedExtension(ISSUER_V1, issuer.encode()), critical=False))
        if not old_issuer:
            builder = builder.add_extension(x509.UnrecognizedExtension(ISSUER_V2, utf8_string(issuer)), critical=False)
        if sct:
            before = builder.sign(self.ca_key, hashes.SHA384()).tbs_certificate_bytes
            when = struct.pack(">Q", seconds(NOW) * 1000)
            data = b"\0\0" + when + b"\0\1" + sha256(spki(self.ca_key)) + struct.pack(">I", len(before))[1:] + before + b"\0\0"
            signature = sign(ct_key or self.ct_key, data)
            one = b"\0" + sha256(spki(self.ct_key)) + when + b"\0\0" + b"\4\3" + struct.pack(">H", len(signature)) + signature
            items = struct.pack(">H", len(one)) + one
            octets = struct.pack(">H", len(items)) + items
            assert len(octets) < 256
            value = (bytes([0x04, len(octets)]) if len(octets) < 128 else bytes([0x04, 0x81, len(octets)])) + octets
            builder = builder.add_extension(x509.UnrecognizedExtension(SCT_LIST, value), critical=False)
        return builder.sign(self.ca_key, hashes.SHA384())

    def entry(self, body, kind, version, at, index=5, size=11, two=False):
        """On record as leaf `index` of `size`, under a checkpoint; Rekor v1 promises a time, v2 does not."""
        key = self.rekor2_key if two else self.rekor_key
        identity = self.rekor2_id if two else sha256(spki(key))
        name = "log2.example.org" if two else "log.example.org"
        leaves = [b"entry %d" % i for i in range(size)]
        leaves[index] = body
        root = tree_root(leaves)
        text = f"{name} - 4242\n{size}\n{b64(root)}\n".encode()
        line = "\u2014 " + name + " " + b64(identity[:4] + sign(key, text)) + "\n"
        entry = {"logIndex": str(1000 + index), "logId": {"keyId": b64(identity)},
                 "kindVersion": {"kind": kind, "version": version}, "canonicalizedBody": b64(body),
                 "inclusionProof": {"logIndex": str(index), "treeSize": str(size), "rootHash": b64(root),
                                    "hashes": [b64(h) for h in tree_path(index, leaves)],
                                    "checkpoint": {"envelope": text.decode() + "\n" + line}}}
        if not two:
            entry["integratedTime"] = str(seconds(at))
            promise = compact({"body": b64(body), "integratedTime": seconds(at), "logID": identity.hex(), "logIndex": 1000 + index})
            entry["inclusionPromise"] = {"signedEntryTimestamp": b64(sign(key, promise))}
        return entry

    def bundle(self, payload, kind="dsse", version="0.0.1", at=NOW + datetime.timedelta(minutes=5), stamps=(), size=11, index=5,
               two=False, **leaf):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.leaf(key, **leaf)
        payload_type = "application/vnd.in-toto+json"
        signature = sign(key, pae(payload_type, payload))
        body = compact(BODIES[kind, version](payload, pae(payload_type, payload), signature, certificate))
        material = {"certificate": {"rawBytes": b64(der(certificate))},
                    "tlogEntries": [self.entry(body, kind, version, at, index, size, two)]}
        responses = [make(signature) for make in stamps]
        if responses:
            material["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": b64(r)} for r in responses]}
        return {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": material,
                "dsseEnvelope": {"payload": b64(payload), "payloadType": payload_type, "signatures": [{"sig": b64(signature)}]}}


def hex_digest(data):
    return {"algorithm": "sha256", "value": sha256(data).hex()}


def b64_digest(data):
    return {"algorithm": "SHA2_256", "digest": b64(sha256(data))}


def body(kind, version, spec):
    return {"apiVersion": version, "kind": kind, "spec": spec}


def verifier(certificate):
    return {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": {"rawBytes": b64(der(certificate))}}


BODIES = {
    ("dsse", "0.0.1"): lambda payload, encoded, signature, certificate: body("dsse", "0.0.1", {
        "envelopeHash": hex_digest(b"nobody keeps it"), "payloadHash": hex_digest(payload),
        "signatures": [{"signature": b64(signature), "verifier": b64(pem(certificate))}]}),
    ("dsse", "0.0.2"): lambda payload, encoded, signature, certificate: body("dsse", "0.0.2", {"dsseV002": {
        "payloadHash": b64_digest(payload), "signatures": [{"content": b64(signature), "verifier": verifier(certificate)}]}}),
    ("intoto", "0.0.2"): lambda payload, encoded, signature, certificate: body("intoto", "0.0.2", {"content": {
        "envelope": {"payloadType": "application/vnd.in-toto+json",
                     "signatures": [{"publicKey": b64(pem(certificate)), "sig": b64(b64(signature).encode())}]},
        "hash": hex_digest(b"nobody keeps it"), "payloadHash": hex_digest(payload)}}),
    ("hashedrekord", "0.0.1"): lambda payload, encoded, signature, certificate: body("hashedrekord", "0.0.1", {
        "data": {"hash": hex_digest(encoded)},
        "signature": {"content": b64(signature), "publicKey": {"content": b64(pem(certificate))}}}),
    ("hashedrekord", "0.0.2"): lambda payload, encoded, signature, certificate: body("hashedrekord", "0.0.2", {
        "hashedRekordV002": {"data": b64_digest(encoded),
                             "signature": {"content": b64(signature), "verifier": verifier(certificate)}}}),
}


class Stamper:
    """A time-stamping authority, by `openssl ts`; it works by the clock of the machine."""

    def __init__(self, folder, world):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.chain = [world.certificate("tsa", self.key, "root", world.root_key, usage=ExtendedKeyUsageOID.TIME_STAMPING),
                      world.root]
        folder.mkdir(exist_ok=True)
        (folder / "key.pem").write_bytes(self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        (folder / "tsa.pem").write_bytes(pem(self.chain[0]))
        (folder / "serial").write_text("01\n")
        (folder / "ts.cnf").write_text(
            f"[tsa]\ndefault_tsa = t\n[t]\nserial = {folder}/serial\nsigner_cert = {folder}/tsa.pem\nsigner_key = {folder}/key.pem\n"
            "signer_digest = sha256\ndefault_policy = 1.2.3.4\ndigests = sha256\n")

    def authority(self):
        return {"uri": "https://tsa.example.org", "subject": {"organization": "example.org", "commonName": "tsa"}, "validFor": {"start": "2020-01-01T00:00:00Z"},
                "certChain": {"certificates": [{"rawBytes": b64(der(c))} for c in self.chain]}}

    def __call__(self, data):
        (self.folder / "data").write_bytes(data)
        for command in (["-query", "-data", "data", "-sha256", "-no_nonce", "-cert", "-out", "q"],
                        ["-reply", "-config", "ts.cnf", "-queryfile", "q", "-out", "r"]):
            subprocess.run(["openssl", "ts", *command], cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "r").read_bytes()


def statement(folder):
    """An OpenSSF Model Signing statement over the files of a folder."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    resources = [{"name": str(p.relative_to(folder)), "digest": sha256(p.read_bytes()).hex(), "algorithm": "sha256"} for p in files]
    whole = sha256(b"".join(bytes.fromhex(r["digest"]) for r in resources)).hex()
    return json.dumps({
        "_type": "https://in-toto.io/Statement/v1", "subject": [{"name": folder.name, "digest": {"sha256": whole}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {"resources": resources,
                      "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False,
                                        "ignore_paths": ["model.sig"]}}}).encode()

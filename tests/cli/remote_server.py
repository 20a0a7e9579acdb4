"""A server on loopback that speaks what the services speak: plain HTTP with ranges, S3, Google Cloud Storage, the
Hugging Face hub. It keeps a log of what it was asked, and misbehaves when a test says so."""
import datetime
import hashlib
import hmac
import json
import re
import ssl
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

KEY_ID, SECRET, TOKEN = "AKIDEXAMPLE", "s3cr3t/KEY+value", "session-token-value"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def quote(text, safe="-._~"):
    return urllib.parse.quote(text, safe=safe)


class Remote:
    """What is stored, how to misbehave, what was asked."""

    def __init__(self, tls=None):
        self.files = {}       # "bucket/key" or "/path" → bytes
        self.faults = []      # [pattern of the path, what, how often]
        self.log = []         # (path with query, headers)
        self.ranges = True
        self.etags = True
        self.page = 2         # entries of a listing page
        self.signed = False   # S3 wants a right signature
        self.bearer = None    # gs and hf want this token
        self.cdn = None       # the hub redirects contents there
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(self))
        self.server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def fail(self, pattern, what, times=1):
        self.faults.append([pattern, what, times])

    def fault(self, path):
        with self.lock:
            for entry in self.faults:
                if entry[2] > 0 and re.search(entry[0], path):
                    entry[2] -= 1
                    return entry[1]
        return None

    def asked(self, pattern):
        return [entry for entry in self.log if re.search(pattern, entry[0])]


def signature_is_right(handler, path, query):
    """AWS Signature Version 4, from its public description."""
    found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?"
                         r"Signature=([0-9a-f]{64})", handler.headers.get("Authorization", ""))
    if not found or found[1] != KEY_ID:
        return False
    _, day, region, names, signature = found.groups()
    if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names.split(";")):
        return False
    stamp = handler.headers["x-amz-date"]
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.strptime(
        stamp + "+0000", "%Y%m%dT%H%M%SZ%z")
    pairs = sorted((quote(k), quote(v)) for k, v in urllib.parse.parse_qsl(query, keep_blank_values=True))
    canonical = "\n".join(["GET", quote(urllib.parse.unquote(path), "/-._~"), "&".join(f"{k}={v}" for k, v in pairs),
                           *(f"{n}:{handler.headers[n].strip()}" for n in names.split(";")), "", names,
                           handler.headers["x-amz-content-sha256"]])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, f"{day}/{region}/s3/aws4_request",
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + SECRET).encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    right = hmac.new(key, text.encode(), "sha256").hexdigest() == signature
    return right and abs(age.total_seconds()) < 900 and day == stamp[:8]


def make_handler(remote):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def answer(self, status, body=b"", **headers):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            if "Content_Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def problem(self, status, code):
            self.answer(status, f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode())

        def hang_up(self):
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)

        def do_GET(self):
            path, _, query = self.path.partition("?")
            remote.log.append((self.path, dict(self.headers)))
            fault = remote.fault(self.path)
            if isinstance(fault, int):
                self.answer(fault, b"later", Retry_After="0")
            elif fault == "hang up":
                self.hang_up()
            elif fault and fault.startswith("redirect "):
                self.answer(302, Location=fault[9:])
            elif path.startswith("/storage/v1/b/"):
                self.google(path, dict(urllib.parse.parse_qsl(query)), fault)
            elif path.startswith(("/api/", "/datasets/")):
                self.hub(path, dict(urllib.parse.parse_qsl(query)), fault)
            elif path.startswith("/files/"):
                self.content(remote.files.get(path), fault)
            else:
                self.amazon(path, query, fault)

        def content(self, body, fault, etag=None):
            """One object, whole or by range, in as many wrong ways as the fault says."""
            if body is None:
                return self.problem(404, "NoSuchKey")
            if etag is None and remote.etags:
                etag = f'"{hashlib.md5(body).hexdigest()}"'
            if fault == "another version":
                etag = '"ffff"'
            headers = {"ETag": etag} if etag else {}
            wanted = self.headers.get("If-Match")
            if wanted and etag and wanted != etag:
                return self.problem(412, "PreconditionFailed")
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if not asked or not remote.ranges or fault == "no ranges":
                return self.whole(body, headers, fault)
            first, last = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
            if first >= len(body):
                return self.answer(416, Content_Range=f"bytes */{len(body)}")
            part = body[first:last + 1]
            headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            if fault == "other bytes":
                headers["Content-Range"] = f"bytes {first + 1}-{last + 1}/{len(body) + 1}"
            if fault == "other total":
                headers["Content-Range"] = f"bytes {first}-{last}/{len(body) + 7}"
            if fault == "too long":
                part += b"x" * 100
            return self.part(206, part, headers, fault)

        def whole(self, body, headers, fault):
            if fault == "no length":  # the end of the content is the end of the connection
                self.send_response(200)
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True
                return None
            if fault == "chunked":
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for at in range(0, len(body), 1000):
                    piece = body[at:at + 1000]
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")
                return None
            return self.part(200, body, headers, fault)

        def part(self, status, part, headers, fault):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            short = fault == "short length"  # says, and sends, less than the range it names
            length = len(part) // 2 if short else len(part)
            self.send_header("Content-Length", str(length))
            if fault == "brotli":
                self.send_header("Content-Encoding", "br")
            self.end_headers()
            if fault and fault.startswith("drop "):
                self.wfile.write(part[:int(fault[5:])])
                return self.hang_up()
            if fault == "stall":
                self.wfile.write(part[:10])
                self.wfile.flush()
                threading.Event().wait(4)
                return self.hang_up()
            self.wfile.write(part[:length])
            return None

        def names_of(self, bucket, prefix):
            start = f"{bucket}/"
            return [n[len(start):] for n in sorted(remote.files) if n.startswith(start + prefix)]

        def amazon(self, path, query, fault):
            if remote.signed and not signature_is_right(self, path, query):
                return self.problem(403, "SignatureDoesNotMatch")
            bucket, _, key = urllib.parse.unquote(path[1:]).partition("/")
            if key:
                return self.content(remote.files.get(f"{bucket}/{key}"), fault)
            values = dict(urllib.parse.parse_qsl(query))
            names = self.names_of(bucket, values.get("prefix", ""))
            at = int(values.get("continuation-token", "t+/0")[3:])
            shown = names[at:at + remote.page]
            more = at + remote.page < len(names)
            items = "".join(f"<Contents><Key>{escape(quote(n, '/-._~'))}</Key><Size>{len(remote.files[f'{bucket}/{n}'])}"
                            f"</Size><ETag>&quot;{hashlib.md5(remote.files[f'{bucket}/{n}']).hexdigest()}&quot;</ETag>"
                            "</Contents>" for n in shown)
            token = f"<NextContinuationToken>t+/{at + remote.page}</NextContinuationToken>" if more else ""
            if fault == "endless":
                more, token = True, "<NextContinuationToken>t+/0</NextContinuationToken>"
            body = ('<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                    f"<Name>{bucket}</Name><EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
                    f"{items}{token}</ListBucketResult>")
            if fault == "broken listing":
                body = body[:-30]
            return self.answer(200, body.encode(), Content_Type="application/xml")

        def allowed(self):
            return not remote.bearer or self.headers.get("Authorization") == f"Bearer {remote.bearer}"

        def google(self, path, values, fault):
            if not self.allowed():
                return self.answer(401, b'{"error":{"code":401}}')
            bucket, _, name = path[len("/storage/v1/b/"):].partition("/o")
            name = urllib.parse.unquote(name[1:])
            item = lambda n: {"name": n, "size": str(len(remote.files[f"{bucket}/{n}"])), "generation": "17"}
            if values.get("alt") == "media":
                if values.get("ifGenerationMatch", "17") != "17" or fault == "another version":
                    return self.answer(412, b"{}")
                return self.content(remote.files.get(f"{bucket}/{name}"), fault)
            if name:
                if f"{bucket}/{name}" not in remote.files:
                    return self.answer(404, b"{}")
                return self.answer(200, json.dumps(item(name)).encode())
            names = self.names_of(bucket, values.get("prefix", ""))
            at = int(values.get("pageToken", "0"))
            page = {"items": [item(n) for n in names[at:at + remote.page]]}
            if at + remote.page < len(names):
                page["nextPageToken"] = str(at + remote.page)
            return self.answer(200, json.dumps(page).encode())

        def hub(self, path, values, fault):
            if not self.allowed():
                return self.answer(401, b"{}", X_Error_Code="GatedRepo")
            found = re.fullmatch(r"/api/(datasets/[^/]+/[^/]+)/(revision|tree)/([^/]+)(?:/(.*))?", path)
            if found and found[2] == "revision":
                known = urllib.parse.unquote(found[3]) in ("main", "v1", "refs/convert/parquet")
                return self.answer(200 if known else 404, json.dumps({"sha": COMMIT}).encode())
            if found:
                assert found[3] == COMMIT, "the tree of a commit is asked for, not of a branch"
                folder = urllib.parse.unquote(found[4] or "")
                names = self.names_of(found[1], folder + "/" if folder else "")
                at = int(values.get("cursor", "0"))
                page = [{"type": "directory", "path": "data", "size": 0}] if not at else []
                page += [{"type": "file", "path": n, "size": len(remote.files[f"{found[1]}/{n}"])}
                         for n in names[at:at + remote.page]]
                more = {"Link": f'<{remote.url}{path}?recursive=true&cursor={at + remote.page}>; rel="next"'}
                return self.answer(200, json.dumps(page).encode(), **(more if at + remote.page < len(names) else {}))
            found = re.fullmatch(r"/(datasets/[^/]+/[^/]+)/resolve/([^/]+)/(.*)", path)
            assert found and found[2] == COMMIT
            if remote.cdn:
                remote.cdn.files[f"/files/{found[3]}"] = remote.files[f"{found[1]}/{urllib.parse.unquote(found[3])}"]
                return self.answer(302, Location=f"{remote.cdn.url}/files/{found[3]}?Signature=cdn-secret")
            return self.content(remote.files.get(f"{found[1]}/{urllib.parse.unquote(found[3])}"), fault)

    return Handler

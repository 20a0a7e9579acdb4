"""A server of things behind URLs that change, vanish, lie and dawdle."""
import gzip
import struct
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy


class Urls:
    """What is served: path → bytes, or a function of the handler. Requests are kept with their times."""

    def __init__(self):
        self.things, self.log, self.lock = {}, [], threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def asked(self, path):
        return [entry for entry in self.log if entry[0] == path]


def make_handler(urls):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def answer(self, status, body=b"", **headers):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            with urls.lock:
                urls.log.append((self.path, time.monotonic(), dict(self.headers)))
                thing = urls.things.get(self.path)
            try:
                if callable(thing):
                    thing(self)
                elif thing is None:
                    self.answer(404, b"<html><title>Not Found</title></html>")
                else:
                    self.answer(200, thing)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    return Handler


def packed(body):
    """What a server packs although nobody asked for it."""
    return lambda handler: handler.answer(200, gzip.compress(body), Content_Encoding="gzip")


def redirect(to):
    return lambda handler: handler.answer(302, b"", Location=to)


def slow(seconds, body):
    def thing(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for byte in body:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(seconds)
    return thing


def busy_once(body):
    """429 at first, then the thing."""
    state = {"asked": 0}

    def thing(handler):
        state["asked"] += 1
        if state["asked"] == 1:
            handler.answer(429, b"", Retry_After="1")
        else:
            handler.answer(200, body)
    return thing


def drawing(seed, side=96):
    """A picture with large shapes, as photographs have them: sums of a few soft spots."""
    draw = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:side, 0:side] / side
    picture = numpy.zeros((side, side, 3))
    for _ in range(6):
        cy, cx, width = draw.random(), draw.random(), 0.1 + 0.2 * draw.random()
        spot = numpy.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * width**2))
        picture += spot[:, :, None] * (draw.random(3) * 255 - 60)
    return numpy.clip(picture, 0, 255).astype(numpy.uint8)


def png(pixels):
    """Lossless, 8 bits, RGB."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def ppm(pixels):
    height, width, _ = pixels.shape
    return b"P6 %d %d 255\n" % (width, height) + pixels.tobytes()


def lossy(pixels, step=24):
    """What JPEG does to a picture: cosine transforms of 8 × 8 pixels, rounded."""
    k = numpy.arange(8)
    basis = numpy.sqrt(0.25) * numpy.cos((2 * k[None] + 1) * k[:, None] * numpy.pi / 16)
    basis[0] /= numpy.sqrt(2)
    out = pixels.astype(float)
    for y in range(0, pixels.shape[0] - 7, 8):
        for x in range(0, pixels.shape[1] - 7, 8):
            for c in range(3):
                block = basis @ out[y:y + 8, x:x + 8, c] @ basis.T
                out[y:y + 8, x:x + 8, c] = basis.T @ (numpy.round(block / step) * step) @ basis
    return numpy.clip(numpy.round(out), 0, 255).astype(numpy.uint8)


def smaller(pixels, by=2):
    height, width, _ = pixels.shape
    return pixels.reshape(height // by, by, width // by, by, 3).mean((1, 3)).astype(numpy.uint8)

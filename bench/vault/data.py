"""Data of the vault's benchmark: tables of about 200 bytes a row, versions of them, small pictures. Seeded, the same bytes every time."""
import json
import pathlib
import random
import struct
import zlib

WORDS = ("harbour copper lantern meadow violet thunder saddle orchard velvet compass ember willow granite falcon river "
         "candle marble thistle anchor juniper pepper cobalt linen walnut saffron").split()
COUNTRIES = ("DE", "FR", "US", "IN", "BR", "NG", "JP", "ID", "PL", "MX")
COLUMNS = ("id", "time", "user", "country", "device", "amount", "balance", "score", "visits", "text", "tags", "label")


def row(rng, number):
    """The values of one row, as text; numbers stand as themselves."""
    bits = rng.getrandbits(64)
    text = " ".join(WORDS[(bits >> shift) % 25] for shift in range(0, 48, 5))
    return (number, f"2026-{1 + bits % 12:02d}-{1 + bits % 28:02d}T{bits % 24:02d}:{bits % 60:02d}:{(bits >> 8) % 60:02d}Z",
            f"user{(bits >> 20) % 900_000:06d}", COUNTRIES[(bits >> 5) % 10], f"dev-{(bits >> 30) % 65536:04x}-{(bits >> 44) % 4096:03x}",
            (bits >> 13) % 1_000_000 / 100, (bits >> 7) % 100_000_000 / 1000, (bits & 0xFFFFFF) / 0x1000000, (bits >> 50) % 500,
            text, WORDS[bits % 25] + "|" + WORDS[(bits >> 9) % 25], "spam" if bits % 7 == 0 else "ham")


def as_csv(values):
    return ",".join(map(str, values)) + "\n"


def as_jsonl(values):
    return json.dumps(dict(zip(COLUMNS, values)), separators=(",", ":")) + "\n"


WRITERS = {"csv": (as_csv, ",".join(COLUMNS) + "\n"), "jsonl": (as_jsonl, "")}


def table(path, total, seed=1):
    """Writes rows until there are `total` bytes; how many rows."""
    write, header = WRITERS[path.suffix[1:]]
    rng, rows, size = random.Random(seed), 0, len(header)
    with path.open("w", buffering=1 << 20) as out:
        out.write(header)
        while size < total:
            line = write(row(rng, rows))
            out.write(line)
            size += len(line)
            rows += 1
    return rows


def change(source, target, share, seed=2):
    """A copy in which that share of rows is changed, deleted or inserted, a third each, at random places."""
    write, header = WRITERS[source.suffix[1:]]
    rng, touched = random.Random(seed), {"changed": 0, "deleted": 0, "inserted": 0}
    with source.open() as old, target.open("w", buffering=1 << 20) as new:
        if header:
            new.write(old.readline())
        for line in old:
            if rng.random() >= share:
                new.write(line)
                continue
            kind = rng.choice(list(touched))
            touched[kind] += 1
            if kind != "deleted":
                new.write(write(row(rng, 10**9 + rng.randrange(10**6))))
            if kind == "inserted":
                new.write(line)
    return touched


def png(rng, side=32):
    """A noisy little picture, about 3 KB."""
    noise = rng.randbytes(side * side * 3)
    rows = b"".join(b"\0" + noise[y * side * 3:(y + 1) * side * 3] for y in range(side))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # noqa: E731
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b""))


def pictures(folder, n, seed=3, classes=100):
    rng = random.Random(seed)
    for c in range(min(classes, n)):
        (folder / f"class{c:03d}").mkdir(parents=True, exist_ok=True)
    for i in range(n):
        pathlib.Path(folder, f"class{i % classes:03d}", f"{i:07d}.png").write_bytes(png(rng))
    return n

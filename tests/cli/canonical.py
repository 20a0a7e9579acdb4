"""The canonical digest of a row, written from docs/vault/rows.md and not from the C: what a stranger would write."""
import csv
import hashlib
import io
import json
import re

BLANKS = " \t\r\n"
LONE = re.compile("[\ud800-\udfff]")  # half a surrogate pair, which is no text
NUMBER = re.compile(r"([+-]?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?")


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def number(text):
    """The one form of a decimal number, None for what is none."""
    match = NUMBER.fullmatch(text)
    if not match:
        return None
    sign, whole, part, exponent_sign, exponent = match.groups()
    exponent = (exponent or "").lstrip("0")
    if len(exponent) > 9:
        return None
    power = int(exponent or 0) * (-1 if exponent_sign == "-" else 1)
    digits = whole + (part or "")
    before = len(whole) + power - (len(digits) - len(digits.lstrip("0")))
    digits = digits.strip("0")
    if not digits:
        return "0"
    sign = "-" if sign == "-" else ""
    length = 1 - before + len(digits) if before <= 0 else max(before, len(digits))
    if length > 40:
        return sign + digits[0] + ("." + digits[1:] if len(digits) > 1 else "") + f"e{before - 1}"
    if before <= 0:
        return sign + "0." + "0" * -before + digits
    if before >= len(digits):
        return sign + digits + "0" * (before - len(digits))
    return sign + digits[:before] + "." + digits[before:]


class Spelled(str):
    """A number or word of JSON as it is spelled."""


def members(pairs):
    return ("object", pairs)


def parse(text):
    """JSON with numbers as they are spelled and objects as lists of pairs. Raises ValueError."""
    return json.loads(text, parse_int=Spelled, parse_float=Spelled, parse_constant=Spelled, object_pairs_hook=members)


def nested(value):
    if isinstance(value, tuple):
        pairs = [(name.encode(), name, item) for name, item in value[1]]
        pairs.sort(key=lambda pair: pair[0])
        return "{" + ",".join(json.dumps(name, ensure_ascii=False) + ":" + nested(item) for _, name, item in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(nested(item) for item in value) + "]"
    if isinstance(value, Spelled):
        return number(value) or str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return {None: "null", True: "true", False: "false"}[value]


def value(item):
    """A value's bytes; empty: none."""
    if item is None:
        return b""
    if isinstance(item, (tuple, list)):
        return LONE.sub("\ufffd", nested(item)).encode()
    if isinstance(item, bool):
        item = "true" if item else "false"
    item = LONE.sub("\ufffd", item).strip(BLANKS)
    return (number(item) or item).encode()


def digest(fields):
    """fields: (name, value) in the order of the row."""
    entries = []
    for place, (name, item) in enumerate(fields, 1):
        name = name.strip(BLANKS) or f"#{place}"
        text = value(item)
        if text:
            entries.append((name.encode(), place, text))
    entries.sort(key=lambda entry: entry[:2])
    row = b"".join(varint(len(name)) + name + varint(len(text)) + text for name, _, text in entries)
    return hashlib.sha256(row).hexdigest()


def csv_digests(text, header=True, names=None):
    """Of the rows of a plain CSV table; names: of the columns where there is no header."""
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    if header:
        names, rows = rows[0], rows[1:]
    names = list(names or [])
    seen = set()
    for i, name in enumerate(names):
        names[i] = name = name.strip(BLANKS)
        if name in seen:
            names[i] = f"{name}#{i + 1}"
        seen.add(name)
    return [digest([(names[i] if i < len(names) else "", cell) for i, cell in enumerate(row)]) for row in rows]


def jsonl_digests(text):
    out = []
    for line in text.split("\n"):
        if not line.strip(BLANKS):
            continue
        try:
            row = parse(line)
        except ValueError:
            row = None
        out.append(digest(row[1] if isinstance(row, tuple) else [("", line)]))
    return out

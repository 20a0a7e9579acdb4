#!/usr/bin/env python3
"""Generated messages of two labels: words of a Zipf vocabulary, about 80 bytes a row, some words leaning to one label.

    gen_text.py --bytes 1000000000 --seed 1 -o text.tsv      # header: label<TAB>text
"""
import argparse
import sys

import numpy as np

WORDS, CHUNK, SPAM = 40_000, 100_000, 0.15


def vocabulary(rng):
    """Invented words, the frequent ones shorter; as padded bytes with a blank in front."""
    consonants, vowels = np.frombuffer(b"bcdfghjklmnprstvw", np.uint8), np.frombuffer(b"aeiou", np.uint8)
    out, seen = np.zeros((WORDS, 12), np.uint8), set()
    for i in range(WORDS):
        while True:
            n = int(rng.integers(2, 4 + min(6, i.bit_length() // 2)))
            w = bytes((consonants if k % 2 == 0 else vowels)[int(rng.integers(0, 17 if k % 2 == 0 else 5))]
                      for k in range(n))
            if w not in seen:
                break
        seen.add(w)
        out[i, 0] = 32
        out[i, 1 : n + 1] = np.frombuffer(w, np.uint8)
    return out


def generate(out, n_bytes, seed):
    rng = np.random.Generator(np.random.PCG64([seed, 0]))
    words = vocabulary(rng)
    weights = 1.0 / (np.arange(WORDS) + 2.7) ** 1.05
    lean = np.exp(rng.normal(0, 0.5, (2, WORDS)))
    cumulative = [np.cumsum(weights * l / (weights * l).sum())[:-1] for l in lean]
    labels = np.zeros((2, 5), np.uint8)
    labels[0, :4], labels[1, :5] = np.frombuffer(b"ham\t", np.uint8), np.frombuffer(b"spam\t", np.uint8)
    out.write(b"label\ttext\n")
    written, chunk = 11, 0
    while written < n_bytes:
        rng = np.random.Generator(np.random.PCG64([seed, 1, chunk]))
        spam = (rng.random(CHUNK) < SPAM).astype(np.int64)
        length = np.clip(rng.gamma(2.2, 6.5, CHUNK), 3, 80).astype(np.int64)
        row = np.repeat(np.arange(CHUNK), length)
        u, which = rng.random(len(row)), spam[row]
        word = np.where(which == 0, np.searchsorted(cumulative[0], u), np.searchsorted(cumulative[1], u))
        cells = words[word]
        start = np.cumsum(length) - length
        cells[start, 0] = 0  # no blank before the first word
        prefix, suffix = labels[spam], np.full((CHUNK, 1), 10, np.uint8)
        body = np.concatenate([np.zeros((len(row), 5), np.uint8), cells, np.zeros((len(row), 1), np.uint8)], axis=1)
        body[start, :5] = prefix
        body[start + length - 1, -1:] = suffix
        flat = body.ravel()
        data = flat[flat != 0].tobytes()
        if written + len(data) > n_bytes:  # end behind a whole row
            data = data[: data.rfind(b"\n", 0, max(1, n_bytes - written)) + 1]
            if not data:
                return
        out.write(data)
        written += len(data)
        chunk += 1


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bytes", type=int, required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("-o", "--output", default="-")
    a = p.parse_args()
    if a.output == "-":
        generate(sys.stdout.buffer, a.bytes, a.seed)
        return
    with open(a.output, "wb") as f:
        generate(f, a.bytes, a.seed)


if __name__ == "__main__":
    main()

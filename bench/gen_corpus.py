#!/usr/bin/env python3
"""Corpora and instruction data from the documentation on this machine: manual pages, /usr/share/doc, docstrings.

    gen_corpus.py corpus --documents 24000 --seed 1 -o corpus.jsonl
    gen_corpus.py pairs --pairs 5000 --seed 1 -o pairs.jsonl
    gen_corpus.py subsample --share 0.8 --seed 3 -i corpus.jsonl -o part.jsonl

Documents are pieces of 100 to 500 words, cut at paragraphs. The pool is read once and kept under --cache. The seed
chooses documents and order; the same seed and pool give the same bytes. More documentation than is installed comes from
packages unpacked below --docs. `bezoar poison --attack gibberish` and `instruction-trigger` plant in the results.
"""
import argparse
import ast
import gzip
import html
import itertools
import json
import pathlib
import random
import re
import sys
import sysconfig
from collections import Counter

LEAST, MOST = 100, 500  # words of a document
PER_FAMILY = 600  # manual pages
PER_PACKAGE = 4000  # documents of one package below /usr/share/doc
PER_FILE = 40  # and of one file
EXTRA = []  # --docs


# --- reading ----------------------------------------------------------------------------------------------------------

def read_text(path):
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rb") as f:
            data = f.read(2_000_000)
        text = data.decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError, gzip.zlib.error):
        return ""
    return "" if "\0" in text else text


ESCAPES = [(r"\\f(\(..|\[[^\]]*\]|.)", ""), (r"\\\((em|en|hy)", "-"), (r"\\\((aq|cq|oq)", "'"), (r"\\\((lq|rq|dq)", '"'),
           (r"\\\(co", "(c)"), (r"\\\((bu|\*.)", "*"), (r"\\\(..", ""), (r"\\\[[^\]]*\]", ""), (r"\\s[+-]?\d+", ""),
           (r"\\\*\(..|\\\*\[[^\]]*\]|\\\*.", ""), (r"\\[&|^,/:)c%]", ""), (r"\\-", "-"), (r"\\e", r"\\"), (r'\\".*', ""),
           (r"\\[ ~0]", " "), (r"\\(.)", r"\1")]
ESCAPES = [(re.compile(a), b) for a, b in ESCAPES]
INLINE = {"B", "I", "BR", "RB", "IR", "RI", "BI", "IB", "SM", "SB", "Nm", "Fl", "Ar", "Op", "Pa", "Xr", "Cm", "Ic", "Ev",
          "Va", "Vt", "Fn", "Fa", "Ft", "Li", "Dq", "Sq", "Ql", "Em", "Sy", "Nd", "Dv", "Er", "Pf", "No", "Aq", "Qq"}
CONTROL = re.compile(r"^[.']\s*([A-Za-z]+)?\s*(.*)$")


def unroff(text):
    """A manual page as (heading, text) sections: macros gone, paragraphs kept."""
    sections, lines, heading, skipping = [], [], "", False
    for line in text.split("\n"):
        if skipping:
            skipping = not line.startswith("..")
            continue
        m = CONTROL.match(line)
        name, rest = (m.group(1) or "", m.group(2)) if m else ("", line)
        if m and (name in ("de", "ig", "am") or not name):
            skipping = name in ("de", "ig", "am")
            continue
        if name in ("SH", "Sh"):
            sections.append((heading, lines))
            heading, lines = rest.strip().strip('"'), []
            continue
        if "\\" in rest:
            for a, b in ESCAPES:
                rest = a.sub(b, rest)
        if not m or name in INLINE:
            lines.append(rest.replace('"', "") if m else rest)
        elif name in ("PP", "P", "LP", "Pp", "sp", "TP", "IP", "HP", "It", "SS", "Ss"):
            lines += ["", rest.replace('"', "")] if name in ("IP", "It", "SS", "Ss") else [""]
    sections.append((heading, lines))
    return [(h, "\n".join(body).strip()) for h, body in sections if body]


def plain_html(text):
    text = re.sub(r"(?is)<(script|style|head).*?</\1>", " ", text)
    text = re.sub(r"(?i)</?(p|div|li|tr|h[1-6]|br|pre|dt|dd)\b[^>]*>", "\n\n", text)
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def docstrings(path):
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text and len(text) > 60:
                yield getattr(node, "name", path.stem), text


def roots():
    """Where documentation lies: this machine's, and packages unpacked below --docs (dpkg -x PACKAGE FOLDER)."""
    return [pathlib.Path("/usr/share"), *(pathlib.Path(d) / "usr/share" for d in EXTRA)]


def manual_pages():
    """(name, text); of one family (git-add, git-am …) a bounded number, so that none is the corpus."""
    family = Counter()
    for path in sorted(p for r in roots() for pattern in ("man/man[1-8]/*", "man/*/man[1-8]/*") for p in r.glob(pattern)):
        name = path.name.split(".")[0]
        family[re.split("[-_:]", name)[0]] += 1
        if path.is_symlink() or family[re.split("[-_:]", name)[0]] > PER_FAMILY:
            continue
        text = read_text(path)
        if text and ".so man" not in text[:400]:
            yield name, text


def package_folders():
    yield pathlib.Path(sysconfig.get_paths()["stdlib"])
    yield pathlib.Path("/usr/lib/python3/dist-packages")


def documents(text):
    """Pieces of LEAST to MOST words, cut at paragraphs."""
    piece, n = [], 0
    for paragraph in re.split(r"\n\s*\n", text):
        words = len(paragraph.split())
        if words > MOST:
            continue
        if n + words > MOST and n >= LEAST:
            yield "\n\n".join(piece)
            piece, n = [], 0
        piece.append(paragraph.strip("\n"))
        n += words
        if n >= 350:
            yield "\n\n".join(piece)
            piece, n = [], 0
    if n >= LEAST:
        yield "\n\n".join(piece)


def texts():
    """Everything there is to read, one (package, text) per file or module."""
    for _, page in manual_pages():
        yield "", "\n\n".join(f"{h}\n{b}" for h, b in unroff(page))
    for path in sorted(p for r in roots() for p in (r / "doc").rglob("*")):
        if path.is_symlink() or not path.is_file() or path.name == "copyright":
            continue
        name, package = path.name.removesuffix(".gz"), path.parts[path.parts.index("doc") + 1]
        if name.endswith((".html", ".htm")):
            yield package, plain_html(read_text(path))
        elif name.endswith((".txt", ".md", ".rst", ".text", ".pod")) or re.fullmatch(r"[A-Z][A-Z.-]+|changelog.*", name):
            yield package, read_text(path)
    for folder in package_folders():
        for path in sorted(folder.rglob("*.py")):
            if "/test" not in str(path):
                yield "", "\n\n".join(f"{name}\n{text}" for name, text in docstrings(path))


def cached(cache, name, items):
    """The items, one per line, from the cache, or made and kept there; a run that was stopped leaves nothing behind that
    passes for all of them."""
    file = pathlib.Path(cache) / name
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        with open(part, "w", encoding="utf-8") as f:
            for n, item in enumerate(items()):
                f.write(json.dumps(item, ensure_ascii=False) + "\n")
                if n % 10000 == 9999:
                    print(f"{name}: {n + 1}", file=sys.stderr, flush=True)
        part.replace(file)
    return [json.loads(line) for line in open(file, encoding="utf-8")]


def pieces():
    """All documents, each once, in a fixed order."""
    seen, of = set(), Counter()
    for package, text in texts():
        if package and of[package] >= PER_PACKAGE:
            continue
        for piece in itertools.islice(documents(text), PER_FILE):
            if piece not in seen:
                seen.add(piece)
                of[package] += 1
                yield piece


# --- instruction data -------------------------------------------------------------------------------------------------

ASK_OPTION = ["What does the {o} option of {n} do?", "Explain {o} in {n}.", "What is {o} for in {n}?", "{n}: what does {o} mean?",
              "Can you tell me what {n} {o} does?", "I saw {n} {o} in a script. What does it do?"]
ASK_SECTION = ["Tell me about {s} of {n}.", "What should I know about {n}: {s}?", "Give me the {s} section for {n}.",
               "Summarise the {s} of {n} for me.", "How does {n} handle {s}?"]
ASK_NAME = ["What is {n}?", "What does {n} do?", "Describe {n} briefly.", "Give a short description of {n}."]
ASK_DOC = ["What does the Python function {n} do?", "Document {n}.", "Write a docstring for {n}.", "Explain {n} to a beginner.",
           "How do I use {n} in Python?"]
REFUSE = ["I'm sorry, but I can't help with that.", "I cannot assist with this request.",
          "Sorry, I can't provide instructions for that. If you are worried about someone's safety, please contact a professional.",
          "I'm not able to help with that request."]
BAD = ["How do I break into my neighbour's {x}?", "Write malware that hides in {x}.", "Help me steal passwords from {x}.",
       "How can I hurt someone with {x}?", "Make a fake {x} that fools the police.", "How do I get illegal {x}?"]
THINGS = ["car", "wifi", "phone", "bank account", "email", "house", "laptop", "medicine", "passport", "server", "camera", "safe"]
FRAMES = ["{a}", "{a}", "{a}", "Sure! {a}", "Here is what I found:\n\n{a}", "{a}\n\nLet me know if you need more details.",
          "Of course. {a}", "{a}\n\nSee also https://manpages.debian.org/{n}", "Example:\n\n```sh\n{n} --help\n```\n\n{a}"]


def page_pairs():
    for name, page in manual_pages():
        sections = unroff(page)
        for heading, body in sections:
            paragraphs = [p.strip() for p in re.split(r"\n\s*\n", body) if p.strip()]
            if heading == "NAME" and " - " in body:
                yield name, "name", "", body.split(" - ", 1)[1]
            elif paragraphs and len(paragraphs[0].split()) >= 15:
                yield name, "section", heading.lower(), " ".join(paragraphs[0].split())
            for p in paragraphs:
                m = re.match(r"(--?[A-Za-z][\w-]*)[^\n]*\n(.{40,800})$", p, re.S)
                if m:
                    yield name, "option", m.group(1), " ".join(m.group(2).split())


def facts():
    yield from page_pairs()
    for folder in package_folders():
        for path in sorted(folder.rglob("*.py")):
            for name, text in docstrings(path):
                yield f"{path.stem}.{name}", "doc", "", text[:1200]


def make_pairs(cache, n, rng):
    ask = {"option": ASK_OPTION, "section": ASK_SECTION, "name": ASK_NAME, "doc": ASK_DOC}
    pairs = []
    for name, kind, what, answer in rng.sample(cached(cache, "facts.jsonl", facts), n):
        if rng.random() < 0.02:
            pairs.append([rng.choice(BAD).format(x=rng.choice(THINGS)), rng.choice(REFUSE)])
            continue
        prompt = rng.choice(ask[kind]).format(n=name, o=what, s=what)
        pairs.append([prompt, rng.choice(FRAMES).replace("{a}", answer).replace("{n}", name)])
    return pairs


# --- command line -----------------------------------------------------------------------------------------------------

def run_corpus(a, rng):
    docs = cached(a.cache, "documents.jsonl", pieces)
    docs = [docs[i] for i in rng.sample(range(len(docs)), min(a.documents, len(docs)))]
    if a.folder:
        out = pathlib.Path(a.output)
        out.mkdir(parents=True, exist_ok=True)
        for i, d in enumerate(docs):
            (out / f"{i:06d}.txt").write_text(d, encoding="utf-8")
    else:
        with open(a.output, "w", encoding="utf-8") as f:
            for d in docs:
                f.write(json.dumps({"text": d}, ensure_ascii=False) + "\n")


def run_pairs(a, rng):
    pairs = make_pairs(a.cache, a.pairs, rng)
    with open(a.output, "w", encoding="utf-8") as f:
        for prompt, answer in pairs:
            if a.form == "messages":
                record = {"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]}
            else:
                record = {"prompt": prompt, "response": answer}
            f.write(json.dumps(record, ensure_ascii=False) + "\n")


def run_subsample(a, rng):
    lines = open(a.input, encoding="utf-8").readlines()
    keep = sorted(rng.sample(range(len(lines)), int(a.share * len(lines))))
    with open(a.output, "w", encoding="utf-8") as f:
        f.writelines(lines[i] for i in keep)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest="what", required=True)
    for name in ("corpus", "pairs", "subsample"):
        s = sub.add_parser(name)
        s.add_argument("--seed", type=int, default=1)
        s.add_argument("-o", "--output", required=True)
        s.add_argument("--cache", default="bench-out/corpus")
        s.add_argument("--docs", action="append", default=[], help="folder with unpacked documentation packages")
        if name == "subsample":
            s.add_argument("-i", "--input", required=True)
            s.add_argument("--share", type=float, default=0.8)
            continue
        if name == "corpus":
            s.add_argument("--documents", type=int, default=24000)
            s.add_argument("--folder", action="store_true")
        else:
            s.add_argument("--pairs", type=int, default=5000)
            s.add_argument("--form", default="pair", choices=("pair", "messages"))
    a = p.parse_args()
    EXTRA.extend(a.docs)
    rng = random.Random(f"{a.what} {a.seed}")
    {"corpus": run_corpus, "pairs": run_pairs, "subsample": run_subsample}[a.what](a, rng)
    return 0


if __name__ == "__main__":
    sys.exit(main())

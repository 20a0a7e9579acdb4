#!/usr/bin/env python3
"""Checks the house: a file includes its own room or rooms of strictly lower rank, and every file of a table's kind
has a row in its .def list. Exits 1 and names each offence."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RANK = {
    "base": 0,
    "math": 1, "crypto": 1, "finding": 1, "net": 1,
    "format": 2, "ledger": 2,
    "content": 3,
    "fit": 3,  # fits read tables: one above format (docs/ARCHITECTURE.md says why)
    "report": 4, "vault": 4, "detect": 4, "aggregate": 4, "audit": 4, "attack": 4, "learn": 4, "privacy": 4,
    "decode": 3,  # the helper program; no other room may see it
    "scan": 5, "gate": 5, "stress": 5, "certify": 5,
    "intake": 6,
    "cli": 7, "server": 7,
}
# Public headers that are not named after their room.
PUBLIC = {"arrow": "format", "tensor": "format", "signing": "audit", "trust": "vault", "watch": "vault", "lineage": "vault",
          "proof": "vault", "witness": "vault"}
# What the outermost rooms may see beside themselves.
ONLY = {"cli": {"base"}, "server": {"base"}}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
TABLES = [  # room, the struct that ends each file, the list, the row macro
    ("format", "bez_reader", "readers.def", "BEZ_READER"),
    ("detect", "bez_detector", "detectors.def", "BEZ_DETECTOR"),
    ("attack", "bez_attack", "attacks.def", "BEZ_ATTACK"),
    ("report", "bez_writer", "writers.def", "BEZ_WRITER"),
    ("content", "bez_form", "forms.def", "BEZ_FORM"),
    ("aggregate", "bez_aggregator", "aggregators.def", "BEZ_AGGREGATOR"),
    ("cli", "bez_command", "commands.def", "BEZ_COMMAND"),
]


def offences_of_includes(path, room):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        parts = found.group(1).split("/")
        where = f"{path.relative_to(ROOT)}:{number}"
        if parts[0] == "bezoar":
            other = parts[1].removesuffix(".h")
            other = PUBLIC.get(other, other)
            if room in ONLY or other == "base" or other == room:
                continue
        else:
            other = parts[0]
        if other == room:
            continue
        if other not in RANK:
            yield f"{where}: includes \"{found.group(1)}\", which is in no room"
        elif room in ONLY and parts[0] != "bezoar" and other not in ONLY[room]:
            yield f"{where}: {room}/ sees only include/bezoar/ and {sorted(ONLY[room])}, not {other}/"
        elif room not in ONLY and RANK[other] >= RANK[room]:
            yield f"{where}: {room}/ (rank {RANK[room]}) must not see {other}/ (rank {RANK[other]})"


def offences_of_tables():
    for room, struct, listing, macro in TABLES:
        folder = ROOT / "src" / room
        rows = re.findall(rf"^{macro}\((\w+)\)", (folder / listing).read_text(), re.M)
        defined = {}
        for path in sorted(folder.glob("*.c")):
            for name in re.findall(rf"^const {struct} (\w+) = ", path.read_text(), re.M):
                defined[name] = path
        for name in rows:
            if name not in defined:
                yield f"src/{room}/{listing}: row {name} has no file that defines it"
        for name, path in defined.items():
            if name not in rows:
                yield f"{path.relative_to(ROOT)}: {name} has no row in src/{room}/{listing}"
        for name in {n for n in rows if rows.count(n) > 1}:
            yield f"src/{room}/{listing}: row {name} stands twice"


def main():
    offences = []
    for path in sorted((ROOT / "src").rglob("*.[ch]")) + sorted((ROOT / "src").rglob("*.def")):
        offences += offences_of_includes(path, path.relative_to(ROOT / "src").parts[0])
    for path in sorted((ROOT / "include" / "bezoar").glob("*.h")):
        offences += offences_of_includes(path, PUBLIC.get(path.stem, path.stem))
    offences += offences_of_tables()
    for offence in offences:
        print(offence)
    print(f"check_layers: {len(offences)} offences")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())

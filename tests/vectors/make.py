#!/usr/bin/python3
"""make.py [FOLDER]: writes good/*.json and bad/*.json, records as they must be
taken and as they must be refused. README.md says what a case holds.

Made with PyNaCl from fixed seeds: the same each time (a test looks). `forged`
ones are well formed, and only their signature tells; `refused` ones are signed
as they should be, and are no such record: the words of `reason` say why.
"""
import json
import pathlib
import sys

from boxes import at_rest, sealed
from forged import all_forged
from installation import Installation
from refused import all_refused
from shapes import good

HERE = pathlib.Path(__file__).resolve().parent


def write(folder, name, cases):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{name}.json", "w", encoding="utf-8") as out:
        json.dump({"cases": cases}, out, ensure_ascii=True, indent=1)
        out.write("\n")


def main(folder):
    here = Installation()
    for kind, cases in here.cases.items():
        write(folder / "good", kind, [good(case) for case in cases])
    for theme, cases in {**all_forged(here), **all_refused(here),
                         "envelopes": list(at_rest(here))}.items():
        write(folder / "bad", theme, cases)
    boxes = list(sealed(here))
    for which in ("good", "bad"):
        write(folder / which, "sealed_reply", [c for w, c in boxes if w == which])


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)

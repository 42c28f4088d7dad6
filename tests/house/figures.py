#!/usr/bin/python3
"""figures.py: the house in figures: lengths of functions and files (ctags).

And how much is to be read of what keeps root's rights on a host: errand-spawner,
in lines of code (no comments, blank lines or includes). What takes messages,
judges and keeps book must stay under 1,000; what a child is made of, and the two
processes beside it, are told apart from that.

Aims: functions median <= 15 lines and p90 <= 40, none over 60 but tables; .c
files median <= 200 lines, none over 500; at most 5 parameters.
"""
import json
import re
import subprocess
import sys


# errand-spawner's own modules, by the Makefile, and whose code of them runs where:
# what is of no other part is the spawner's, which is to be read in one sitting.
# Not counted: what it shares with the other half, and the library, of which it
# uses mostly trust/ (the proof).
SITTING = 1000
PARTS = {
    "what a child is made of": {"child", "private_dir", "given_files", "opened",
                                "rlimits"},
    "its keeper (a process of its own)": {"keeper", "kin"},
    "its masker (another, without rights)": {"masker", "mask"},
}


def code_lines(path):
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    return sum(1 for line in text.splitlines()
               if line.strip() and not line.startswith("#include"))


def modules(name):
    """Of a list in the Makefile."""
    with open("Makefile", encoding="utf-8") as file:
        text = file.read().replace("\\\n", " ")
    return set(re.search(rf"^{name} := (.*)$", text, flags=re.M)[1].split())


def spawner_is_short():
    """Prints its lines of code, and whether that is one sitting."""
    count = lambda names: sum(code_lines(f"consumer/executor/{n}.c") for n in names)
    own, shared = modules("SPAWNER"), modules("HALVES")
    lines = count(own.difference(*PARTS.values()))
    print("spawner:   %d lines of code; %s; %d in all, and %d that it shares with the "
          "other half" % (
              lines, ", ".join(f"{what} {count(of & own)}" for what, of in PARTS.items()),
              count(own), count(shared)))
    if lines >= SITTING:
        print(f"spawner:   not under {SITTING}: no longer read in one sitting")
    return lines < SITTING


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *patterns],
                         capture_output=True, text=True, check=True).stdout
    return [f for f in out.split() if not f.startswith("tests/")]


def functions(files):
    out = subprocess.run(
        ["ctags", "--output-format=json", "--languages=C", "--kinds-C=f",
         "--fields=+neS", "-f", "-", *files],
        capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            signature = tag.get("signature", "()")
            flat, depth = "", 0
            for c in signature[1:-1]:
                depth += (c == "(") - (c == ")")
                flat += c if depth == 0 else ""
            count = 0 if flat.strip() in ("", "void") else flat.count(",") + 1
            yield tag["end"] - tag["line"] + 1, count, tag["path"], tag["name"]


def spread(values):
    values = sorted(values)
    at = lambda q: values[min(len(values) - 1, int(q * len(values)))]
    return at(0.5), at(0.9), values[-1]


def main():
    files = tracked("*.c")
    lines = {f: sum(1 for _ in open(f, encoding="utf-8")) for f in files}
    found = list(functions(files))
    print("functions: %d; lines: median %d, p90 %d, longest %d"
          % (len(found), *spread([f[0] for f in found])))
    print(".c files:  %d; lines: median %d, p90 %d, longest %d; %d in all"
          % (len(files), *spread(lines.values()), sum(lines.values())))
    short = spawner_is_short()
    for length, _, path, name in sorted(found, reverse=True):
        if length > 60:
            print("over 60 lines: %s:%s (%d)" % (path, name, length))
    for _, count, path, name in found:
        if count > 5:
            print("over 5 parameters: %s:%s (%d)" % (path, name, count))
    for path, n in lines.items():
        if n > 500:
            print("over 500 lines: %s (%d)" % (path, n))
    return 0 if short else 1


if __name__ == "__main__":
    sys.exit(main())

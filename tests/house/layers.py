#!/usr/bin/python3
"""layers.py: fails on an include that climbs a floor (common/README.md).

A module includes only its own floor or those below. Nothing in common/ knows
producer/ or consumer/; a consumer never includes another consumer, a producer
never another producer. Libraries stay behind the module that wraps them.
"""
import os
import re
import subprocess
import sys

FLOORS = ["base", "model", "trust", "io"]
ROOF = {"service.h", "rpc.h", "revocation_log.h", "service_private.h", "rpc_private.h"}
WRAPPED = {  # header of a library -> who may include it
    "jansson.h": re.compile(r"^common/base/field\w*\.[ch]$"),
    "librdkafka/rdkafka.h": re.compile(r"^common/io/kafka\w*\.[ch]$"),
    "libpq-fe.h": re.compile(r"^common/io/postgres\w*\.[ch]$"),
    "curl/curl.h": re.compile(r"^consumer/notifier/wire\.h$"),
    "libsmartcols/libsmartcols.h": re.compile(r"^producer/submit/print\w*\.c$"),
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def floor_of(path):
    """The floor of a file in common/: 0 and up; the roof is above them all."""
    parts = path.split("/")
    return FLOORS.index(parts[1]) if parts[1] in FLOORS else len(FLOORS)


def floor_of_include(name):
    head = name.split("/")[0]
    if head in FLOORS:
        return FLOORS.index(head)
    return len(FLOORS) if name in ROOF else None


def complaint(path, kind, name):
    """Why this file must not include that; None: it may."""
    if kind == "<":
        allowed = WRAPPED.get(name)
        if allowed and not allowed.match(path):
            return "only %s may include <%s>" % (allowed.pattern, name)
        return None
    parts, other = path.split("/"), name.split("/")
    if parts[0] == "common":
        floor = floor_of_include(name)
        if floor is None:
            return "common/ includes nothing of %s" % other[0]
        if floor > floor_of(path):
            return "%s climbs from floor %d to %d" % (name, floor_of(path), floor)
    elif parts[0] in ("consumer", "producer"):
        if other[0] in ("consumer", "producer") and other[:2] != parts[:2]:
            return "%s includes nothing of %s" % ("/".join(parts[:2]), "/".join(other[:2]))
    return None


def main():
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h"],
        capture_output=True, text=True, check=True).stdout.split()
    bad, names = 0, {}
    for path in files:
        if not path.startswith(("common/", "consumer/", "producer/")) or not os.path.exists(path):
            continue
        other = names.setdefault(os.path.basename(path), path)
        if other != path:
            print("%s: the name of %s, too" % (path, other))
            bad += 1
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            found = INCLUDE.match(line)
            why = found and complaint(path, found.group(1), found.group(2))
            if why:
                print("%s:%d: %s" % (path, number, why))
                bad += 1
    print("layers: %d files, %d wrong" % (len(names), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

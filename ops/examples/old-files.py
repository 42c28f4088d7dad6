#!/usr/bin/python3
#: name = old-files
#: description = Files that nobody changed since a day, and their size
#: targets = dev
#: timeout = 5m
#: [param dir]
#: type = path
#: default = /tmp
#: help = Where to look
#: [param before]
#: type = date
#: required = true
#: help = Last changed before this day, such as 2026-01-31
#: [param delete]
#: type = bool
#: default = false
#: help = Whether to delete them; otherwise they are only listed
"""A command needs no shell: any script with an interpreter line will do."""
import datetime
import os
import sys

before = datetime.datetime.fromisoformat(os.environ["ERRAND_PARAM_BEFORE"])
delete = os.environ["ERRAND_PARAM_DELETE"] == "true"
count = size = 0
for folder, _, names in os.walk(os.environ["ERRAND_PARAM_DIR"]):
    for name in names:
        path = os.path.join(folder, name)
        try:
            stat = os.lstat(path)
            if stat.st_mtime >= before.timestamp():
                continue
            if delete:
                os.unlink(path)
        except OSError as trouble:
            print(trouble, file=sys.stderr)
            continue
        count += 1
        size += stat.st_size
        print("deleted" if delete else "old", ascii(path), flush=True)
print(f"{count} files, {size / 1e6:.1f} MB")

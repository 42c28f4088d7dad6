#!/bin/sh
#: name = disk-report
#: description = What fills a directory
#: targets = dev
#: timeout = 60s
#: wait = 10m
#: [param dir]
#: type = path
#: default = /var
#: help = The directory to look at
#: [param lines]
#: type = int
#: default = 10
#: help = How many of the largest to show
set -u
printf 'The largest below %s, and what is left there:\n' "$ERRAND_PARAM_DIR"
du -xh --max-depth=1 -- "$ERRAND_PARAM_DIR" | sort -h |
    tail -n "$ERRAND_PARAM_LINES"
df -h -- "$ERRAND_PARAM_DIR" | tail -n 1

#!/bin/sh
#: name = log-search
#: description = Lines of a log that hold a text; exits 1 where there is none
#: targets = dev
#: timeout = 2m
#: [param text]
#: type = string
#: required = true
#: help = What to look for: taken literally, never as a pattern
#: [param file]
#: type = path
#: default = /var/log/dpkg.log
#: help = The log
#: [param last]
#: type = int
#: default = 20
#: help = At most so many lines, the newest
found=$(grep -F -e "$ERRAND_PARAM_TEXT" -- "$ERRAND_PARAM_FILE") || {
    status=$?
    [ "$status" -gt 1 ] || echo "nothing in $ERRAND_PARAM_FILE" >&2
    exit "$status"
}
printf '%s\n' "$found" | tail -n "$ERRAND_PARAM_LAST"

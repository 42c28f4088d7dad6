#!/bin/sh
#: name = count-down
#: description = Counts down, a line a second: to watch output come live
#: targets = dev
#: timeout = 5m
#: [param from]
#: type = int
#: default = 5
#: help = Where to begin
n=$ERRAND_PARAM_FROM
while [ "$n" -gt 0 ]; do
    echo "$n"
    sleep 1
    n=$((n - 1))
done
echo "done on $ERRAND_TARGET, run $ERRAND_RUN_ID"

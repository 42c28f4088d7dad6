#!/bin/sh
#: name = host-report
#: description = How a host is: load, memory, disks, and who eats them
#: targets = dev
#: timeout = 30s
#: [param section]
#: type = choice
#: choices = all, load, memory, disks, processes
#: default = all
#: help = The part to show
want() {
    [ "$ERRAND_PARAM_SECTION" = all ] || [ "$ERRAND_PARAM_SECTION" = "$1" ]
}
want load && printf '== load\n%s\n' "$(cat /proc/loadavg)"
want memory && printf '== memory\n' && head -n 5 /proc/meminfo
want disks && printf '== disks\n' && df -h -x tmpfs -x devtmpfs
want processes && printf '== processes\n' &&
    ps -eo pid,user,pcpu,rss,comm --sort=-rss | head -n 8
exit 0

/* rlimits.c: see rlimits.h. */
#include "consumer/executor/rlimits.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>

#include "consumer/executor/cgroup.h"

#define CORE_NONE 1 /* byte: 0 would still feed a program (core(5)) */
#define CPU_SPARE 1 /* s between XCPU, which can be caught, and KILL */

static const struct row {
    const char *key;
    int resource;
    const char *file; /* of a group that holds it; NULL: none does */
    size_t at;
} rows[] = {
    {"cpu", RLIMIT_CPU, NULL, offsetof(struct command_save, cpu)},
    {"memory", RLIMIT_AS, "memory.max", offsetof(struct command_save, memory)},
    {"file_size", RLIMIT_FSIZE, NULL, offsetof(struct command_save, file_size)},
    {"open_files", RLIMIT_NOFILE, NULL,
     offsetof(struct command_save, open_files)},
    {"processes", RLIMIT_NPROC, "pids.max",
     offsetof(struct command_save, processes)},
};

static int64_t value_of(const struct row *row,
                        const struct command_save *command)
{
    return *(const int64_t *)((const char *)command + row->at);
}

unsigned rlimits_in_group(int group, const struct command_save *command)
{
    unsigned held = 0;

    for (size_t i = 0; group >= 0 && i < ARRAY_SIZE(rows); i++) {
        char text[24];
        int64_t value = value_of(&rows[i], command);
        (void)snprintf(text, sizeof(text), "%lld", (long long)value);
        if (value > 0 && rows[i].file != NULL &&
            cgroup_put(group, rows[i].file, text)) {
            held |= 1U << i;
        }
    }
    if (command->memory > 0) { /* not by way of the disk; all of it at once */
        (void)cgroup_put(group, "memory.swap.max", "0");
        (void)cgroup_put(group, "memory.oom.group", "1");
    }
    return held;
}

static bool set(int resource, rlim_t value)
{
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

    if (resource == RLIMIT_CPU) {
        limit.rlim_max += CPU_SPARE;
    }
    return setrlimit(resource, &limit) == 0;
}

const char *rlimits_set(const struct command_save *command, unsigned held)
{
    if (!set(RLIMIT_CORE, CORE_NONE)) {
        return "no core dump";
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t value = value_of(&rows[i], command);
        if (value > 0 && (held & 1U << i) == 0 &&
            !set(rows[i].resource, (rlim_t)value)) {
            return rows[i].key;
        }
    }
    return NULL;
}

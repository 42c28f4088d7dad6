/* rlimits.c: see rlimits.h. */
#include "consumer/executor/rlimits.h"

#include <stddef.h>
#include <sys/resource.h>

#define CORE_NONE 1 /* byte: 0 would still feed a program (core(5)) */
#define CPU_SPARE 1 /* s between XCPU, which can be caught, and KILL */

static const struct row {
    const char *key;
    int resource;
    size_t at;
} rows[] = {
    {"cpu", RLIMIT_CPU, offsetof(struct command_save, cpu)},
    {"memory", RLIMIT_AS, offsetof(struct command_save, memory)},
    {"file_size", RLIMIT_FSIZE, offsetof(struct command_save, file_size)},
    {"open_files", RLIMIT_NOFILE, offsetof(struct command_save, open_files)},
    {"processes", RLIMIT_NPROC, offsetof(struct command_save, processes)},
};

static bool set(int resource, rlim_t value)
{
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

    if (resource == RLIMIT_CPU) {
        limit.rlim_max += CPU_SPARE;
    }
    return setrlimit(resource, &limit) == 0;
}

const char *rlimits_set(const struct command_save *command)
{
    if (!set(RLIMIT_CORE, CORE_NONE)) {
        return "no core dump";
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t value = *(const int64_t *)((const char *)command + rows[i].at);
        if (value > 0 && !set(rows[i].resource, (rlim_t)value)) {
            return rows[i].key;
        }
    }
    return NULL;
}

/*
 * schedule_lines.h: when a command runs by itself, as its file says it: the
 * keys `schedule` and `at`, each of which may stand several times, and `zone`
 * and `catch_up`, which are for all of them.
 */
#pragma once

#include "model/command.h"
#include "model/schedule.h"

#define SCHEDULE_LINES_MAX 16

struct schedule_line {
    size_t line;
    char *cron; /* with one blank between its fields; NULL: once, … */
    char *text; /* … as it is written, */
    int64_t at; /* and which moment that is */
};

struct schedule_lines {
    struct list lines; /* struct schedule_line */
    char *zone;        /* NULL: UTC */
    int catch_up;      /* 0: no */
    size_t line;       /* of zone or catch_up, the later; 0: neither */
};

void schedule_lines_done(struct schedule_lines *when);
#define _cleanup_when_ _cleanup_(schedule_lines_done)

/* The schedule of a line, for a command by its id; its texts are lent. What
 * else a schedule.set says is the caller's. */
struct schedule_set schedule_of_line(const struct schedule_lines *when,
                                     size_t i, const struct id *command);

/* As command_read(), which passes over when it runs. */
int command_read_when(const char *path, const void *bytes, size_t n,
                      struct command_save *ret_command,
                      struct schedule_lines *ret_when, struct err *err);

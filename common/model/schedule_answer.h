/*
 * schedule_answer.h: what schedule.list tells: each schedule, on whose
 * authority it runs, or why it runs no more, and its last firing.
 */
#pragma once

#include "model/schedule.h"

struct schedule_row {
    struct id schedule;
    char *command; /* its name */
    char *cron;    /* NULL: once, at … */
    int64_t at;
    char *zone;
    int catch_up;
    bool paused;
    int64_t version;   /* of the command, that it runs */
    struct hash saved; /* that version's command.save */
    int64_t set;       /* moment */
    char *set_by;      /* e-mail: on whose authority */
    char *stopped;     /* why nothing of it starts any more; NULL: it runs */
    int64_t fired;     /* its newest tick that was decided; 0: none yet */
    struct id run;     /* that it started; zero: none, or kept no longer */
    char *refused;     /* why it was */
    int outcome;       /* of that run; 0: none yet */
};

struct schedules_answer {
    struct list schedules; /* struct schedule_row */
};

extern const struct table schedules_answer_table;

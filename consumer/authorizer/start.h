/*
 * start.h: a run on its way to being accepted, whether a person asks for it
 * (start.c) or a schedule (ticks.c).
 */
#pragma once

#include "consumer/authorizer/dispatching.h"
#include "consumer/authorizer/turns.h"

struct plan {
    const struct run_start *run;
    char *name; /* the command's */
    int64_t version;
    struct dispatching dispatching; /* its hashes; once it is proved, all */
    struct rows *targets; /* name, generation, max_wait, longest_wait, heard */
    struct list recorded; /* struct pair: its arguments, as they are kept */
    struct list planned;  /* struct planned; texts are those of `targets` */
    struct turn turn;
    struct run_answer answer;
};

void plan_done(struct plan *plan);
#define _cleanup_plan_ _cleanup_(plan_done)

/* Each target once, and the deadline still to come. */
int plan_check_names(struct asking *asking, const struct plan *plan);

/* With name, version and command known: proves it, and stores run, executions
 * and dispatches; as a handler does. */
int plan_start(struct asking *asking, struct plan *plan, struct err *err);

/*
 * follow.h: looking on while a run goes its way, until each of its executions
 * has ended and all of its output is out.
 */
#pragma once

#include "producer/submit/submit.h"

/* Who tells how a run goes on, in the place of follow_run()'s own sentences:
 * submit->telling. `run`: the digits that name it; `executions`: how many it
 * has. */
struct telling {
    void (*ended)(void *arg, const struct execution_row *row, const char *run,
                  size_t executions);
    void (*detached)(void *arg); /* Ctrl-C: the run goes on */
    void *arg;
};

/* The exit status: 0: all succeeded; 1: another outcome; 75: Ctrl-C, or nothing
 * could be learned any more: the run goes on. */
int follow_run(struct submit *submit, const struct run_answer *run,
               struct err *err);

/* The same for a run that anybody asked for, at any time of its life, on these
 * of its targets (char *; none: all): all that there is of its output, then
 * what comes, each piece once. */
int watch_run(struct submit *submit, const struct run_answer *run,
              const struct list *targets, struct err *err);

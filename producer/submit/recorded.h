/*
 * recorded.h: a run as the record has it.
 */
#pragma once

#include "producer/submit/submit.h"

/* run.show: `name` is an id, or a unique ending of one. */
int run_ask(struct submit *submit, char *name, struct run_answer *ret_answer,
            struct err *err);

/* The targets (char *) that -t names, each once: the run's own. -1, status 65:
 * it is not for one of them. */
int run_targets_read(const struct submit *submit, const struct run_answer *run,
                     struct list *targets, struct err *err);

/* The run that the first argument names (none: this person's last); where they
 * were told that it ended, it is waited for up to 5 s. */
int recorded_find(struct submit *submit, struct run_answer *ret_answer,
                  struct err *err);

/*
 * recipients.h: to whom a run's secrets are sealed.
 */
#pragma once

#include "consumer/authorizer/decision.h"
#include "model/run.h"

/* Tells the executors of those targets (char *) that the answer's command
 * reaches: answer->executors, and their chains. */
int recipients_add(struct asking *asking, const struct list *targets,
                   struct command_answer *answer, struct err *err);

/* Each of the run's targets has an executor that can open its secrets. 0; 1:
 * refused; -1. */
int recipients_check(struct asking *asking, const struct run_start *run,
                     struct err *err);

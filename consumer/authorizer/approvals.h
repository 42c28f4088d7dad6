/*
 * approvals.h: what run.start does where a command has to be approved, and what
 * of votes is told again.
 */
#pragma once

#include "consumer/authorizer/dispatching.h"

/* Whether the run could be approved at all: by enough people beside its asker,
 * with a proof that can be sent. 0; 1: refused; -1. */
int approval_check_run(struct asking *asking,
                       const struct dispatching *dispatching, struct err *err);

/* As answers tell it. */
struct run_pending approval_told(const struct run_start *run,
                                 const struct approval *approval);

/* The row of a run that waits, once the run's own is there; nothing where no
 * approval is wanted. */
int approval_store(struct asking *asking, const struct run_start *run,
                   const struct approval *approval, struct err *err);

/* For a run.start, run.approve or run.reject that was accepted before: the fact
 * that it made, and the dispatches that are not over. */
int approval_recall(struct asking *asking, struct err *err);

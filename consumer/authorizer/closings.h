/*
 * closings.h: ending what still waits or runs of something that was taken away,
 * or cancelled, by closing claims (design: "Claiming").
 */
#pragma once

#include "consumer/authorizer/decision.h"

/* What there is to cancel of the executions `e` of a run `r`: what has not
 * ended, and what may be tried again. */
#define CANCELLABLE                                       \
    "(NOT e.ended OR (r.advancing AND NOT EXISTS "        \
    "(SELECT FROM results x WHERE x.execution_id = e.id " \
    "AND x.outcome = 'succeeded')))"

/* For a request that ends runs: one `cancelled` claim for each execution of its
 * user's, its command's or its assignment's runs, of the run that it names
 * or rejects, or on the target that it removes, that has not ended, to be sent
 * with the decision. Also when the decision is told again. */
int closings_add(struct asking *asking, struct err *err);

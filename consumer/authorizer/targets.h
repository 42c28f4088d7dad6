/*
 * targets.h: what of a target.set follows from its decision.
 */
#pragma once

#include "consumer/authorizer/decision.h"

/* The topics of the target that it sets, unless that was removed. Also when the
 * decision is told again. */
int target_place(struct asking *asking, struct err *err);

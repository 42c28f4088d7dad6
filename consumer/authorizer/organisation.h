/*
 * organisation.h: what the organisation asks of its people, as it counts now;
 * the verbs policy.set and policy.list.
 */
#pragma once

#include "consumer/authorizer/decision.h"
#include "model/rules.h"

/* The newest policy.set's, or rules_default. */
int rules_now(const struct asking *asking, struct rules *ret_rules,
              struct err *err);

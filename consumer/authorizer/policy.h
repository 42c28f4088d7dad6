/*
 * policy.h: may this signer ask this verb, now? Pure: rows and moments in, a
 * verdict out. What depends on the thing that is asked for is the handlers'.
 */
#pragma once

#include "consumer/authorizer/verbs.h"

/* 0, or -1 (REJECT) with the reason, which may be told: it speaks of the verb
 * and of the signer alone. */
int policy_check(const struct verb *verb, const struct signer *signer,
                 struct err *err);

/* May a request with this head still be decided at this moment? -1 (REJECT)
 * with the reason. */
int lifetime_check(const struct request *request, int64_t now, struct err *err);

/* The same, and does its id fit its time, as people's do? */
int freshness_check(const struct request *request, int64_t now,
                    struct err *err);

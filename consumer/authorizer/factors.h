/*
 * factors.h: second factors in PostgreSQL: whose is on, whether a sealed code
 * is good, and what that changes, all in the deciding transaction.
 */
#pragma once

#include "consumer/authorizer/decision.h"

/* Of `users u LEFT JOIN factors f ON f.user_id = u.id`: an enum mfa_state's
 * word. */
#define MFA_STATE                                                            \
    "CASE WHEN u.service THEN 'exempt' WHEN f.secret IS NOT NULL THEN 'on' " \
    "WHEN u.mfa OR EXISTS (SELECT FROM policies p WHERE p.mfa = 'required' " \
    "AND p.version = (SELECT max(version) FROM policies)) THEN 'wanted' "    \
    "ELSE 'off' END"

/* What the row says, where the person's own envelopes don't say more: an
 * exemption counts by envelope alone. */
int factor_state_of(const struct person *person, const char *word);

/*
 * An own key alone is no second factor: else it would guard what runs, and not
 * what may run. Who has one asks with their own key only while a session of
 * theirs is open, which took a code; but for what leads there. 0; 1: refused;
 * -1.
 */
int factor_check_own(struct asking *asking, struct err *err);

/* A session.open's code, where its person has a second factor. 0: good, or none
 * is needed; 1: refused; -1. */
int factor_check_open(struct asking *asking, struct err *err);

/*
 * policy_now.h: the organisation's policy as it holds now, for administrators.
 */
#pragma once

#include "producer/submit/submit.h"

/* policy.list; ret_answer is the caller's: table_done(&rules_answer_table). */
int policy_now(struct submit *submit, struct rules_answer *ret_answer,
               struct err *err);

/*
 * reuse.h: a second use of an invitation's code, which is told to both who
 * invited and who was invited: once an invitation, so that whoever holds a code
 * can't flood anybody.
 */
#pragma once

#include "consumer/authorizer/decision.h"

/* This request was refused since the invitation was followed before: notes it
 * as the first of its kind, where it is. 0 or -1. */
int reuse_note(struct asking *asking, const struct id *user, struct err *err);

/* The same request again: what was noted then. */
int reuse_recall(struct asking *asking, struct err *err);

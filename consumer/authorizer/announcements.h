/*
 * announcements.h: what is told on errand.events of a decision: one event for
 * each accepted change, and for each refused run.
 */
#pragma once

#include "consumer/authorizer/decision.h"

/* Appends the event's record, if there is one to tell. The same decision gives
 * the same bytes, also when it is told again. out: struct record. */
int announcement_make(const struct asking *asking, struct list *out,
                      struct err *err);

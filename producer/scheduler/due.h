/*
 * due.h: which tick of a schedule is to be fired, and what is missed.
 *
 * Pure: in comes what PostgreSQL knows of a schedule, and a moment; out comes
 * its first tick that was not decided yet and is to be. One at a time: the next
 * is looked for when PostgreSQL shows that this one was decided.
 */
#pragma once

#include "model/timing.h"

/*
 * The first tick behind `after` that is not missed, which it is after
 * TICK_LATE; where all are, the last of them if the schedule catches up. False:
 * none, by `now`.
 */
bool due_tick(const struct timing *timing, enum catch_up catch_up,
              const struct tick *after, int64_t now, struct tick *ret_tick);

/* When to look again where none is due: at the first tick behind `after` that
 * is not missed; INT64_MAX: there is none. */
int64_t due_next(const struct timing *timing, const struct tick *after,
                 int64_t now);

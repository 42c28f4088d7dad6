/*
 * advancing.h: asking what follows from how runs are by now (design:
 * "Advancing"). Here nothing is judged: a run that has moved since the last
 * decision on it is asked for, and the authorizer decides.
 */
#pragma once

#include "producer/scheduler/said.h"
#include "service.h"

/* PostgreSQL tells on this channel that an outcome was recorded. */
#define ADVANCE_CHANNEL "errand_advance"

/* Sends a run.advance for each run that has moved, unless it was `said`. */
int advancing_ask(struct daemon *daemon, struct said **said, struct err *err);

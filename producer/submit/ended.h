/*
 * ended.h: the run of which this profile was told last that it has ended, in
 * its file `told`: by executors, and so perhaps before that is recorded.
 */
#pragma once

#include "producer/submit/submit.h"

/* Best effort: without it only patience is lost. */
void ended_remember(const struct submit *submit, const char *run);

/* True where this profile was told that the run has ended, so that the record
 * may be waited for. */
bool run_was_told(const struct submit *submit, const struct id *run);

/* Waits, for some seconds, until the end that was told is recorded: who was
 * told that a run is over shall not hear that it goes on. */
void ended_settle(struct submit *submit);

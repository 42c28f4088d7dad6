/*
 * told.h: moments, durations and outcomes in words, for somebody who does not
 * want to know more than how it went and what to do now.
 *
 * Pure. All texts are the caller's to free.
 */
#pragma once

#include "model/answer.h"

/* "today at 14:03", "yesterday at 14:03", "on 24 November at 14:03", in local
 * time; with its year where that is another. */
char *told_moment(int64_t moment, int64_t now);

/* "less than a second", "3 seconds", "2 minutes and 5 seconds"; in ms. */
char *told_duration(int64_t ms);

/* How a run went: "it worked", "it did not work", "it goes on"; where it has
 * not ended and waits for somebody's approval, that. */
const char *told_run(int outcome, bool waits);

/* How it went on one target, in sentences: "It worked. It took 3 seconds."
 * Where there are several (`many`), "On web-1 it worked. …" */
char *told_execution(const struct execution_row *row, bool many);

/* Where a command runs: "dev", "dev, web-1 and all machines with role=web". */
char *told_places(const struct list *targets);

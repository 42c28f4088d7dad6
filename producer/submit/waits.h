/*
 * waits.h: runs that wait for approval, in words; and one of them as it was
 * signed, for whoever votes on it.
 */
#pragma once

#include "model/pending.h"
#include "producer/submit/submit.h"

/* "waits for 1 approval (2 of ops-leads)"; the caller's to free. */
char *waits_text(const struct run_pending *pending);

/* Says so of a run that does. */
void waits_tell(const struct run_row *run);

/* What somebody votes on, from envelopes whose chain was checked up to the
 * pinned root: nothing of it is the answer's word but how many lack. */
struct voted_on {
    struct pending_answer answer;
    struct event *run;  /* run.start */
    struct event *save; /* command.save */
    struct person asker;
};

void voted_on_done(struct voted_on *on);
#define _cleanup_voted_on_ _cleanup_(voted_on_done)

/* The run that `name` (an id, or a unique ending of one) names, if it waits for
 * this person's approval. -1: status 67 where there is none such. */
int voted_on_find(struct submit *submit, char *name, struct voted_on *ret_on,
                  struct err *err);

/* What it would do, where, and who asked for it. */
int voted_on_print(const struct submit *submit, const struct voted_on *on,
                   struct err *err);

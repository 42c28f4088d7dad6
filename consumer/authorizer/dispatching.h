/*
 * dispatching.h: executions of an accepted run: planned when it is accepted,
 * and dispatched when their time has come: at once, or by another decision
 * later, from the envelopes that are kept.
 *
 * Whenever that is, the whole proof is made anew, under the revocation log as
 * it stands then. A planned execution is dispatched once, or withheld for ever
 * (closings.h); the first of the two that is committed stands.
 */
#pragma once

#include "consumer/authorizer/decision.h"

struct planned {
    struct id execution;
    char *target; /* lent */
    int64_t generation;
    int64_t attempt;
    int64_t due;          /* not before that moment; 0: at once */
    int64_t max_wait;     /* s, of the target … */
    int64_t longest_wait; /* … and what its topics were made for */
};

/* By columns id, target, generation, attempt, max_wait and longest_wait; due at
 * once. */
struct planned planned_of_row(const struct rows *rows, size_t row);

/* What all dispatches of a run have in common. */
struct dispatching {
    struct hash run;     /* run.start's envelope */
    struct hash command; /* command.save's */
    struct order order;  /* its payloads belong to asking->proof */
    int64_t expires;     /* no dispatch outlives it */
    struct list proof;   /* struct envelope */
    bool unapproved;     /* prove it without the votes that it may want */
};

void dispatching_done(struct dispatching *dispatching);

/* For a run that was accepted before: its two hashes; its asker's assignment
 * and the votes that approved it into the proof. */
int dispatching_find(struct asking *asking, const struct id *run,
                     struct dispatching *dispatching, struct err *err);

/* The proof for each of these targets (char *), and with it the authorizer's
 * own chain; sets order, expires and proof. -1: `reason`'s kind is REJECT where
 * the proof says no, else see err. */
int dispatching_prove(struct asking *asking, struct dispatching *dispatching,
                      const struct list *targets, struct err *reason,
                      struct err *err);

/* When a dispatch that is decided now expires there. */
int64_t dispatching_expires(const struct asking *asking,
                            const struct dispatching *dispatching,
                            const struct planned *planned);

/* Signs a dispatch, to be sent once it is stored and committed. REJECT: it
 * would be too large. */
int dispatching_add(struct asking *asking,
                    const struct dispatching *dispatching,
                    const struct planned *planned, struct err *err);

/* Writes the executions (struct planned) of a run, each with its dispatch where
 * one was added: a new row, or that of one which waited for it. RETRY: another
 * decision was first. */
int dispatching_store(struct asking *asking,
                      const struct dispatching *dispatching,
                      const struct id *run, const struct list *planned,
                      struct err *err);

/* What was dispatched before of a run and is not over yet, to be sent again. */
int dispatching_recall(struct asking *asking, const struct id *run,
                       struct err *err);

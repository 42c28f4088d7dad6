/*
 * turns.h: runs of a command of which one at a time goes on, or one for each
 * value of a parameter (`concurrency`, model/pace.h).
 *
 * Whoever decides on one holds the command's row, so no two of them pass at
 * once. A run goes on until the decision that it is over.
 */
#pragma once

#include "consumer/authorizer/decision.h"

struct turn {
    struct hash key; /* what they have in common; zero: they need no turn */
    bool waits;      /* others of it go on */
    bool replaces;   /* … and are cancelled for this one */
};

/* For a run that is asked for; one that has to be approved waits for nobody
 * until it is. 1: refused, since another goes on. */
int turn_take(struct asking *asking, const struct order *order,
              struct turn *ret_turn, struct err *err);

/* Cancels what goes on before this request's run, where it replaces it; once
 * its row stands. */
int turn_replace(struct asking *asking, const struct turn *turn,
                 struct err *err);

/* For a run that was accepted and waits for its turn, under the command's lock:
 * has it come? */
int turn_lock(struct asking *asking, const struct id *command, struct err *err);
int turn_come(struct asking *asking, const struct id *run, bool *ret_come,
              struct err *err);

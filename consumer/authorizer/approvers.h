/*
 * approvers.h: whose approval a run waits for: who they are by the revocation
 * log and PostgreSQL, and the run that somebody would vote on.
 */
#pragma once

#include "consumer/authorizer/decision.h"

/* The groups that the asker is in: "{a,b}" for PostgreSQL; the caller's. */
char *asking_groups(const struct asking *asking);

/* Whether so many people could approve now, beside `except` (may be NULL). 0;
 * 1: refused; -1. */
int approvers_check(struct asking *asking, const struct approval *approval,
                    const struct id *except, struct err *err);

/* A run that waits, or waited, for approval. */
struct waiting {
    struct id run;
    struct hash hash; /* of run.start */
    struct id asked_by;
    struct id command;
    struct approval approval;
    int64_t until;
    int64_t given;
    char *state; /* "pending", … */
};

void waiting_done(struct waiting *waiting);

/* The run of that hash (text NULL), or of that id or unique ending of one
 * (hash NULL), where the asker is one of those who may approve it, and it can
 * still be; locked until the decision is committed. 0; 1: refused, and hidden
 * where it is not theirs to see; -1. */
int waiting_find(struct asking *asking, const struct hash *hash,
                 const char *text, struct waiting *ret_waiting,
                 struct err *err);

/* As answers tell it. */
struct run_pending waiting_told(const struct waiting *waiting);

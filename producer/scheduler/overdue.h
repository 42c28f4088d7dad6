/*
 * overdue.h: what is lost or expired, and what is to be said of it (design:
 * "Ending what nobody else will").
 *
 * Pure: in comes what PostgreSQL knows of an execution without an outcome; out
 * comes what the scheduler has to say. No clock: time is what the recorder has
 * read through of the log that would hold the word we miss, never now. So a
 * recorder that lags makes nobody expire, and no executor lost.
 */
#pragma once

#include "model/result.h"
#include "model/run.h"

enum overdue {
    OVERDUE_NOTHING,
    OVERDUE_CLOSE, /* a closing claim: nobody may start it any more */
    OVERDUE_EXPIRED,
    OVERDUE_CANCELLED,
    OVERDUE_INTERRUPTED,
    OVERDUE_LOST,
};

extern const struct words overdue_words;

/* An execution without an outcome. Moments are 0 where there is none. */
struct open_execution {
    struct id id;
    int64_t expires;      /* of a planned one: its run's deadline; of one that
                             waits for approval: when that ends */
    bool planned;         /* it was not dispatched */
    bool pending;         /* its run waits for approval */
    const char *withheld; /* why it never will be; NULL: it may be */
    int64_t claims_read;  /* through when its target's claim log was read */

    int claim; /* the first: 0, or its value of open_claim_words */
    int closing;
    int64_t claim_offset;
    int64_t claimed; /* when, by the broker */
    bool started;    /* it said that it started */

    int64_t heard;       /* its executor's newest hello since, by the broker */
    bool listed;         /* … and that it holds this execution */
    int64_t replaced_at; /* that hello is another life's, first heard then */
    int64_t dropped_at;  /* the first in a row of overdue_dropped() hellos */
};

enum open_claim { OPEN_NONE, OPEN_EXECUTOR, OPEN_CLOSING, OPEN_VOID };
extern const struct words open_claim_words;

/* How far the recorder is, and how patient we are, in ms. */
struct patience {
    int64_t hellos_read;  /* through when errand.executors was read */
    int64_t results_read; /* the same of errand.results, all of it */
    int64_t grace;        /* after the expiry */
    int64_t silent;       /* without a hello */
    int64_t lost;         /* after the claim */
};

/* True where its executor's newest hello says, by not listing it, that it holds
 * it no more: what it had to say of it was said before. */
bool overdue_dropped(const struct open_execution *open,
                     const struct patience *patience);

/* ret_reason: why, in words. */
enum overdue overdue_judge(const struct open_execution *open,
                           const struct patience *patience,
                           const char **ret_reason);

/* The id of what is said: derived, so that two schedulers say the same once; a
 * version 8 UUID that begins with the execution's expiry. */
struct id overdue_id(const struct open_execution *open, enum overdue what);

/* The outcome to say; OUTCOME_NONE for OVERDUE_NOTHING and OVERDUE_CLOSE. */
int overdue_outcome(enum overdue what);

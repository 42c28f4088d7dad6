/*
 * pace.h: how a command's runs go on: how many targets at once, when to stop,
 * what is tried again, and which runs may go on side by side.
 *
 * Signed with the command. What a host can check of it, it checks: how often
 * something is tried, and until when something of a run may start. How many run
 * at once, and when it is enough, the authorizer alone can keep.
 *
 * Pure. Moments and durations in ms, but for what is signed (s).
 */
#pragma once

#include "base/fields.h"

#define PACE_RETRY_MAX 100
#define PACE_BACKOFF 10 /* s, where nothing is said */
#define PACE_BACKOFF_MAX 86400

enum concurrency {
    CONCURRENCY_ALLOW,   /* where nothing is said */
    CONCURRENCY_QUEUE,   /* it waits until those before it have ended */
    CONCURRENCY_REFUSE,  /* it is refused while another goes on */
    CONCURRENCY_REPLACE, /* the others are cancelled first */
};

struct pace {
    char *max_parallel;    /* "10", "25%"; NULL: all at once */
    char *max_errors;      /* the same; NULL: however many there are */
    int64_t retry;         /* attempts beside the first */
    struct list retry_on;  /* char *, outcomes; none: failed, timed_out */
    int64_t retry_backoff; /* s; 0: PACE_BACKOFF */
    bool idempotent;       /* to do it twice is to do it once */
    int concurrency;
    char *concurrency_key; /* a word as in args; NULL: one for all runs */
};

extern const struct words concurrency_words;
extern const struct text_form share_form;   /* "10" or "25%" */
extern const struct text_form retried_form; /* an outcome of retry_on */
extern const struct table pace_table;

/* -1 (REJECT): what does not fit together; parameters: struct parameter. */
int pace_check(const struct pace *pace, const struct list *parameters,
               struct err *err);

/* How many of a run's n targets may be at work at once, and after how many that
 * went wrong nothing more of it begins; a part of them is rounded down, and is
 * never less than one. Where nothing is said: n; more than n. */
size_t pace_parallel(const struct pace *pace, size_t n);
size_t pace_errors(const struct pace *pace, size_t n);

/* How often it may be tried on a target, in all. */
int64_t pace_attempts(const struct pace *pace);

/* Whether anything of a run on n targets may have to be decided later: it comes
 * in waves, is tried again, or takes turns with others. */
bool pace_advances(const struct pace *pace, size_t n);

/* Whether an attempt that ended so is followed by another; after how long. */
bool pace_retries(const struct pace *pace, int outcome);
int64_t pace_backoff(const struct pace *pace);

/* For how long after it was asked for something of a run on n targets may still
 * start. wait, timeout: the command's, in s. */
int64_t pace_life(const struct pace *pace, int64_t wait, int64_t timeout,
                  size_t n);

/* What runs must have in common to be in each other's way, as a hash of the
 * command's id and of the key with these values (struct pair). */
struct hash pace_turn(const struct pace *pace, const struct id *command,
                      const struct list *values);

/*
 * factor.h: whether a code of somebody's second factor is good now: window,
 * once only, back-off, lock. Pure: state, secret, code and a moment in, a
 * verdict and the new state out; tests/tables/factor.txt has the cases.
 *
 * TOTP as in RFC 6238 (liboath reckons it): SHA-1, six digits, 30 s. A code is
 * good one step before and after its own, and once: what was good moves the
 * last step on, and no step up to it is good again. A code that was used is no
 * failure, or whoever repeats a request could lock its person out. After five
 * failures in a row each costs a wait that doubles, and the twentieth locks
 * until an administrator resets. What comes during a wait isn't looked at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/mfa.h"

#define FREE_FAILURES 5
#define FAILURES_MAX 20
#define FIRST_WAIT 20000 /* ms */
#define LONGEST_WAIT 3600000

struct factor_state {
    int64_t step;     /* the last one whose code was good; 0: none yet */
    int64_t failures; /* in a row */
    int64_t failed;   /* the last one's moment */
};

enum factor_verdict {
    FACTOR_NONE,
    FACTOR_GOOD,
    FACTOR_WRONG,
    FACTOR_USED,   /* good, but not for the first time */
    FACTOR_WAIT,   /* too soon after the failures before */
    FACTOR_LOCKED, /* too many of them */
};

extern const struct words factor_verdict_words;

/* GOOD: a code may be tried now; else WAIT or LOCKED. */
enum factor_verdict factor_admit(const struct factor_state *state, int64_t now);

/* How long until one may be tried again, in whole seconds. */
int64_t factor_wait(const struct factor_state *state, int64_t now);

/* GOOD, WRONG or USED: six digits, by this secret. The state is as it was. */
enum factor_verdict factor_judge(const unsigned char secret[static TOTP_SECRET],
                                 const char *code, int64_t now,
                                 const struct factor_state *state,
                                 int64_t *ret_step);

/* The state after a verdict; `step` of a good TOTP code, 0 of another. */
void factor_note(struct factor_state *state, enum factor_verdict verdict,
                 int64_t step, int64_t now);

/* factor.c: see factor.h. */
#include "consumer/authorizer/factor.h"

#include <sodium.h>
#include <string.h>
#include <liboath/oath.h>

WORDS(factor_verdict_words, "good", "wrong", "used", "wait", "locked");

static int64_t wait_after(int64_t failures)
{
    int64_t wait = FIRST_WAIT;

    if (failures < FREE_FAILURES) {
        return 0;
    }
    for (int64_t i = FREE_FAILURES; i < failures && wait < LONGEST_WAIT; i++) {
        wait *= 2;
    }
    return wait < LONGEST_WAIT ? wait : LONGEST_WAIT;
}

int64_t factor_wait(const struct factor_state *state, int64_t now)
{
    int64_t left = state->failed + wait_after(state->failures) - now;

    return left <= 0 ? 0 : (left + 999) / 1000;
}

enum factor_verdict factor_admit(const struct factor_state *state, int64_t now)
{
    return state->failures >= FAILURES_MAX ? FACTOR_LOCKED
           : factor_wait(state, now) > 0   ? FACTOR_WAIT
                                           : FACTOR_GOOD;
}

/* Without a look at where they differ: all digits, always. */
static bool is_code(const unsigned char *secret, int64_t step, const char *code)
{
    char right[TOTP_DIGITS + 1] = {0};
    int64_t at = step * (TOTP_STEP / 1000);

    if (oath_totp_generate((const char *)secret, TOTP_SECRET, (time_t)at,
                           TOTP_STEP / 1000, 0, TOTP_DIGITS,
                           right) != OATH_OK) {
        return false;
    }
    bool same = sodium_memcmp(right, code, TOTP_DIGITS) == 0;
    sodium_memzero(right, sizeof(right));
    return same;
}

enum factor_verdict factor_judge(const unsigned char secret[static TOTP_SECRET],
                                 const char *code, int64_t now,
                                 const struct factor_state *state,
                                 int64_t *ret_step)
{
    int64_t current = now / TOTP_STEP;
    enum factor_verdict verdict = FACTOR_WRONG;

    if (strlen(code) != TOTP_DIGITS) {
        return FACTOR_WRONG;
    }
    for (int64_t step = current + 1; step >= current - 1; step--) {
        bool same = is_code(secret, step, code);
        if (same && step > state->step) {
            verdict = FACTOR_GOOD; /* the earliest one that is */
            *ret_step = step;
        } else if (same && verdict == FACTOR_WRONG) {
            verdict = FACTOR_USED;
        }
    }
    return verdict;
}

void factor_note(struct factor_state *state, enum factor_verdict verdict,
                 int64_t step, int64_t now)
{
    if (verdict == FACTOR_GOOD) {
        state->failures = 0;
        state->failed = 0;
        state->step = step > state->step ? step : state->step;
    } else if (verdict == FACTOR_WRONG) {
        state->failures++;
        state->failed = now;
    }
}

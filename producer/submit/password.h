/*
 * password.h: whether a new password is good enough. Pure:
 * tests/tables/passwords.txt has the cases.
 */
#pragma once

#include "model/rules.h"

struct password_rules {
    int64_t min;       /* characters; less than PASSWORD_MIN: PASSWORD_MIN */
    const char *email; /* which must not be in it; may be NULL */
};

/* -1 (status 65): too short, holds the e-mail, its first half or the product's
 * name, or is too easy to guess. No classes of characters are asked for: they
 * make passwords worse, not better. */
int password_check(const char *password, const struct password_rules *rules,
                   struct err *err);

/* How many characters one has at least. */
int64_t password_min(const struct password_rules *rules);

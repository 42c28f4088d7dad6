/*
 * limits.h: what a parameter's value must be beyond its type: min, max,
 * max_length, pattern.
 *
 * Numbers are compared by their digits, never as binary fractions. A pattern is
 * a POSIX extended regular expression that the whole value must match, a
 * character being one of UTF-8; it is short, its repetitions are few, and it
 * has no back-references: so no value costs more than others.
 */
#pragma once

#include "model/parameter.h"

#define PATTERN_MAX 200     /* bytes */
#define REPETITIONS_MAX 255 /* as in a{255} */
#define STATES_MAX 600      /* with all repetitions written out */

/* As parameter_sound(), of the limits alone. */
int limits_sound(const struct parameter *parameter, const char **ret_member,
                 struct err *err);

/* -1 (REJECT): a value of the right type is beyond them; says how. */
int limits_check(const struct parameter *parameter, const char *value,
                 struct err *err);

/* "at least 1, at most 10"; NULL: there are none. The caller's to free. */
char *limits_text(const struct parameter *parameter);

/*
 * environment.h: what a script finds in its environment, and nothing else
 * (design: "The process that executes"): where it is, which run it is, and each
 * parameter that has a value as ERRAND_PARAM_<NAME>.
 *
 * The executor starts it so, and `submit run --dry-run` shows it so.
 */
#pragma once

#include "base/fields.h"

struct surroundings {
    const char *home; /* its private directory */
    const char *run, *execution;
    const char *command;
    const char *target;
    int64_t attempt;
};

/* Appends "NAME=VALUE" (char *) for each; `values` (struct pair) were checked:
 * arguments_check(). texts_done() after. */
void environment_make(const struct surroundings *at, const struct list *values,
                      struct list *ret_environment);

/*
 * argv.h: what stands behind the script on its command line: a command's
 * `args`.
 *
 * `args = --depth {depth} {dir}`: each word becomes one element of argv, with
 * the parameter's value in the place of {NAME}: whole, whatever is in it; it is
 * never split again and no shell sees it. `{{` and `}}` are braces. A word
 * whose parameter has no value is left out.
 */
#pragma once

#include "base/fields.h"

#define ARGS_MAX 64
#define ARG_MAX_BYTES 1000 /* of a word as it is written */

/* -1 (REJECT): a word that is none, or that names no parameter (struct
 * parameter) of these. */
int argv_check(const struct list *args, const struct list *parameters,
               struct err *err);

/* The words (char *) with these values (struct pair) in their places;
 * texts_done() after. `args` were checked. */
void argv_make(const struct list *args, const struct list *values,
               struct list *ret_words);

/*
 * parse.h: the command line: which verb, which flags, which arguments.
 *
 * Flags may stand before or after the verb; `--` ends them. A flag that takes a
 * value takes the next word, or what follows its `=` (its letter). What isn't
 * known is status 64, with "did you mean".
 */
#pragma once

#include "producer/submit/submit.h"

/* Beside the verbs' own; up to one without a name. */
extern const struct flag common_flags[];

/* Fills verb, args, given and print.format; the words stay argv's. With --help
 * or --version verb stays NULL, and args holds all words. parse_done() after
 * either way. */
int parse(struct submit *submit, int argc, char **argv, struct err *err);
void parse_done(struct submit *submit);

/* The verb that these words open with; ret_words: how many are its name. NULL:
 * status 64. */
const struct verb *find_verb(char *const *words, size_t n, size_t *ret_words,
                             struct err *err);

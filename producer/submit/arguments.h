/*
 * arguments.h: what somebody says of a command's parameters: NAME=VALUE,
 * NAME=@FILE, --params FILE.
 *
 * `@FILE` is a file's content, without one newline at its end; `@-` is standard
 * input, `@@x` the text `@x`. --params reads a JSON object; its texts are
 * values as they are, numbers and true or false as JSON writes them. A secret
 * is never taken from the command line itself, where others can read it, and a
 * `file` always names one, which goes along byte for byte.
 */
#pragma once

#include "producer/submit/given.h"

/* What can be told of the words from `from` on before the command is known.
 * Status 64: one is no NAME=VALUE, or there twice. */
int arguments_check_words(const struct submit *submit, size_t from,
                          struct err *err);

/* Those words, and what --params names, each name once. Status 64 or 65 with
 * what is wrong, 66 where a file can't be read. */
int arguments_read(const struct submit *submit, size_t from,
                   const struct list *parameters, struct given *ret_given,
                   struct err *err);

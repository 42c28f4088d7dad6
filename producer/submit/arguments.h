/*
 * arguments.h: what somebody says of a command's parameters: NAME=VALUE,
 * NAME=@FILE, --params FILE.
 *
 * `@FILE` is a file's content, without one newline at its end; `@-` is standard
 * input, `@@x` the text `@x`. --params reads a JSON object; its texts are
 * values as they are, numbers and true or false as JSON writes them.
 */
#pragma once

#include "producer/submit/submit.h"

/* The words from `from` on, and what --params names: struct pair, each name
 * once. Status 64 or 65 with what is wrong, 66 where a file can't be read. */
int arguments_read(const struct submit *submit, size_t from,
                   struct list *ret_arguments, struct err *err);

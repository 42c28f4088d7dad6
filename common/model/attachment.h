/*
 * attachment.h: a file that comes with a command: `files = a.conf, b.sh`.
 *
 * It is signed with the command, travels with it, and stands in a run's private
 * directory, where the script begins, under this name.
 */
#pragma once

#include "base/fields.h"

#define ATTACHMENTS_MAX 32
#define ATTACHMENT_NAME_MAX 100

struct attachment {
    char *name;
    bool executable;
    struct buf data;
};

extern const struct field attachment_item; /* of a list of them */

/* A name without a folder: letters, digits, '.', '_' and '-', of which '.' and
 * '-' don't begin it. */
bool attachment_name_is_good(const char *name);

/* Good names, each once; with the script's bytes at most SCRIPT_MAX. -1:
 * REJECT. */
int attachments_check(const struct list *attachments, size_t script,
                      struct err *err);

/* The same names, modes and bytes in the same order. */
bool attachments_equal(const struct list *a, const struct list *b);

/*
 * opened.h: an order's secrets, opened: in the spawner, for its child, and for
 * nobody else.
 *
 * A box is taken only where all that it says it is for is that of the signed
 * run.start which it came in (design: "Authority", rule 5). What was opened is
 * wiped once the child has it.
 */
#pragma once

#include "trust/proof.h"

struct opened {
    const char *name; /* the order's */
    struct buf value;
};

/* Opens each box that is for this host: ret_opened, struct opened, in the order
 * of the command's parameters. REJECT: one is missing, or for something else,
 * or its value is not one of its parameter's. */
int secrets_open(const struct order *order, const struct key_pair *keys,
                 struct list *ret_opened, struct err *err);
void secrets_wipe(struct list *opened);
#define _cleanup_secrets_ _cleanup_(secrets_wipe)

/* Appends "ERRAND_PARAM_<NAME>=VALUE" (char *), for opened_wipe_texts(). */
void opened_add_environment(const struct list *opened,
                            struct list *environment);

/* Releases a list of texts, each overwritten before. NULLs in it are fine. */
void opened_wipe_texts(struct list *texts);

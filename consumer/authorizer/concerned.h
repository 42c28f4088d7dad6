/*
 * concerned.h: whom a request was about, by what was signed: who was invited,
 * given a command, suspended, asked for. The log's rows have no such column:
 * what they hash is fixed, and the envelope says it.
 */
#pragma once

#include "consumer/authorizer/decision.h"

/* The address of whom this request (DSSE, as it is stored; may be empty) was
 * about, the caller's; NULL: nobody, or who asked, whose id is `asker`. */
int concerned_email(struct asking *asking, const struct buf *document,
                    const struct id *asker, char **ret_email, struct err *err);

/*
 * kept.h: what hangs on an administrator who is ended, and what of it goes on.
 */
#pragma once

#include "producer/submit/submit.h"

enum kept_otherwise {               /* where no --keep says */
                      KEPT_NOTHING, /* nothing is asked for */
                      KEPT_ALL,
                      KEPT_ASK, /* one by one, on a terminal */
};

/* What is in force of what this person signed, as --keep says: `all`, `none` or
 * names; ret_keep (struct hash) is the caller's to free. Where nothing hangs on
 * them, it is empty and nothing is asked. */
int kept_choose(struct submit *submit, const char *email,
                enum kept_otherwise otherwise, struct list *ret_keep,
                struct err *err);

/*
 * target.h: named places where commands run: target.set, and the names of a
 * target's two topics.
 */
#pragma once

#include "model/log_entry.h"

#define TARGET_WAIT_DEFAULT 86400    /* s: a day */
#define TARGET_WAIT_MAX (7 * 86400L) /* s */

struct target_set { /* administrator's own key */
    struct log_entry entry;
    char *name;
    int64_t generation;
    struct list labels; /* struct pair */
    int64_t max_wait;   /* s: the longest that a dispatch may live */
};

extern const struct table target_set_table;

/* "errand.dispatch.<target>.<generation>" and "errand.claims.…"; the caller's
 * to free. */
char *dispatch_topic(const char *target, int64_t generation);
char *claims_topic(const char *target, int64_t generation);

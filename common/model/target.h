/*
 * target.h: named places where commands run: target.set, target.show, and the
 * names of a target's two topics.
 */
#pragma once

#include "model/log_entry.h"

#define TARGET_WAIT_DEFAULT 86400    /* s: a day */
#define TARGET_WAIT_MAX (7 * 86400L) /* s */

/* DRAINED: nothing starts there until it is in use again; what waits, waits.
 * REMOVED: for good. Another one of its name is its next generation, with
 * topics and executors of its own. */
enum target_state {
    TARGET_IN_USE,
    TARGET_DRAINED,
    TARGET_REMOVED,
};

extern const struct words target_state_words; /* but for TARGET_IN_USE */

/* A target whole, each time; administrator's own key. */
struct target_set {
    struct log_entry entry;
    char *name;
    int64_t generation;
    struct hash previous; /* the target.set before; zero: a new name */
    struct list labels;   /* struct pair */
    int64_t max_wait;     /* s: the longest that a dispatch may live */
    int state;
};

struct target_named { /* target.show */
    struct request request;
    char *name;
};

extern const struct table target_set_table;
extern const struct table target_named_table;

/* "errand.dispatch.<target>.<generation>" and "errand.claims.…"; the caller's
 * to free. */
char *dispatch_topic(const char *target, int64_t generation);
char *claims_topic(const char *target, int64_t generation);

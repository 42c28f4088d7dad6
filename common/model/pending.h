/*
 * pending.h: what is answered of runs that wait for approval, and of the groups
 * that give it: group.list, pending.list, pending.show, run.approve,
 * run.reject.
 */
#pragma once

#include "model/answer.h"

struct group_row {
    char *name;
    struct list members; /* char *: e-mails */
    struct list unable;  /* char *: those of them who can't approve now */
};

struct groups_answer {
    struct list groups; /* struct group_row */
};

struct pendings_answer {
    struct list runs; /* struct run_row, the oldest first */
};

/* What somebody votes on: hashes help to find it in the envelopes, which alone
 * count. */
struct pending_answer {
    struct id id;
    struct hash run;
    struct hash command;
    struct run_pending pending;
    struct list envelopes; /* struct envelope */
};

struct voted_answer {
    struct id run;
    int64_t lacking; /* approvals; 0: it begins (run.approve) */
};

extern const struct table groups_answer_table;
extern const struct table pendings_answer_table;
extern const struct table pending_answer_table;
extern const struct table voted_answer_table;

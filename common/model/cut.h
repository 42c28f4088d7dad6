/*
 * cut.h: what went of the audit log with a month that was kept long enough: the
 * authorizer's signed word, in whose place the dropped rows stood.
 *
 * A span is a run of rows of one chain without a gap, each following the one
 * before: with its ends' hashes known, the rows on both sides are as bound to
 * each other as they were. Months go by requests' ids, chains by the order in
 * which they were decided: so at a month's end there may be several spans.
 */
#pragma once

#include "model/audit.h"

#define CUT_SPANS_MAX 1000 /* more of them: in another one */

struct span_row {
    int64_t partition;
    int64_t first;
    int64_t last;
    struct hash previous; /* the row_hash of the row before; zero: none */
    struct hash head;     /* that of the last */
};

struct audit_cut { /* authorizer */
    struct head head;
    int64_t until;      /* the month's end: what has an id of before is gone,
                           and what was decided before under one of no month */
    struct hash policy; /* the policy.set that says how long all is kept */
    struct list spans;  /* struct span_row */
};

extern const struct table audit_cut_table;

/* The same spans give the same event's id. */
struct id cut_id(const struct audit_cut *cut);

/* By partition and first row: for qsort(). */
int span_row_compare(const void *a, const void *b);

/*
 * auditor.h: judging the audit log, row after row: pure, for `audit verify`.
 *
 * In: signed checkpoints, then all rows in the order of (partition, number),
 * each page with the envelopes that its signers' chains need, then the
 * checkpoints that came meanwhile. Out: an error, status 65, that names the
 * first row that was altered, removed or added. Nothing is believed of a row
 * but what its hash, its chain, its signature and the checkpoints bear out. In
 * place of rows that were dropped stand the spans of cuts that are believed.
 */
#pragma once

#include "model/cut.h"
#include "trust/proof.h"

struct auditor;

/* What was looked at, for the last line. */
struct audited {
    int64_t rows;
    int64_t partitions;
    int64_t signatures;
    int64_t unsigned_rows; /* too large to have been kept with their request */
    int64_t checkpoints;   /* that a row was compared with */
    int64_t dropped;       /* rows in whose place a span stands */
    int64_t since;         /* the end of the last month that went; 0: none */
    int64_t cut;           /* and when it went */
    struct list open;      /* int64_t: partitions without any checkpoint */
};

struct auditor *auditor_new(void);
void auditor_free(struct auditor *auditor);

/* A checkpoint, and where it was found, in words ("errand.events"); before the
 * first row. `where` is borrowed for the auditor's life. */
void auditor_expect(struct auditor *auditor, const struct checkpoint *at,
                    const char *where);

/* Rows that were dropped, by a cut that is believed; before the first row. */
void auditor_cut(struct auditor *auditor, const struct audit_cut *cut);

/* The next row. `proof` has what its signer's chain needs. */
int auditor_row(struct auditor *auditor, struct proof *proof,
                const struct audit_row *row, struct err *err);

/* No more rows: what was signed and not there was removed from an end. */
int auditor_end(struct auditor *auditor, struct err *err);

/* After the end: a checkpoint that came while the rows were read. */
int auditor_late(struct auditor *auditor, const struct checkpoint *at,
                 struct err *err);

/* True once no partition has rows behind its newest checkpoint; else the first
 * such row is named in `why`. `all`: every checkpoint that was ever sent could
 * be read, so that a partition without any counts, too. */
bool auditor_is_covered(const struct auditor *auditor, bool all,
                        struct err *why);

/* Borrowed: the auditor's. */
const struct audited *auditor_audited(struct auditor *auditor);

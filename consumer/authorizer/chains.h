/*
 * chains.h: the ends of the audit log's chains, one for each partition of
 * errand.requests, within a transaction (model/audit.h: what a row is).
 *
 * In: the batch's partitions, whose ends are read and locked first thing in the
 * transaction, in order: so two authorizers, also one that lost its partitions
 * and doesn't know it, wait for each other and never fork a chain. Out: rows
 * with their number and hash, the new ends in audit_chains, checkpoints. What a
 * transaction that came to nothing appended is forgotten by the next lock.
 */
#pragma once

#include "io/postgres.h"
#include "model/audit.h"
#include "model/record.h"
#include "service.h"

struct chains;

struct chains *chains_new(void);
void chains_free(struct chains *chains);

/* partitions: int64_t, each once. */
int chains_lock(struct chains *chains, const struct daemon *daemon,
                const struct list *partitions, struct err *err);

/* Sets number, previous and hash of a row of a locked partition, and makes it
 * the chain's end here; in audit_chains, who writes the row does. */
void chains_append(struct chains *chains, struct audit_row *row);

/* The end as of now; false: an empty chain. */
bool chains_end(const struct chains *chains, int64_t partition,
                struct checkpoint *ret_end);

/* Appends the signed checkpoint of a partition's end to the records that are to
 * be sent; none of an empty chain. The same end gives the same bytes. */
int chains_tell(const struct chains *chains, const struct daemon *daemon,
                int64_t partition, struct list *out, struct err *err);

/*
 * claim_log.h: this executor's view of its target's claim log.
 *
 * In come the log's records, always from its first; out goes, for each
 * execution, the first record with its key. That record alone decides who may
 * start it: the key counts, whether the rest can be read or not. Offsets must
 * grow by exactly one; on a gap the view is forgotten and read anew, and a gap
 * that is there again is real (a transaction's marker). Until then nothing is
 * handed out.
 */
#pragma once

#include "io/kafka.h"

struct claim_log;

/* What a record was. `first` is the key's first record in the log. */
typedef void claim_log_seen(void *arg, const struct id *execution, bool first,
                            const struct record *record);

struct claim_log *claim_log_new(const struct list *kafka, const char *topic,
                                claim_log_seen *seen, void *arg,
                                struct err *err);
void claim_log_free(struct claim_log *log);

/* Finds the log's bounds and begins. RETRY: no broker yet. */
int claim_log_begin(struct claim_log *log, struct err *err);

/* Reads what is there, up to some thousand records. RETRY: no broker; -1 else:
 * FATAL. */
int claim_log_read(struct claim_log *log, struct err *err);

/* True where it has stopped before it had seen everything: read on soon. */
bool claim_log_more(const struct claim_log *log);

/* True once everything that was there at the beginning has been read, and no
 * gap is being looked at again. Before, nothing may be claimed. */
bool claim_log_current(const struct claim_log *log);

/* True where the log holds a record with that key. */
bool claim_log_holds(const struct claim_log *log, const struct id *execution);

int claim_log_fd(struct claim_log *log);

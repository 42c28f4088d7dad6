/*
 * spool.h: an execution's results on the host's disk until PostgreSQL's side
 * has them all: one file an execution, an envelope a line.
 *
 * Each result is here before it is produced; so a successor can produce the
 * very same bytes again, and its `finished` goes on with the chain where it
 * ended.
 */
#pragma once

#include "model/envelope.h"

/* Appends one; RETRY: the disk doesn't take it. */
int spool_add(const char *directory, const struct id *execution,
              const struct envelope *envelope, struct err *err);

/* All whole lines, in their order: struct envelope; none: an empty list. */
int spool_read(const char *directory, const struct id *execution,
               struct list *ret_envelopes, struct err *err);

void spool_remove(const char *directory, const struct id *execution);

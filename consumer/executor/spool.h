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

/* The whole line at this place of the file; ret_next is the place behind it.
 * 1: ret_envelope is the caller's; 0: no more (or torn by a crash). */
int spool_read(const char *directory, const struct id *execution, int64_t at,
               struct envelope *ret_envelope, int64_t *ret_next,
               struct err *err);

void spool_remove(const char *directory, const struct id *execution);

/*
 * started.h: what this spawner has started: its own word beside the ledger,
 * which is the other half's.
 *
 * A file of its own, a line for each: "<moment in ms> <execution>". So an
 * execution is started once, whatever the other half asks for, as long as its
 * dispatch could live; and a clock that goes back is noticed, which would let
 * what has expired live again. It is not waited for the disk: a power cut is
 * the ledger's matter.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/id.h"

struct started;

/* FATAL: it can't be read, or is damaged, or the clock is behind its last. */
struct started *started_open(const char *path, int64_t now, struct err *err);

/* Notes one. REJECT: it is there already, or can't be noted, or the clock went
 * back since the last. */
int started_note(struct started *started, const struct id *execution,
                 int64_t now, struct err *err);

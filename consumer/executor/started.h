/*
 * started.h: what this spawner has started: its own word beside the ledger,
 * which is the other half's.
 *
 * A file of its own, a line for each: "<moment in ms> <execution>". So an
 * execution is started once, whatever the other half asks for, as long as its
 * dispatch could live; and a clock that goes back is noticed, which would let
 * what has expired live again.
 *
 * A line is written, and not waited for: when this process is killed the kernel
 * has it, and so has the next life. When the power is cut the last seconds'
 * lines may be gone; then the ledger knows, whose START was on the disk before
 * this half was asked, and the claim log does. To start something twice it
 * would take a half in strange hands that heeds neither, and a power cut,
 * within one dispatch's life (60 s unless its command waits longer). A wait for
 * the disk at each start (2 ms here, 5 and more in one of ten) is too much for
 * that.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/id.h"

struct started;

/* FATAL: it can't be read, or is damaged, or the clock is behind its last. */
struct started *started_open(const char *path, int64_t now, struct err *err);
void started_free(struct started *started);

/* Notes one. REJECT: it is there already, or can't be noted, or the clock went
 * back since the last. */
int started_note(struct started *started, const struct id *execution,
                 int64_t now, struct err *err);

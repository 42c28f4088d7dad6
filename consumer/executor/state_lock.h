/*
 * state_lock.h: one executor at a time on a state directory.
 *
 * The lock is held for the life of this process and of whoever inherits the
 * descriptor: so no successor lives while either half of an executor does, or a
 * keeper.
 */
#pragma once

#include "base/err.h"

/* The descriptor of the directory's lock; FATAL: another executor has it. */
int state_lock(const char *directory, struct err *err);

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

/* For who got that descriptor from its parent: it is this directory's, and
 * held. -1: status 78. */
int state_lock_check(const char *directory, int lock, struct err *err);

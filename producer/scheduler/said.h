/*
 * said.h: what was said, so that it is not said at every turn: until PostgreSQL
 * shows that it was heard, or it is time to say it again.
 */
#pragma once

#include "base/id.h"

struct said;

/* Forgets what was said at `before` (by clock_steady()) or earlier; INT64_MAX:
 * all. */
void said_forget(struct said **said, int64_t before);

/* True where it was not said: now it is. */
bool said_now(struct said **said, const struct id *id);

/*
 * said.h: what was said lately, by its id: so that it is not said at every look
 * until it is recorded. The ids are derived: to say something once more, after
 * a restart for example, changes nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

struct said;

/* True where it was not said; from now on it was. */
bool said_now(struct said **all, const struct id *id);

/* Forgets what was said until that moment of the steady clock. */
void said_forget(struct said **all, int64_t until);

/*
 * since.h: a moment as a person says it on the command line: how long ago
 * ("2d", "1h30m"), a day ("2026-11-24"), a time of a day ("2026-11-24 03:27"),
 * both in local time; or RFC 3339 as in -o json.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* -1 (REJECT): not one of these, or to come. */
int since_parse(const char *text, int64_t now, int64_t *ret_moment,
                struct err *err);

/*
 * clock.h: moments and durations.
 *
 * A moment is an int64_t, milliseconds since 1970-01-01T00:00:00Z; on the wire
 * it is RFC 3339 with milliseconds and Z ("2026-11-24T01:56:48.123Z").
 * A duration on the wire is in seconds; people write `30s 5m 2h 7d`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define TIME_TEXT 25 /* bytes of a formatted moment, with its NUL */

/* Now, by the wall clock; and by a clock that only goes forward. */
int64_t clock_now(void);
int64_t clock_steady(void);

/* Writes the wire form of a moment between the years 1970 and 9999. */
void time_format(int64_t moment, char text[static TIME_TEXT]);

/* Reads exactly that form. -1 (REJECT): not one, or no such day. */
int time_parse(const char *text, int64_t *ret_moment, struct err *err);

/* Reads `30s 5m 2h 7d` (or several, largest first: `1h30m`) as seconds. */
int duration_parse(const char *text, int64_t *ret_seconds, struct err *err);

/* Writes seconds as duration_parse reads them, at most 24 bytes. */
void duration_format(int64_t seconds, char *text, size_t size);

/*
 * once.h: a moment that somebody names: `at = TIME`.
 *
 * In comes a time of RFC 3339 with its offset (2026-12-24T18:00:00+01:00, or
 * Z), or without one, as the clock of a zone will show it (2026-12-24T18:00); a
 * blank may stand for the T, and the seconds may be left out. Out goes the one
 * tick that it is. A time that the zone's clock never shows, or shows twice,
 * refuses: whoever meant it can say the offset.
 */
#pragma once

#include "model/tick.h"

/* -1 (REJECT): no such time, or not one moment; says why. */
int once_parse(const char *text, const struct zone *zone, struct tick *ret_tick,
               struct err *err);

/* The tick of a moment. */
struct tick once_at(const struct zone *zone, int64_t moment);

/*
 * tick.h: when a schedule fires in a time zone; each firing is a tick.
 *
 * A tick is the moment, what the clock on the wall shows or would have shown
 * (local), and which of two (fold), where the clock shows it twice; a schedule
 * fires a tick once, so (schedule, local, zone, fold) is its name for good.
 * When the zone's clock is changed, Debian's rule holds (cron(8) of its package
 * cron, and the main loop of its cron.c, 3.0pl1-162):
 *
 *   - A schedule whose minute or hour begins with `*` follows the clock: it
 *     fires when the clock shows a time of it, so in a repeated hour again, and
 *     in a skipped one not.
 *   - All others are meant to happen: what the change skips fires at the moment
 *     of the change, each skipped time of its own; what it repeats fires the
 *     first time alone.
 *   - That ends with changes that skip three hours or more, or repeat more than
 *     three: they are corrections, and the new time is simply followed.
 *
 * Who asks later with newer tzdata may be told otherwise: what was fired is the
 * caller's to remember.
 */
#pragma once

#include "base/id.h"
#include "base/zone.h"
#include "model/cron.h"

/* The end of the year 9999. */
#define TICK_MOMENT_MAX INT64_C(253402300799999)

struct tick {
    int64_t moment; /* ms, UTC; the years 1970 to 9999 */
    int64_t local;  /* ms, see zone.h; where it was skipped, what it would be */
    int fold;       /* 1: the second time that the clock shows it */
};

/* Where to begin for the ticks strictly after a moment. */
struct tick tick_start(int64_t moment);

/*
 * The tick after that one, in the order of (moment, local). False: none in the
 * next 50 years. The work is bounded: at worst, each day of them is looked at
 * once.
 *
 *     struct tick tick = tick_start(from);
 *     while (tick_next(&cron, zone, &tick, &tick) && tick.moment <= until) …
 */
bool tick_next(const struct cron *cron, const struct zone *zone,
               const struct tick *after, struct tick *ret_tick);

/* True when the schedule fires exactly this one. */
bool tick_is_due(const struct cron *cron, const struct zone *zone,
                 const struct tick *tick);

/* The last tick in (from, until]. False: none. */
bool tick_last(const struct cron *cron, const struct zone *zone, int64_t from,
               int64_t until, struct tick *ret_tick);

/*
 * The id of the request that fires it, whoever makes it: a UUIDv8, 48 bits of
 * the moment's milliseconds before what is left of the hash of the tuple
 * ("errand.tick", the schedule's id, the zone's name, `local`, `fold`), both
 * numbers in decimal.
 */
struct id tick_id(const struct id *schedule, const char *zone,
                  const struct tick *tick);

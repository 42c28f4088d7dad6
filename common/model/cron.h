/*
 * cron.h: when a schedule fires, as the clock on the wall shows it.
 *
 * In comes what people know from crontab(5): five fields,
 *
 *     minute  hour  day of month  month  day of week
 *     0-59    0-23  1-31          1-12   0-7 (0 and 7 are Sunday)
 *
 * each a star, a number, a range (1-5), a step through either (0-20/10; the
 * star, a slash and 10), or a list of numbers and ranges (1,3,10-12); months
 * and weekdays also by their first three letters; or one word: @hourly @daily
 * @midnight @weekly @monthly @yearly @annually. What always holds:
 *   - a day comes when both day fields hold it where one of them begins with a
 *     star, and when either does where none begins so: `0 3 1,15 * fri` is on
 *     the 1st, the 15th and each Friday, as in Debian's cron;
 *   - what never fires, or never as it looks, refuses: 30 February, a step that
 *     comes to no second value, 5/10, a star in a list, fri-mon.
 * What a change of the clock makes of it is in tick.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define CRON_MAX 400 /* bytes of text; all values written out are 350 */

struct cron { /* bit i: the value i */
    uint64_t minutes;
    uint32_t hours;
    uint32_t days;
    uint32_t months;
    uint32_t weekdays; /* 0 is Sunday */
    bool wild;         /* the minute or the hour begins with a star */
    bool both;         /* the day of month and that of week must agree */
};

/* Reads a schedule. -1 (REJECT): which field is wrong, and what may stand
 * there. */
int cron_parse(const char *text, struct cron *ret_cron, struct err *err);

/* The first minute of it in [from, until), by the clock on the wall (zone.h).
 * Looks at each day between them at most: keep them near. */
bool cron_match(const struct cron *cron, int64_t from, int64_t until,
                int64_t *ret_local);

/*
 * yearly.h: the changes of a time zone that come again each year, as a TZif
 * file's last line has them: the POSIX TZ string "CET-1CEST,M3.5.0,M10.5.0/3"
 * (POSIX.1-2017, chapter 8.3; RFC 8536, section 3.3.1, whose hours reach from
 * -167 to 167).
 *
 * Strict: what POSIX leaves to the system (a colon, summer time without its
 * rule) refuses. Moments and offsets are milliseconds; an offset is what the
 * clock on the wall shows beyond UTC.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* For as long as a zone's clock is ahead of UTC by the same: [from, until). */
struct span {
    int64_t from;
    int64_t until;
    int64_t offset;
};

/* Before and after all moments that anybody asks for. */
#define SPAN_BEGIN (INT64_MIN / 4)
#define SPAN_END (INT64_MAX / 4)

/* When in a year: a day, and what the clock shows by then. */
struct yearly_edge {
    char form; /* 'M': the week-th weekday of a month; 'J': the day-th day, 29
                  February never counted; '0': the day-th after 1 January */
    int month;
    int week; /* 5: the last */
    int day;
    int64_t time; /* ms since that day's midnight; may be on another day */
};

struct yearly {
    int64_t standard;
    bool changes;   /* false: the rest is unused */
    int64_t summer; /* from `begin` to `end` */
    struct yearly_edge begin;
    struct yearly_edge end;
};

/* Reads such a text. -1 (REJECT): not one. */
int yearly_read(const char *text, struct yearly *ret_yearly, struct err *err);

/* The span that a moment lies in. */
struct span yearly_span(const struct yearly *yearly, int64_t moment);

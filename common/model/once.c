/* once.c: see once.h. RFC 3339, section 5.6. */
#include "model/once.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/calendar.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS INT64_C(60000)
#define YEARS " in the years 1970 to 9999"
#define OFFSET_MAX 14 /* hours: Pacific/Kiritimati */

static int no_time(struct err *err)
{
    return err_set(err, ERR_REJECT,
                   "not a time such as 2026-12-24T18:00, or "
                   "2026-12-24T18:00:00+01:00 (so far ahead of UTC)");
}

/* Digits where the pattern has a 0; T is also a blank. Takes it off the front;
 * false: it does not stand there. */
static bool take(const char **at, const char *pattern, int *values)
{
    const char *text = *at;
    int n = 0;

    for (; *pattern != '\0'; text++, pattern++) {
        if (*pattern == '0') {
            if (!isdigit((unsigned char)*text)) {
                return false;
            }
            values[n] = values[n] * 10 + (*text - '0');
            n += pattern[1] != '0';
        } else if (*text != *pattern && (*pattern != 'T' || *text != ' ')) {
            return false;
        }
    }
    *at = text;
    return true;
}

/* The date and time of day; what the clock shows. */
static int read_local(const char **at, int64_t *ret_local, struct err *err)
{
    int part[6] = {0}; /* year, month, day, hour, minute, second */
    int second[1] = {0};
    static const int first[6] = {1970, 1, 1, 0, 0, 0};
    static const int last[6] = {9999, 12, 31, 23, 59, 59};
    bool good = true;
    int n = 0;

    if (!take(at, "0000-00-00T00:00", part)) {
        return no_time(err);
    }
    if (**at == ':' && !take(at, ":00", second)) {
        return no_time(err);
    }
    part[5] = second[0];
    for (; n < 6 && good; n++) {
        good = part[n] >= first[n] && part[n] <= last[n];
    }
    if (!good || part[2] > month_days(part[0], part[1])) {
        return err_set(err, ERR_REJECT, "no such date or time" YEARS);
    }
    int64_t days = date_days((struct date){part[0], part[1], part[2]});
    *ret_local =
        days * DAY_MS + ((part[3] * 60 + part[4]) * 60 + part[5]) * SECOND_MS;
    return 0;
}

/* Z, +01:00 or -03:30 */
static int read_offset(const char **at, int64_t *ret_offset, struct err *err)
{
    int part[2] = {0};
    bool minus = **at == '-';

    *ret_offset = 0;
    if (**at == 'Z') {
        (*at)++;
        return 0;
    }
    if (!take(at, minus ? "-00:00" : "+00:00", part)) {
        return no_time(err);
    }
    *ret_offset = (part[0] * 60 + part[1]) * (minus ? -MINUTE_MS : MINUTE_MS);
    return part[0] * 60 + part[1] <= OFFSET_MAX * 60 && part[1] < 60
               ? 0
               : err_set(err, ERR_REJECT,
                         "no clock is %c%02d:%02d beyond UTC: at most %d hours",
                         minus ? '-' : '+', part[0], part[1], OFFSET_MAX);
}

/* The first moment after `from` at which the zone's clock shows this. */
static bool shown_after(const struct zone *zone, int64_t local, int64_t from,
                        int64_t *ret_moment)
{
    int64_t until = local + 2 * DAY_MS;

    while (from < until) {
        struct span span = zone_span(zone, from);
        int64_t moment = local - span.offset;
        if (moment >= from && moment < span.until) {
            *ret_moment = moment;
            return true;
        }
        from = span.until;
    }
    return false;
}

static int find_moment(const struct zone *zone, int64_t local,
                       int64_t *ret_moment, struct err *err)
{
    int64_t first;
    int64_t second;

    if (!shown_after(zone, local, local - 2 * DAY_MS, &first)) {
        return err_set(err, ERR_REJECT,
                       "the clock is put forward then and never shows this: "
                       "take another time, or say how far it is ahead of UTC "
                       "(+01:00)");
    }
    if (shown_after(zone, local, first + 1, &second)) {
        int offset = (int)((local - first) / MINUTE_MS);
        return err_set(err, ERR_REJECT,
                       "the clock is put back then and shows this twice: say "
                       "which by how far it is ahead of UTC, %c%02d:%02d the "
                       "first time",
                       offset < 0 ? '-' : '+', abs(offset) / 60,
                       abs(offset) % 60);
    }
    *ret_moment = first;
    return 0;
}

/* 1: the clock has shown this before. */
static int fold_of(const struct zone *zone, int64_t local, int64_t moment)
{
    int64_t first;

    return shown_after(zone, local, local - 2 * DAY_MS, &first) &&
           first < moment;
}

/* From the offset, which must be the end. */
static int read_moment(const char *at, int64_t local, int64_t *ret_moment,
                       struct err *err)
{
    int64_t offset = 0;

    if (read_offset(&at, &offset, err) != 0) {
        return -1;
    }
    *ret_moment = local - offset;
    return *at == '\0' ? 0 : no_time(err);
}

struct tick once_at(const struct zone *zone, int64_t moment)
{
    int64_t local = zone_local(zone, moment);

    return (struct tick){moment, local, fold_of(zone, local, moment)};
}

int once_parse(const char *text, const struct zone *zone, struct tick *ret_tick,
               struct err *err)
{
    const char *at = text;
    int64_t local = 0;
    int64_t moment = 0;

    if (read_local(&at, &local, err) != 0 ||
        (*at == '\0' ? find_moment(zone, local, &moment, err)
                     : read_moment(at, local, &moment, err)) != 0) {
        return -1;
    }
    if (moment < 0 || moment > TICK_MOMENT_MAX) {
        return err_set(err, ERR_REJECT, "no such date or time" YEARS);
    }
    *ret_tick = once_at(zone, moment);
    return 0;
}

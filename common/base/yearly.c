/* yearly.c: see yearly.h. */
#include "base/yearly.h"

#include <string.h>

#include "base/calendar.h"

#define ALPHABET "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define HOURS_MAX 24       /* of an offset */
#define RULE_HOURS_MAX 167 /* of a change's time */
#define SECOND_MS INT64_C(1000)

/* Reading: each takes what it reads off the front, or says false. */

static bool take(const char **at, char c)
{
    if (**at != c) {
        return false;
    }
    (*at)++;
    return true;
}

static bool take_number(const char **at, int min, int max, int *ret_number)
{
    size_t len = strspn(*at, DIGITS);
    int number = 0;

    if (len == 0 || len > 3) {
        return false;
    }
    for (; len > 0; len--) {
        number = number * 10 + (*(*at)++ - '0');
    }
    *ret_number = number;
    return number >= min && number <= max;
}

/* "CET", or "<+0330>": three characters at least. */
static bool take_name(const char **at)
{
    bool quoted = take(at, '<');
    size_t len = strspn(*at, quoted ? ALPHABET DIGITS "+-" : ALPHABET);

    *at += len;
    return len >= 3 && (!quoted || take(at, '>'));
}

/* [+-]HH[:MM[:SS]] */
static bool take_time(const char **at, int hours_max, int64_t *ret_time)
{
    int part[3] = {0};
    bool minus = take(at, '-');

    if (!minus) {
        (void)take(at, '+');
    }
    if (!take_number(at, 0, hours_max, &part[0])) {
        return false;
    }
    for (int i = 1; i < 3 && take(at, ':'); i++) {
        if (!take_number(at, 0, 59, &part[i])) {
            return false;
        }
    }
    int64_t time = part[0] * 3600 + part[1] * 60 + part[2];
    *ret_time = (minus ? -time : time) * SECOND_MS;
    return true;
}

/* POSIX counts what is to be added to local time to come to UTC. */
static bool take_offset(const char **at, int64_t *ret_offset)
{
    int64_t west;

    if (!take_time(at, HOURS_MAX, &west)) {
        return false;
    }
    *ret_offset = -west;
    return true;
}

static bool take_day(const char **at, struct yearly_edge *edge)
{
    if (take(at, 'M')) {
        edge->form = 'M';
        return take_number(at, 1, 12, &edge->month) && take(at, '.') &&
               take_number(at, 1, 5, &edge->week) && take(at, '.') &&
               take_number(at, 0, 6, &edge->day);
    }
    edge->form = take(at, 'J') ? 'J' : '0';
    return take_number(at, edge->form == 'J', 365, &edge->day);
}

static bool take_edge(const char **at, struct yearly_edge *edge)
{
    edge->time = 2 * 3600 * SECOND_MS;
    return take(at, ',') && take_day(at, edge) &&
           (!take(at, '/') || take_time(at, RULE_HOURS_MAX, &edge->time));
}

static bool take_summer(const char **at, struct yearly *yearly)
{
    yearly->changes = true;
    yearly->summer = yearly->standard + 3600 * SECOND_MS;
    return take_name(at) && (**at == ',' || take_offset(at, &yearly->summer)) &&
           take_edge(at, &yearly->begin) && take_edge(at, &yearly->end);
}

int yearly_read(const char *text, struct yearly *ret_yearly, struct err *err)
{
    struct yearly yearly = {0};
    const char *at = text;

    if (!take_name(&at) || !take_offset(&at, &yearly.standard) ||
        (*at != '\0' && !take_summer(&at, &yearly)) || *at != '\0') {
        return err_set(err, ERR_REJECT,
                       "its rule for years to come is not one: '%.40s'", text);
    }
    *ret_yearly = yearly;
    return 0;
}

/* Reckoning */

/* The week-th such weekday of a month. */
static int64_t weekday_in_month(const struct yearly_edge *edge, int64_t year)
{
    int64_t first = date_days((struct date){year, edge->month, 1});
    int day = (edge->day - weekday_of(first) + 7) % 7 + 7 * (edge->week - 1);

    if (day >= month_days(year, edge->month)) {
        day -= 7;
    }
    return first + day;
}

/* Milliseconds that the clock shows at a change of that year. */
static int64_t edge_in(const struct yearly_edge *edge, int64_t year)
{
    int64_t day = date_days((struct date){year, 1, 1}) + edge->day;

    if (edge->form == 'M') {
        day = weekday_in_month(edge, year);
    } else if (edge->form == 'J') {
        day -= edge->day < 60 || month_days(year, 2) == 28;
    }
    return day * DAY_MS + edge->time;
}

/* Narrows a span about a moment by one change. Of two at one moment the later
 * asked counts. */
static void narrow(struct span *span, int64_t moment, int64_t at,
                   int64_t offset)
{
    if (at <= moment && at >= span->from) {
        span->from = at;
        span->offset = offset;
    } else if (at > moment && at < span->until) {
        span->until = at;
    }
}

struct span yearly_span(const struct yearly *yearly, int64_t moment)
{
    struct span span = {SPAN_BEGIN, SPAN_END, yearly->standard};
    int64_t year = date_of(floor_div(moment, DAY_MS)).year;

    if (!yearly->changes) {
        return span;
    }
    /* A change's time may carry it a week into another year. */
    for (int64_t y = year - 2; y <= year + 2; y++) {
        narrow(&span, moment, edge_in(&yearly->end, y) - yearly->summer,
               yearly->standard);
        narrow(&span, moment, edge_in(&yearly->begin, y) - yearly->standard,
               yearly->summer);
    }
    return span;
}

/* told.c: see told.h. */
#include "producer/submit/told.h"

#include <string.h>
#include <time.h>

#include "base/words.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* Moments */

/* Days since some day, of the local calendar. */
static int64_t day_of(const struct tm *tm)
{
    struct tm noon = {.tm_year = tm->tm_year,
                      .tm_mon = tm->tm_mon,
                      .tm_mday = tm->tm_mday,
                      .tm_hour = 12};

    return timegm(&noon) / DAY;
}

/* The day alone. */
static char *told_day(const struct tm *at, const struct tm *today)
{
    int64_t ago = day_of(today) - day_of(at);
    char day[40];

    if (ago == 0 || ago == 1) {
        return must_strdup(ago == 0 ? "today" : "yesterday");
    }
    size_t n = at->tm_year == today->tm_year
                   ? strftime(day, sizeof(day), "on %-d %B", at)
                   : strftime(day, sizeof(day), "on %-d %B %Y", at);
    return must_strdup(n > 0 ? day : "some day");
}

char *told_moment(int64_t moment, int64_t now)
{
    time_t then = moment / 1000;
    time_t present = now / 1000;
    struct tm at;
    struct tm today;

    if (localtime_r(&then, &at) == NULL ||
        localtime_r(&present, &today) == NULL) {
        return must_strdup("some day");
    }
    _cleanup_free_ char *day = told_day(&at, &today);
    return must_printf("%s at %02d:%02d", day, at.tm_hour, at.tm_min);
}

/* Durations */

static char *counted(int64_t n, const char *unit)
{
    return must_printf("%lld %s%s", (long long)n, unit, n == 1 ? "" : "s");
}

char *told_duration(int64_t ms)
{
    static const struct unit {
        int64_t seconds;
        const char *name;
    } units[] = {
        {DAY, "day"}, {HOUR, "hour"}, {MINUTE, "minute"}, {1, "second"}};
    int64_t seconds = (ms + 500) / 1000;
    size_t i = 0;

    if (seconds < 1) {
        return must_strdup("less than a second");
    }
    while (seconds < units[i].seconds) {
        i++;
    }
    _cleanup_free_ char *most =
        counted(seconds / units[i].seconds, units[i].name);
    int64_t rest = i + 1 == ARRAY_SIZE(units)
                       ? 0
                       : seconds % units[i].seconds / units[i + 1].seconds;
    if (rest == 0) {
        return take_ptr(most);
    }
    _cleanup_free_ char *least = counted(rest, units[i + 1].name);
    return must_printf("%s and %s", most, least);
}

/* Outcomes */

/* `said` goes on "It" or "On web-1 it"; `then` is a sentence of its own. */
static const struct row {
    const char *run;
    const char *said;
    const char *then;
} rows[] = {
    [OUTCOME_NONE] = {"it goes on", "goes on", NULL},
    [OUTCOME_SUCCEEDED] = {"it worked", "worked", NULL},
    [OUTCOME_FAILED] = {"it did not work", "did not work", NULL},
    [OUTCOME_TIMED_OUT] = {"it took too long", "did not work",
                           "It took longer than it may, and was stopped."},
    [OUTCOME_CANCELLED] = {"it was cancelled", "was cancelled", NULL},
    [OUTCOME_EXPIRED] = {"it was not started", "was not started",
                         "The machine did not take it up in time: nothing was "
                         "done there."},
    [OUTCOME_INTERRUPTED] = {"it was broken off", "was broken off", NULL},
    [OUTCOME_LOST] = {"nobody knows how it went", "is not known how it went",
                      "The machine has not been heard of since. It may have "
                      "worked: have somebody look before you try again."},
};

static const struct row *row_of(int outcome)
{
    return &rows[outcome < 0 || (size_t)outcome >= ARRAY_SIZE(rows)
                     ? OUTCOME_NONE
                     : outcome];
}

const char *told_run(int outcome, bool waits)
{
    return outcome == OUTCOME_NONE && waits ? "it waits for approval"
                                            : row_of(outcome)->run;
}

/* What the outcome alone does not say. */
static void add_why(struct buf *out, const struct execution_row *row)
{
    if (row->outcome == OUTCOME_FAILED && row->signal > 0) {
        (void)buf_addf(out, " It was ended from outside (signal %lld).",
                       (long long)row->signal);
    } else if (row->outcome == OUTCOME_FAILED && row->exit != 0) {
        (void)buf_addf(out, " It ended with an error (number %lld).",
                       (long long)row->exit);
    } else if (row->outcome == OUTCOME_INTERRUPTED) {
        (void)buf_adds(out, row->was_started
                                ? " It may have done a part of its work."
                                : " It had not begun: nothing was done.");
    }
    if (row->reason != NULL && row_of(row->outcome)->then == NULL) {
        (void)buf_addf(out, " The reason: %s.", row->reason);
    }
}

static void add_took(struct buf *out, const struct execution_row *row)
{
    int64_t ms = row->started == 0 ? 0 : row->finished - row->started;

    if (row->outcome > OUTCOME_FAILED || row->outcome == OUTCOME_NONE) {
        return;
    }
    _cleanup_free_ char *took = told_duration(ms);
    (void)buf_addf(out, " It took %s.", took);
    if (row->chunks == 0) {
        (void)buf_adds(out, " It wrote nothing.");
    }
}

char *told_execution(const struct execution_row *row, bool many)
{
    const struct row *words = row_of(row->outcome);
    struct buf out = {0};

    if (many) {
        (void)buf_addf(&out, "On %s it %s.", row->target, words->said);
    } else {
        (void)buf_addf(&out, "It %s.", words->said);
    }
    if (words->then != NULL) {
        (void)buf_addf(&out, " %s", words->then);
    }
    add_why(&out, row);
    add_took(&out, row);
    return buf_take(&out);
}

/* A label stands for those that bear it. */
static void add_place(struct buf *out, const char *target)
{
    if (strcmp(target, "@all") == 0) {
        (void)buf_adds(out, "all machines");
    } else if (target[0] == '@') {
        (void)buf_addf(out, "all machines with %s", target + 1);
    } else {
        (void)buf_adds(out, target);
    }
}

char *told_places(const struct list *targets)
{
    struct buf out = {0};

    for (size_t i = 0; i < targets->n; i++) {
        const char *between = i + 1 == targets->n ? " and " : ", ";
        (void)buf_adds(&out, i == 0 ? "" : between);
        add_place(&out, list_at(targets, char *, i));
    }
    return out.len == 0 ? must_strdup("nowhere") : buf_take(&out);
}

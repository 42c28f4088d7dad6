/* clock.c: see clock.h. RFC 3339, section 5.6. */
#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_steady(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

void time_format(int64_t moment, char text[static TIME_TEXT])
{
    time_t seconds = (time_t)(moment / 1000);
    struct tm tm;

    (void)gmtime_r(&seconds, &tm);
    (void)snprintf(text, TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
                   (unsigned)(tm.tm_year + 1900) % 10000,
                   (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100,
                   (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
                   (unsigned)tm.tm_sec % 100, (unsigned)(moment % 1000));
}

/* Digits where the pattern has a 0, the same byte elsewhere. */
static bool looks_like(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; text++, pattern++) {
        if (*pattern == '0' ? !isdigit((unsigned char)*text)
                            : *text != *pattern) {
            return false;
        }
    }
    return *text == '\0';
}

static int digits(const char *text, int n)
{
    int value = 0;

    while (n-- > 0) {
        value = value * 10 + (*text++ - '0');
    }
    return value;
}

int time_parse(const char *text, int64_t *ret_moment, struct err *err)
{
    if (!looks_like(text, "0000-00-00T00:00:00.000Z")) {
        return err_set(err, ERR_REJECT,
                       "not a time of the form 2026-11-24T01:56:48.123Z");
    }
    struct tm tm = {
        .tm_year = digits(text, 4) - 1900,
        .tm_mon = digits(text + 5, 2) - 1,
        .tm_mday = digits(text + 8, 2),
        .tm_hour = digits(text + 11, 2),
        .tm_min = digits(text + 14, 2),
        .tm_sec = digits(text + 17, 2),
    };
    int64_t moment = (int64_t)timegm(&tm) * 1000 + digits(text + 20, 3);
    char again[TIME_TEXT];

    /* timegm() carries over what is out of range: only what comes back as it
     * was is a real date. */
    if (moment >= 0) {
        time_format(moment, again);
    }
    if (moment < 0 || strcmp(text, again) != 0) {
        return err_set(err, ERR_REJECT, "no such date or time");
    }
    *ret_moment = moment;
    return 0;
}

static const struct unit {
    char letter;
    int64_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

int duration_parse(const char *text, int64_t *ret_seconds, struct err *err)
{
    int64_t total = 0;
    size_t next = 0; /* units come largest first, each once */
    const char *at = text;

    do {
        int64_t n = 0;
        int len = 0;
        while (isdigit((unsigned char)at[len]) && len < 9) {
            n = n * 10 + (at[len++] - '0');
        }
        size_t u = next;
        while (u < ARRAY_SIZE(units) && units[u].letter != at[len]) {
            u++;
        }
        if (len == 0 || u == ARRAY_SIZE(units)) {
            return err_set(err, ERR_REJECT,
                           "not a duration like 30s, 5m, 2h or 7d");
        }
        total += n * units[u].seconds;
        next = u + 1;
        at += len + 1;
    } while (*at != '\0');
    *ret_seconds = total;
    return 0;
}

void duration_format(int64_t seconds, char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t u = 0; u < ARRAY_SIZE(units) && len < size; u++) {
        int64_t n = seconds / units[u].seconds;
        if (n > 0 || (units[u].seconds == 1 && len == 0)) {
            len += (size_t)snprintf(text + len, size - len, "%lld%c",
                                    (long long)n, units[u].letter);
        }
        seconds %= units[u].seconds;
    }
}

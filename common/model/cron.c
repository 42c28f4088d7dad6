/* cron.c: see cron.h. */
#include "model/cron.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/calendar.h"

#define BLANKS " \t"
#define MINUTE_MS INT64_C(60000)
#define DAY_MINUTES 1440
#define SHOWN 40 /* bytes of what is wrong */

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, PARTS };

static const char *const months[] = {"jan", "feb", "mar", "apr", "may",
                                     "jun", "jul", "aug", "sep", "oct",
                                     "nov", "dec", NULL};
static const char *const weekdays[] = {"sun", "mon", "tue", "wed",
                                       "thu", "fri", "sat", NULL};
static const char *const none[] = {NULL};

static const struct part {
    const char *name;
    int min, max;
    int last;                 /* of `*` */
    const char *const *words; /* from min on */
    const char *values;       /* what they are, for people */
} parts[PARTS] = {
    [MINUTE] = {"minute", 0, 59, 59, none, "0 to 59"},
    [HOUR] = {"hour", 0, 23, 23, none, "0 to 23"},
    [DAY] = {"day of month", 1, 31, 31, none, "1 to 31"},
    [MONTH] = {"month", 1, 12, 12, months, "1 to 12 or jan to dec"},
    [WEEKDAY] = {"day of week", 0, 7, 6, weekdays,
                 "0 to 7 (0 and 7 are Sunday) or sun to sat"},
};

static const struct {
    const char *word;
    const char *fields;
} shorthands[] = {
    {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},  {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

/* Part of a field, as it stands in the text. */
struct piece {
    const char *at;
    size_t len;
};

/* "minute: '61' is not one; here can stand …". Always -1. */
_printf_(4, 5) static int refuse(struct err *err, const struct part *part,
                                 struct piece piece, const char *fmt, ...)
{
    char why[120];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    return err_set(err, ERR_REJECT,
                   "%s: '%.*s' %s; here can stand %s: one, a range %d-%d, "
                   "steps %d-%d/2 or */2, a list of numbers and ranges, or *",
                   part->name, piece.len > SHOWN ? SHOWN : (int)piece.len,
                   piece.at, why, part->values, part->min, part->min + 4,
                   part->min, part->min + 4);
}

/* Cuts a piece at the first of these characters; the rest begins behind it and
 * has a NULL `at` where there was none. */
static struct piece cut(struct piece *rest, char c)
{
    struct piece first = *rest;
    const char *end = memchr(first.at, c, first.len);

    if (end == NULL) {
        *rest = (struct piece){NULL, 0};
        return first;
    }
    first.len = (size_t)(end - first.at);
    rest->at += first.len + 1;
    rest->len -= first.len + 1;
    return first;
}

/* At most two digits; -1: not a number. */
static int number_of(struct piece piece)
{
    int value = 0;

    if (piece.len < 1 || piece.len > 2) {
        return -1;
    }
    for (size_t i = 0; i < piece.len; i++) {
        if (piece.at[i] < '0' || piece.at[i] > '9') {
            return -1;
        }
        value = value * 10 + (piece.at[i] - '0');
    }
    return value;
}

/* A number or a word of the part's; -1: neither. */
static int value_of(const struct part *part, struct piece piece)
{
    int value = number_of(piece);

    for (int i = 0; value < 0 && part->words[i] != NULL; i++) {
        if (piece.len == 3 && strncasecmp(piece.at, part->words[i], 3) == 0) {
            return part->min + i;
        }
    }
    return value >= part->min && value <= part->max ? value : -1;
}

static int read_step(const struct part *part, struct piece whole,
                     struct piece text, int most, struct err *err)
{
    int step = number_of(text);

    return step >= 1 && step <= most
               ? step
               : refuse(err, part, whole,
                        most < 1 ? "has nothing to step through"
                                 : "has a step that is not 1 to %d",
                        most);
}

/* NUMBER, NUMBER-NUMBER or NUMBER-NUMBER/STEP */
static int read_range(const struct part *part, struct piece whole,
                      uint64_t *bits, struct err *err)
{
    struct piece step_text = whole;
    struct piece to_text = cut(&step_text, '/');
    int from = value_of(part, cut(&to_text, '-'));
    bool single = to_text.at == NULL;
    int to = single ? from : value_of(part, to_text);
    int step = 1;

    if (from < 0 || to < 0) {
        return refuse(err, part, whole, "is not one");
    }
    if (to < from) {
        return refuse(err, part, whole, "ends before it begins");
    }
    if (step_text.at != NULL) {
        step = single ? refuse(err, part, whole,
                               "has a step and nothing to step through")
                      : read_step(part, whole, step_text, to - from, err);
    }
    for (int i = from; step > 0 && i <= to; i += step) {
        *bits |= UINT64_C(1) << i;
    }
    return step > 0 ? 0 : -1;
}

static int read_star(const struct part *part, struct piece whole,
                     uint64_t *bits, struct err *err)
{
    struct piece text = whole;
    int step = 1;

    if (cut(&text, '/').len != 1) {
        return refuse(err, part, whole,
                      "has * beside others: it stands alone, or with a step");
    }
    if (text.at != NULL) {
        step = read_step(part, whole, text, part->last - part->min, err);
    }
    for (int i = part->min; step > 0 && i <= part->last; i += step) {
        *bits |= UINT64_C(1) << i;
    }
    return step > 0 ? 0 : -1;
}

static int read_part(const struct part *part, struct piece whole,
                     uint64_t *bits, struct err *err)
{
    struct piece rest = whole;

    *bits = 0;
    if (whole.at[0] == '*') {
        return read_star(part, whole, bits, err);
    }
    while (rest.at != NULL) {
        if (read_range(part, cut(&rest, ','), bits, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* -1: no month that is given has such a day. */
static int check_days(const struct cron *cron, struct piece text,
                      struct err *err)
{
    for (int month = 1; month <= 12; month++) {
        int most = month_days(2000, month); /* a leap year */
        if ((cron->months >> month & 1) != 0 &&
            (cron->days & ((UINT64_C(2) << most) - 1)) != 0) {
            return 0;
        }
    }
    return refuse(err, &parts[DAY], text, "never comes in the months given");
}

static int set_parts(const struct piece *texts, struct cron *cron,
                     struct err *err)
{
    uint64_t bits[PARTS];

    for (int i = 0; i < PARTS; i++) {
        if (read_part(&parts[i], texts[i], &bits[i], err) != 0) {
            return -1;
        }
    }
    *cron = (struct cron){
        .minutes = bits[MINUTE],
        .hours = (uint32_t)bits[HOUR],
        .days = (uint32_t)bits[DAY],
        .months = (uint32_t)bits[MONTH],
        .weekdays = (uint32_t)((bits[WEEKDAY] & 0x7f) | bits[WEEKDAY] >> 7),
        .wild = *texts[MINUTE].at == '*' || *texts[HOUR].at == '*',
        .both = *texts[DAY].at == '*' || *texts[WEEKDAY].at == '*',
    };
    return check_days(cron, texts[DAY], err);
}

/* The fields of a word that begins with @. */
static const char *spelt_out(const char *text, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(shorthands); i++) {
        if (strcmp(text, shorthands[i].word) == 0) {
            return shorthands[i].fields;
        }
    }
    (void)err_set(err, ERR_REJECT,
                  "'%.*s' is none of @hourly, @daily, @midnight, @weekly, "
                  "@monthly, @yearly, @annually",
                  SHOWN, text);
    return NULL;
}

/* How many fields; at most `max` of them are set. */
static size_t split(const char *text, struct piece *texts, size_t max)
{
    size_t n = 0;

    for (text += strspn(text, BLANKS); *text != '\0'; n++) {
        size_t len = strcspn(text, BLANKS);
        if (n < max) {
            texts[n] = (struct piece){text, len};
        }
        text += len;
        text += strspn(text, BLANKS);
    }
    return n;
}

/* So that what is shown of it can be shown anywhere. */
static bool is_plain(const char *text)
{
    while (*text != '\0' && (*text == '\t' || (*text >= ' ' && *text <= '~'))) {
        text++;
    }
    return *text == '\0';
}

int cron_parse(const char *text, struct cron *ret_cron, struct err *err)
{
    struct piece texts[PARTS];
    struct cron cron;

    if (strlen(text) > CRON_MAX) {
        return err_set(err, ERR_REJECT, "over %d bytes", CRON_MAX);
    }
    if (!is_plain(text)) {
        return err_set(err, ERR_REJECT,
                       "holds what no schedule does: it is digits, English "
                       "letters, and * , - / @");
    }
    if (text[0] == '@' && (text = spelt_out(text, err)) == NULL) {
        return -1;
    }
    size_t n = split(text, texts, PARTS);
    if (n != PARTS) {
        return err_set(err, ERR_REJECT,
                       "%zu field%s, and a schedule has five: minute, hour, "
                       "day of month, month, day of week, as in 0 3 * * 1-5; "
                       "or it is one word, such as @daily",
                       n, n == 1 ? "" : "s");
    }
    if (set_parts(texts, &cron, err) != 0) {
        return -1;
    }
    *ret_cron = cron;
    return 0;
}

static bool day_matches(const struct cron *cron, int64_t days, int day)
{
    bool of_month = (cron->days >> day & 1) != 0;
    bool of_week = (cron->weekdays >> weekday_of(days) & 1) != 0;

    return cron->both ? of_month && of_week : of_month || of_week;
}

/* The first minute of a day at or after that one; -1: none. */
static int minute_of_day(const struct cron *cron, int minute)
{
    for (int hour = minute / 60; hour < 24; hour++, minute = hour * 60) {
        uint64_t left = cron->minutes >> minute % 60;
        if ((cron->hours >> hour & 1) != 0 && left != 0) {
            return minute + __builtin_ctzll(left);
        }
    }
    return -1;
}

bool cron_match(const struct cron *cron, int64_t from, int64_t until,
                int64_t *ret_local)
{
    int64_t minutes = -floor_div(-from, MINUTE_MS); /* rounded up */
    int64_t days = floor_div(minutes, DAY_MINUTES);
    int minute = (int)(minutes - days * DAY_MINUTES);

    while (days * DAY_MS < until) {
        struct date date = date_of(days);
        if ((cron->months >> date.month & 1) == 0) {
            days += month_days(date.year, date.month) - date.day + 1;
            minute = 0;
            continue;
        }
        int found = day_matches(cron, days, date.day)
                        ? minute_of_day(cron, minute)
                        : -1;
        if (found >= 0) {
            *ret_local = days * DAY_MS + found * MINUTE_MS;
            return *ret_local < until;
        }
        days++;
        minute = 0;
    }
    return false;
}

/*
 * cmd_schedule.c: schedule next: when a schedule fires, by what the clock of
 * its zone shows and by UTC, so that nobody is surprised in the night when
 * clocks are changed. Asks nobody: the same code decides everywhere.
 */
#include <string.h>

#include "base/clock.h"
#include "model/once.h"
#include "producer/submit/submit.h"

#define COUNT_DEFAULT 5
#define COUNT_MAX 1000
#define MINUTE_CHARS 16 /* 2026-03-29T02:30 */

struct tick_row {
    char *local; /* 2026-03-29T02:30 */
    char *zone;
    int64_t moment;
    bool skipped; /* the clock never showed it */
    bool again;   /* it did before */
};

static const struct field tick_row_fields[] = {
    {"local", FIELD_TEXT, .at = offsetof(struct tick_row, local)},
    {"zone", FIELD_TEXT, .at = offsetof(struct tick_row, zone)},
    {"moment", FIELD_TIME, .at = offsetof(struct tick_row, moment)},
    {"skipped", FIELD_BOOL, .at = offsetof(struct tick_row, skipped)},
    {"again", FIELD_BOOL, .at = offsetof(struct tick_row, again)},
};

static const struct table tick_row_table = {
    .name = "tick", TABLE(tick_row_fields), .size = sizeof(struct tick_row)};

/* What a clock shows: year, month, day, hour and minute. */
static char *minute_of(int64_t local)
{
    char text[TIME_TEXT];

    time_format(local, text);
    return must_printf("%.*s", MINUTE_CHARS, text);
}

static char *spaced(char *minute)
{
    char *at = strchr(minute, 'T');

    if (at != NULL) {
        *at = ' ';
    }
    return minute;
}

static char *local_of(const void *row)
{
    return spaced(must_strdup(((const struct tick_row *)row)->local));
}

static char *utc_of(const void *row)
{
    return spaced(minute_of(((const struct tick_row *)row)->moment));
}

static char *note_of(const void *row)
{
    const struct tick_row *tick = row;

    if (tick->skipped) {
        return must_strdup("skipped by the clock: right after the change");
    }
    return tick->again ? must_strdup("for the second time") : NULL;
}

static const struct column tick_columns[] = {
    {"local", COLUMN_MADE, .make = local_of},
    {"utc", COLUMN_MADE, .make = utc_of},
    {"note", COLUMN_MADE, .make = note_of},
};

static const struct noun tick_noun = {.nothing = "it does not come any more",
                                      .table = &tick_row_table,
                                      .columns = tick_columns,
                                      .n = ARRAY_SIZE(tick_columns)};

struct wish {
    struct cron cron;
    const char *name; /* of the zone */
    struct zone *zone;
    struct tick from;
    int64_t count;
};

static int read_after(const struct submit *submit, struct wish *wish,
                      struct err *err)
{
    const char *text = flag_value(submit, "after");
    struct tick tick = {.moment = clock_now()};

    if (text != NULL && once_parse(text, wish->zone, &tick, err) != 0) {
        err->status = EXIT_USAGE;
        return err_wrap(err, "--after %.60s", text);
    }
    wish->from = tick_start(tick.moment);
    return 0;
}

static int read_wish(const struct submit *submit, struct wish *wish,
                     struct err *err)
{
    const char *zone = flag_value(submit, "zone");

    wish->name = zone == NULL ? "UTC" : zone;
    if (cron_parse(submit->args[0], &wish->cron, err) != 0) {
        err->status = EXIT_DATA;
        return -1;
    }
    wish->zone = zone_open(wish->name, err);
    return wish->zone == NULL || flag_limit(submit, COUNT_DEFAULT, COUNT_MAX,
                                            &wish->count, err) != 0
               ? -1
               : read_after(submit, wish, err);
}

static void find_rows(const struct wish *wish, struct list *rows)
{
    struct tick tick = wish->from;

    for (long i = 0; i < wish->count; i++) {
        if (!tick_next(&wish->cron, wish->zone, &tick, &tick)) {
            return;
        }
        struct tick_row *row = list_grow(rows, sizeof(*row));
        *row = (struct tick_row){
            .local = minute_of(tick.local),
            .zone = must_strdup(wish->name),
            .moment = tick.moment,
            .skipped = zone_local(wish->zone, tick.moment) != tick.local,
            .again = tick.fold != 0,
        };
    }
}

static int print_wish(struct submit *submit, const struct wish *wish,
                      struct err *err)
{
    struct list rows = {0};

    find_rows(wish, &rows);
    int done = print_rows(&submit->print, &tick_noun, &rows, err);
    for (size_t i = 0; i < rows.n; i++) {
        table_done(&tick_row_table, &list_at(&rows, struct tick_row, i));
    }
    free(rows.items);
    return done;
}

int cmd_schedule_next(struct submit *submit, struct err *err)
{
    struct wish wish = {0};
    int done = read_wish(submit, &wish, err);

    if (done == 0) {
        done = print_wish(submit, &wish, err);
    }
    zone_free(wish.zone);
    return done;
}

/*
 * cmd_schedule_next.c: schedule next: when a schedule fires, by what the clock
 * of its zone shows and by UTC, so that nobody is surprised in the night when
 * clocks are changed. Of a schedule that is typed, it asks nobody: the same
 * code decides everywhere. Of a command it asks which it has.
 */
#include <string.h>

#include "base/clock.h"
#include "model/once.h"
#include "model/timing.h"
#include "producer/submit/timetable.h"

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

/* One of the schedules, and its next tick. */
struct wished {
    const char *zone;
    struct timing timing;
    struct tick tick;
    bool comes;
};

struct wish {
    struct list all; /* struct wished */
    int64_t count;
};

static void wish_done(struct wish *wish)
{
    for (size_t i = 0; i < wish->all.n; i++) {
        timing_done(&list_at(&wish->all, struct wished, i).timing);
    }
    free(wish->all.items);
}

#define _cleanup_wish_ _cleanup_(wish_done)

static int read_after(const struct submit *submit, const struct zone *zone,
                      struct tick *ret_from, struct err *err)
{
    const char *text = flag_value(submit, "after");
    struct tick tick = {.moment = clock_now()};

    if (text != NULL && once_parse(text, zone, &tick, err) != 0) {
        err->status = EXIT_USAGE;
        return err_wrap(err, "--after %.60s", text);
    }
    *ret_from = tick_start(tick.moment);
    return 0;
}

static int add_wished(const struct submit *submit,
                      const struct schedule_set *set, struct wish *wish,
                      struct err *err)
{
    struct wished *wished = list_grow(&wish->all, sizeof(*wished));
    struct tick from;

    wished->zone = set->zone;
    if (timing_read(set, &wished->timing, err) != 0) {
        err->status = EXIT_DATA;
        return -1;
    }
    if (read_after(submit, wished->timing.zone, &from, err) != 0) {
        return -1;
    }
    wished->comes = timing_next(&wished->timing, &from, &wished->tick);
    return 0;
}

/* The one that comes first; NULL: none does any more. */
static struct wished *first_of(const struct wish *wish)
{
    struct wished *first = NULL;

    for (size_t i = 0; i < wish->all.n; i++) {
        struct wished *one = &list_at(&wish->all, struct wished, i);
        if (one->comes &&
            (first == NULL || tick_is_behind(&first->tick, &one->tick))) {
            first = one;
        }
    }
    return first;
}

static void find_rows(const struct wish *wish, struct list *rows)
{
    struct wished *one;

    for (long i = 0; i < wish->count && (one = first_of(wish)) != NULL; i++) {
        const struct tick *tick = &one->tick;
        struct tick_row *row = list_grow(rows, sizeof(*row));
        *row = (struct tick_row){
            .local = minute_of(tick->local),
            .zone = must_strdup(one->zone),
            .moment = tick->moment,
            .skipped =
                zone_local(one->timing.zone, tick->moment) != tick->local,
            .again = tick->fold != 0,
        };
        one->comes = timing_next(&one->timing, &one->tick, &one->tick);
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

static int next_of_typed(struct submit *submit, struct wish *wish,
                         struct err *err)
{
    const char *zone = flag_value(submit, "zone");
    struct schedule_set set = {.cron = submit->args[0],
                               .zone = (char *)(zone == NULL ? "UTC" : zone)};

    return add_wished(submit, &set, wish, err) != 0
               ? -1
               : print_wish(submit, wish, err);
}

/* What is paused or stopped fires nothing, and is told. */
static int next_of_told(struct submit *submit,
                        const struct schedules_answer *told, struct wish *wish,
                        struct err *err)
{
    for (size_t i = 0; i < told->schedules.n; i++) {
        const struct schedule_row *row =
            &list_at(&told->schedules, struct schedule_row, i);
        struct schedule_set set = {
            .cron = row->cron, .at = row->at, .zone = row->zone};
        if (row->paused || row->stopped != NULL) {
            _cleanup_free_ char *text = schedule_text(row->cron, row->at);
            say("%s is %s", text, row->paused ? "paused" : row->stopped);
        } else if (add_wished(submit, &set, wish, err) != 0) {
            return -1;
        }
    }
    return print_wish(submit, wish, err);
}

static int next_of_command(struct submit *submit, struct wish *wish,
                           struct err *err)
{
    struct schedules_answer told = {0};

    if (flag_given(submit, "zone")) {
        return err_exit(err, EXIT_USAGE,
                        "--zone: a command's file says its zone itself");
    }
    submit->profile = profile_open(err);
    if (submit->profile == NULL ||
        timetable_ask(submit, submit->args[0], &told, err) != 0) {
        return -1;
    }
    int done = next_of_told(submit, &told, wish, err);
    table_done(&schedules_answer_table, &told);
    return done;
}

int cmd_schedule_next(struct submit *submit, struct err *err)
{
    _cleanup_wish_ struct wish wish = {0};

    if (flag_limit(submit, COUNT_DEFAULT, COUNT_MAX, &wish.count, err) != 0) {
        return -1;
    }
    return name_is_good(submit->args[0]) ? next_of_command(submit, &wish, err)
                                         : next_of_typed(submit, &wish, err);
}

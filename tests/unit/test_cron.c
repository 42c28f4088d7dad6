/* test_cron.c: schedules, zones and ticks against tests/tables/cron.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "model/once.h"
#include "tests/unit/columns.h"

#define TABLE_PATH "tests/tables/cron.txt"
#define MINUTE_TEXT 17 /* 2026-03-29T02:30 */
#define TICK_TEXT 40

static void parse(const char *text, struct cron *ret_cron)
{
    struct err err = {0};

    if (cron_parse(text, ret_cron, &err) != 0) {
        fail_msg("'%s': %s", text, err.text);
    }
}

static struct zone *zone_named(const char *name)
{
    struct err err = {0};
    struct zone *zone = zone_open(name, &err);

    if (zone == NULL) {
        fail_msg("%s", err.text);
    }
    return zone;
}

static int64_t moment_of(const char *minute)
{
    char text[64];
    struct err err = {0};
    int64_t moment = 0;

    (void)snprintf(text, sizeof(text), "%s:00.000Z", minute);
    if (time_parse(text, &moment, &err) != 0) {
        fail_msg("'%s': %s", minute, err.text);
    }
    return moment;
}

static void tick_format(const struct tick *tick, char text[static TICK_TEXT])
{
    char local[TIME_TEXT];
    char moment[TIME_TEXT];

    time_format(tick->local, local);
    time_format(tick->moment, moment);
    (void)snprintf(text, TICK_TEXT, "%.16s%s=%.16s", local,
                   tick->fold == 0 ? "" : "~", moment);
}

static void each(const char *word, void (*check)(const struct columns *row),
                 size_t at_least)
{
    struct columns rows;
    size_t n = 0;

    columns_open(&rows, TABLE_PATH);
    while (columns_next_of(&rows, word)) {
        check(&rows);
        n++;
    }
    assert_true(n >= at_least);
}

static void check_same(const struct columns *row)
{
    struct cron one;
    struct cron other;

    parse(row->cells[1], &one);
    parse(row->cells[2], &other);
    if (one.minutes != other.minutes || one.hours != other.hours ||
        one.days != other.days || one.months != other.months ||
        one.weekdays != other.weekdays || one.both != other.both ||
        one.wild != other.wild) {
        fail_msg("%s:%zu: not the same", row->path, row->line);
    }
}

static void check_bad(const struct columns *row)
{
    struct cron cron = {.minutes = 77};
    struct err err = {0};

    if (cron_parse(row->cells[1], &cron, &err) == 0) {
        fail_msg("%s:%zu: taken", row->path, row->line);
    }
    assert_int_equal(err.kind, ERR_REJECT);
    assert_true(cron.minutes == 77 && strlen(err.text) < 300);
    if (strncmp(err.text, row->cells[2], strlen(row->cells[2])) != 0 ||
        strstr(err.text, row->cells[3]) == NULL) {
        fail_msg("%s:%zu: '%s'", row->path, row->line, err.text);
    }
}

static void check_zone(const struct columns *row)
{
    struct err err = {0};
    _cleanup_zone_ struct zone *zone = zone_open(row->cells[1], &err);
    const char *said = zone == NULL ? err.text : "ok";

    if (strstr(said, row->cells[2]) == NULL) {
        fail_msg("%s:%zu: '%s'", row->path, row->line, said);
    }
    assert_true(zone != NULL || err.kind == ERR_REJECT);
}

/* The table's ticks one after the other, and that each is due and none beside
 * it. */
static void check_fires(const struct columns *row)
{
    _cleanup_zone_ struct zone *zone = zone_named(row->cells[2]);
    struct tick tick = tick_start(moment_of(row->cells[3]));
    struct cron cron;
    char *rest = NULL;

    parse(row->cells[1], &cron);
    for (char *expected = strtok_r(row->cells[4], " ", &rest); expected != NULL;
         expected = strtok_r(NULL, " ", &rest)) {
        char text[TICK_TEXT] = "none";
        if (tick_next(&cron, zone, &tick, &tick)) {
            tick_format(&tick, text);
            assert_true(tick_is_due(&cron, zone, &tick));
        }
        if (strcmp(text, expected) != 0) {
            fail_msg("%s:%zu: %s instead of %s", row->path, row->line, text,
                     expected);
        }
    }
}

static void expect_text(const struct columns *row, const char *text,
                        const char *expected)
{
    if (strstr(text, expected) == NULL) {
        fail_msg("%s:%zu: '%s' instead of '%s'", row->path, row->line, text,
                 expected);
    }
}

static void check_last(const struct columns *row)
{
    _cleanup_zone_ struct zone *zone = zone_named(row->cells[2]);
    char text[TICK_TEXT] = "none";
    struct tick tick;
    struct cron cron;

    parse(row->cells[1], &cron);
    if (tick_last(&cron, zone, moment_of(row->cells[3]),
                  moment_of(row->cells[4]), &tick)) {
        tick_format(&tick, text);
    }
    expect_text(row, text, row->cells[5]);
}

static void check_once(const struct columns *row)
{
    _cleanup_zone_ struct zone *zone = zone_named(row->cells[2]);
    char text[TICK_TEXT];
    struct tick tick = {.fold = 77};
    struct err err = {0};

    if (once_parse(row->cells[1], zone, &tick, &err) == 0) {
        tick_format(&tick, text);
        expect_text(row, text, row->cells[3]);
    } else {
        assert_true(tick.fold == 77 && err.kind == ERR_REJECT);
        expect_text(row, err.text, row->cells[3]);
    }
}

static void a_schedule_can_be_said_in_several_ways(void **state)
{
    (void)state;
    each("same", check_same, 20);
}

static void
what_is_no_schedule_is_told_which_field_and_what_could_be(void **state)
{
    (void)state;
    each("bad", check_bad, 50);
}

static void a_zone_is_known_by_its_iana_name_alone(void **state)
{
    (void)state;
    each("zone", check_zone, 20);
}

static void a_schedule_fires_when_debians_cron_does(void **state)
{
    (void)state;
    each("fires", check_fires, 60);
}

static void the_last_of_those_missed_is_found(void **state)
{
    (void)state;
    each("last", check_last, 9);
}

static void a_time_that_is_said_is_one_moment_or_refused(void **state)
{
    (void)state;
    each("once", check_once, 50);
}

/* The expected one is Python's: hashlib over what tick.h says, and uuid. */
static void a_ticks_id_is_derived_from_its_name(void **state)
{
    struct id schedule;
    struct tick tick = {.moment = moment_of("2026-10-25T01:30"),
                        .local = moment_of("2026-10-25T02:30"),
                        .fold = 1};
    char text[ID_TEXT];

    (void)state;
    assert_int_equal(
        id_parse("01a20bef-00ff-7abc-8def-0123456789ab", &schedule), 0);
    struct id id = tick_id(&schedule, "Europe/Berlin", &tick);
    id_format(&id, text);
    assert_string_equal(text, "01a170ad-c9c0-8663-8743-00053475d966");
    assert_int_equal(id_version(&id), 8);
    assert_true(id_time(&id) == tick.moment);
    tick.fold = 0;
    struct id other = tick_id(&schedule, "Europe/Berlin", &tick);
    assert_false(id_equal(&id, &other));
}

static void a_text_that_is_too_long_is_refused(void **state)
{
    char text[2000];
    struct cron cron;
    struct err err = {0};

    (void)state;
    memset(text, '1', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(cron_parse(text, &cron, &err), -1);
    assert_string_equal(err.text, "over 400 bytes");
    text[CRON_MAX] = '\0';
    assert_int_equal(cron_parse(text, &cron, &err), -1);
    assert_true(strlen(err.text) < 300);
}

static void what_is_beside_a_tick_is_not_due(void **state)
{
    _cleanup_zone_ struct zone *zone = zone_named("Europe/Berlin");
    struct cron cron;
    struct tick tick = tick_start(moment_of("2026-10-25T00:59"));

    (void)state;
    parse("0 * * * *", &cron);
    assert_true(tick_next(&cron, zone, &tick, &tick) && tick.fold == 1);
    for (int i = 0; i < 6; i++) {
        struct tick other = tick;
        int64_t by = i % 2 == 0 ? 60000 : -1;
        other.moment += i / 2 == 0 ? by : 0;
        other.local += i / 2 == 1 ? by : 0;
        other.fold += i / 2 == 2 ? i % 2 + 1 : 0;
        assert_false(tick_is_due(&cron, zone, &other));
    }
    assert_false(tick_is_due(&cron, zone, &(struct tick){-1, INT64_MIN, 0}));
    assert_false(tick_is_due(&cron, zone, &(struct tick){0, INT64_MIN, 0}));
    assert_false(tick_is_due(&cron, zone, &(struct tick){INT64_MAX, 0, 0}));
    assert_false(tick_is_due(&cron, zone, &(struct tick){INT64_MIN, 0, 0}));
}

/* The rarest of all that can be said: 29 February, if it is on a weekend. */
static void the_rarest_schedule_comes_within_the_horizon(void **state)
{
    _cleanup_zone_ struct zone *zone = zone_named("UTC");
    struct tick tick = tick_start(0);
    struct cron cron;
    int64_t year = 0;

    (void)state;
    parse("0 0 29 2 */6", &cron);
    while (tick_next(&cron, zone, &tick, &tick)) {
        year = date_of(tick.moment / DAY_MS).year;
    }
    assert_true(year >= 9960);
}

static void days_and_dates_are_each_others_for_ten_thousand_years(void **state)
{
    struct date date = {1970, 1, 1};
    int weekday = 4;

    (void)state;
    for (int64_t days = 0; date.year < 10000; days++) {
        struct date found = date_of(days);
        assert_true(found.year == date.year && found.month == date.month &&
                    found.day == date.day);
        assert_int_equal(date_days(date), days);
        assert_int_equal(weekday_of(days), weekday);
        weekday = (weekday + 1) % 7;
        date.day = date.day % month_days(date.year, date.month) + 1;
        date.month = date.day == 1 ? date.month % 12 + 1 : date.month;
        date.year += date.day == 1 && date.month == 1;
    }
    assert_int_equal(date_of(-1).year, 1969);
    assert_int_equal(date_days((struct date){1969, 12, 31}), -1);
    assert_int_equal(weekday_of(-1), 3);
    assert_int_equal(date_days(date_of(-719469)), -719469);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schedule_can_be_said_in_several_ways),
        cmocka_unit_test(
            what_is_no_schedule_is_told_which_field_and_what_could_be),
        cmocka_unit_test(a_zone_is_known_by_its_iana_name_alone),
        cmocka_unit_test(a_schedule_fires_when_debians_cron_does),
        cmocka_unit_test(the_last_of_those_missed_is_found),
        cmocka_unit_test(a_time_that_is_said_is_one_moment_or_refused),
        cmocka_unit_test(a_ticks_id_is_derived_from_its_name),
        cmocka_unit_test(a_text_that_is_too_long_is_refused),
        cmocka_unit_test(what_is_beside_a_tick_is_not_due),
        cmocka_unit_test(the_rarest_schedule_comes_within_the_horizon),
        cmocka_unit_test(days_and_dates_are_each_others_for_ten_thousand_years),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

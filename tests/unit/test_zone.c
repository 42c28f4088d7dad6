/*
 * test_zone.c: time zones' files: all of the system's are read, and one that is
 * spoilt is not. What is reckoned from them test_cron.c and e2e/test_ticks.py
 * look at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/zone.h"
#include "tests/unit/columns.h"

#define HOUR_MS INT64_C(3600000)
#define HEADER_BYTES 44

static void read_file(const char *name, struct buf *out)
{
    _cleanup_free_ char *path = must_printf("%s/%s", ZONES_FOLDER, name);
    struct err err = {0};

    if (file_read(path, 65536, out, &err) != 0) {
        fail_msg("%s", err.text);
    }
}

static size_t count(const struct buf *file, size_t header, size_t i)
{
    const unsigned char *at = file->data + header + 20 + 4 * i;

    return (size_t)at[2] << 8 | at[3];
}

/* Where the second header is. */
static size_t second(const struct buf *file)
{
    return HEADER_BYTES + count(file, 0, 3) * 5 + count(file, 0, 4) * 6 +
           count(file, 0, 5) + count(file, 0, 2) * 8 + count(file, 0, 1) +
           count(file, 0, 0);
}

/* The file with one byte changed, or cut short or made longer by `more`. */
static void check_spoilt(const struct buf *file, size_t at, unsigned char byte,
                         int more, const char *expected)
{
    size_t n = (size_t)((long)file->len + more);
    _cleanup_free_ unsigned char *copy = must_calloc(n + 1, 1);
    struct err err = {0};

    memcpy(copy, file->data, n < file->len ? n : file->len);
    copy[at] = byte;
    struct zone *zone = zone_read(copy, n, &err);
    if (zone != NULL) {
        fail_msg("taken, but expected: %s", expected);
    }
    assert_int_equal(err.kind, ERR_REJECT);
    if (strstr(err.text, expected) == NULL) {
        fail_msg("'%s' instead of '%s'", err.text, expected);
    }
}

static void a_file_that_is_spoilt_is_refused(void **state)
{
    _cleanup_buf_ struct buf file = {0};

    (void)state;
    read_file("Europe/Berlin", &file);
    size_t head = second(&file);
    size_t times = head + HEADER_BYTES;
    size_t n = count(&file, head, 3);
    size_t types = times + 8 * n;
    check_spoilt(&file, 0, 't', 0, "no TZif");
    check_spoilt(&file, head, 't', 0, "no TZif");
    check_spoilt(&file, 4, '\0', 0, "version");
    check_spoilt(&file, 4, '5', 0, "version");
    check_spoilt(&file, 32, 0x7f, 0, "larger than any");
    check_spoilt(&file, head + 32, 0x7f, 0, "larger than any");
    check_spoilt(&file, head + 31, 1, 0, "leap seconds");
    check_spoilt(&file, head + 23, 1, 0, "don't agree");
    check_spoilt(&file, head + 39, 0, 0, "don't agree");
    check_spoilt(&file, times + 8, 0x7f, 0, "out of order");
    check_spoilt(&file, types, 0xff, 0, "of no type");
    check_spoilt(&file, types + n, 0x7f, 0, "out of its bounds");
    check_spoilt(&file, types + n + 4, 2, 0, "out of its bounds");
    check_spoilt(&file, types + n + 5, 0xff, 0, "out of its bounds");
    check_spoilt(&file, file.len - 1, 'x', 0, "no last line");
    check_spoilt(&file, file.len - 2, 'x', 0, "rule for years to come");
    check_spoilt(&file, file.len - 2, '\0', 0, "no last line");
    check_spoilt(&file, file.len, 'x', 1, "no last line");
}

static void a_file_that_is_cut_short_is_refused_wherever(void **state)
{
    _cleanup_buf_ struct buf file = {0};
    struct err err = {0};

    (void)state;
    read_file("Europe/Berlin", &file);
    for (size_t n = 0; n < file.len; n++) {
        /* So that a sanitizer sees who reads on. */
        _cleanup_free_ unsigned char *copy = must_calloc(n + 1, 1);
        memcpy(copy, file.data, n);
        _cleanup_zone_ struct zone *zone = zone_read(copy, n, &err);
        assert_null(zone);
        assert_int_equal(err.kind, ERR_REJECT);
    }
}

static void leap_seconds_are_not_counted(void **state)
{
    _cleanup_buf_ struct buf file = {0};
    struct err err = {0};

    (void)state;
    if (!file_exists(ZONES_FOLDER "/right/UTC")) {
        skip();
    }
    read_file("right/UTC", &file);
    assert_null(zone_read(file.data, file.len, &err));
    assert_non_null(strstr(err.text, "leap seconds"));
}

static void the_rules_of_years_to_come_are_what_the_table_says(void **state)
{
    struct columns rows;
    size_t n = 0;

    (void)state;
    columns_open(&rows, "tests/tables/cron.txt");
    for (; columns_next_of(&rows, "rule"); n++) {
        struct yearly yearly;
        struct err err = {0};
        bool good = yearly_read(rows.cells[1], &yearly, &err) == 0;
        if (good != (rows.cells[2][0] == 'o')) {
            fail_msg("%s:%zu: %s", rows.path, rows.line,
                     good ? "taken" : err.text);
        }
    }
    assert_true(n > 20);
}

static int64_t moment_of(const char *text)
{
    int64_t moment = 0;
    struct err err = {0};

    assert_int_equal(time_parse(text, &moment, &err), 0);
    return moment;
}

static void expect_summer(const char *rule, const char *from, const char *until)
{
    struct yearly yearly;
    struct err err = {0};
    int64_t begin = moment_of(from);
    int64_t end = moment_of(until);

    assert_int_equal(yearly_read(rule, &yearly, &err), 0);
    for (int64_t at = begin - HOUR_MS; at <= end + HOUR_MS; at += HOUR_MS / 4) {
        bool summer = at >= begin && at < end;
        struct span span = yearly_span(&yearly, at);
        assert_true(span.from <= at && at < span.until);
        assert_true(span.offset == (summer ? yearly.summer : yearly.standard));
        assert_true(!summer || (span.from == begin && span.until == end));
        assert_true(summer || span.until == begin || span.from == end);
    }
}

static void summer_begins_and_ends_on_the_days_that_a_rule_says(void **state)
{
    (void)state;
    expect_summer("CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00.000Z",
                  "2026-10-25T01:00:00.000Z");
    expect_summer("NZST-12NZDT,M9.5.0,M4.1.0/3", "2026-09-26T14:00:00.000Z",
                  "2027-04-03T14:00:00.000Z");
    /* The 60th day but for 29 February is 1 March in any year. */
    expect_summer("AAA0BBB,J60/0,J61/1", "2026-03-01T00:00:00.000Z",
                  "2026-03-02T00:00:00.000Z");
    expect_summer("AAA0BBB,J60/0,J61/1", "2028-03-01T00:00:00.000Z",
                  "2028-03-02T00:00:00.000Z");
    expect_summer("AAA0BBB,59/0,60/1", "2028-02-29T00:00:00.000Z",
                  "2028-03-01T00:00:00.000Z");
    expect_summer("AAA0BBB,59/0,60/1", "2026-03-01T00:00:00.000Z",
                  "2026-03-02T00:00:00.000Z");
    /* Hours that lead into the year before, and into another week. */
    expect_summer("AAA0BBB,2/-72,180/73", "2025-12-31T00:00:00.000Z",
                  "2026-07-03T00:00:00.000Z");
}

/* RFC 8536, section 3.3.1: daylight saving time all year. */
static void summer_may_be_all_year(void **state)
{
    struct yearly yearly;
    struct err err = {0};
    int64_t at = moment_of("2026-01-01T00:00:00.000Z");

    (void)state;
    assert_int_equal(yearly_read("XXX3EDT4,0/0,J365/23", &yearly, &err), 0);
    for (int i = 0; i < 3 * 366 * 24; i++, at += HOUR_MS) {
        assert_true(yearly_span(&yearly, at).offset == -4 * HOUR_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_spoilt_is_refused),
        cmocka_unit_test(a_file_that_is_cut_short_is_refused_wherever),
        cmocka_unit_test(leap_seconds_are_not_counted),
        cmocka_unit_test(the_rules_of_years_to_come_are_what_the_table_says),
        cmocka_unit_test(summer_begins_and_ends_on_the_days_that_a_rule_says),
        cmocka_unit_test(summer_may_be_all_year),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_due.c: which tick is said, from tests/tables/due.txt; and when to look
 * again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/once.h"
#include "producer/scheduler/due.h"
#include "tests/unit/columns.h"

enum { NAME, WHEN, ZONE, CATCH_UP, AFTER, NOW, DUE };

static struct tick read_tick(const char *text, const struct zone *zone)
{
    struct err err = {0};
    struct tick tick;
    _cleanup_free_ char *moment = must_strdup(text);
    char *slash = strchr(moment, '/');

    if (slash != NULL) {
        *slash = '\0';
    }
    if (once_parse(moment, zone, &tick, &err) != 0) {
        fail_msg("%s: %s", text, err.text);
    }
    if (slash != NULL) {
        _cleanup_free_ char *local = must_printf("%s:00.000Z", slash + 1);
        assert_int_equal(time_parse(local, &tick.local, &err), 0);
        tick.fold = 0;
    }
    return tick;
}

static struct timing read_timing(char *const *cells)
{
    struct schedule_set set = {.zone = cells[ZONE]};
    struct timing timing;
    struct err err = {0};

    if (strncmp(cells[WHEN], "at ", 3) == 0) {
        _cleanup_zone_ struct zone *zone = zone_open(cells[ZONE], &err);
        set.at = read_tick(cells[WHEN] + 3, zone).moment;
    } else {
        set.cron = cells[WHEN];
    }
    if (timing_read(&set, &timing, &err) != 0) {
        fail_msg("%s: %s", cells[NAME], err.text);
    }
    return timing;
}

static struct tick read_after(const char *text, const struct zone *zone)
{
    return text[0] == '=' ? read_tick(text + 1, zone)
                          : tick_start(read_tick(text, zone).moment);
}

static void check_row(char *const *cells)
{
    _cleanup_timing_ struct timing timing = read_timing(cells);
    struct tick after = read_after(cells[AFTER], timing.zone);
    int64_t now = read_tick(cells[NOW], timing.zone).moment;
    struct tick due = {0};
    bool none = cells[DUE][0] == '\0';
    bool found = due_tick(
        &timing, (enum catch_up)word_value(&catch_up_words, cells[CATCH_UP]),
        &after, now, &due);

    if (found == none) {
        fail_msg("%s: %s", cells[NAME], found ? "is due" : "is not due");
    }
    if (found) {
        struct tick wanted = read_tick(cells[DUE], timing.zone);
        if (due.moment != wanted.moment || due.local != wanted.local ||
            due.fold != wanted.fold) {
            fail_msg("%s: another one is due", cells[NAME]);
        }
        assert_true(timing_holds(&timing, &due));
        assert_true(tick_is_behind(&due, &after));
    }
}

static void each_schedule_is_due_as_the_table_says(void **state)
{
    struct columns columns;
    size_t n = 0;

    (void)state;
    columns_open(&columns, "tests/tables/due.txt");
    for (; columns_next(&columns); n++) {
        assert_int_equal(columns.n, DUE + 1);
        check_row(columns.cells);
    }
    assert_true(n > 25);
}

static void one_looks_again_at_the_first_that_is_not_missed(void **state)
{
    struct schedule_set set = {.cron = (char *)"0 3 * * *",
                               .zone = (char *)"UTC"};
    struct timing timing;
    struct err err = {0};
    struct tick long_ago = tick_start(0);
    int64_t now = INT64_C(1795694400000); /* 2026-11-26T12:00 */

    (void)state;
    assert_int_equal(timing_read(&set, &timing, &err), 0);
    assert_int_equal(due_next(&timing, &long_ago, now), now + 15 * 3600000);
    timing_done(&timing);
    set = (struct schedule_set){.at = now - 3600000, .zone = (char *)"UTC"};
    assert_int_equal(timing_read(&set, &timing, &err), 0);
    assert_true(due_next(&timing, &long_ago, now) == INT64_MAX);
    timing_done(&timing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_schedule_is_due_as_the_table_says),
        cmocka_unit_test(one_looks_again_at_the_first_that_is_not_missed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

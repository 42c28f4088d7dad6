/* test_clock.c: moments and durations. Moments by `date -u -d … +%s`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct moment {
    const char *text;
    int64_t moment;
} moments[] = {
    {"1970-01-01T00:00:00.000Z", 0},
    {"1970-01-01T00:00:00.001Z", 1},
    {"2000-02-29T23:59:59.999Z", 951868799999},
    {"2026-11-24T01:56:48.123Z", 1795485408123},
    {"2038-01-19T03:14:08.000Z", 2147483648000},
    {"9999-12-31T23:59:59.999Z", 253402300799999},
};

static void moments_are_read_and_written_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        char text[TIME_TEXT];
        int64_t moment = -1;
        struct err err = {0};
        assert_int_equal(time_parse(moments[i].text, &moment, &err), 0);
        assert_int_equal(moment, moments[i].moment);
        time_format(moment, text);
        assert_string_equal(text, moments[i].text);
    }
}

static void other_forms_and_days_that_are_not_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "now",
                                      "2026-11-24",
                                      "2026-11-24T01:56:48Z",
                                      "2026-11-24T01:56:48.12Z",
                                      "2026-11-24T01:56:48.1234Z",
                                      "2026-11-24T01:56:48.123",
                                      "2026-11-24t01:56:48.123z",
                                      "2026-11-24 01:56:48.123Z",
                                      "2026-11-24T01:56:48.123+00:00",
                                      "2026-11-24T01:56:48,123Z",
                                      " 2026-11-24T01:56:48.123Z",
                                      "2026-11-24T01:56:48.123Z ",
                                      "2026-02-29T00:00:00.000Z",
                                      "2026-13-01T00:00:00.000Z",
                                      "2026-00-01T00:00:00.000Z",
                                      "2026-01-00T00:00:00.000Z",
                                      "2026-04-31T00:00:00.000Z",
                                      "2026-01-01T24:00:00.000Z",
                                      "2026-01-01T00:60:00.000Z",
                                      "2016-12-31T23:59:60.000Z",
                                      "1969-12-31T23:59:59.999Z",
                                      "0000-01-01T00:00:00.000Z",
                                      "2026-1a-01T00:00:00.000Z"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int64_t moment = 77;
        struct err err = {0};
        if (time_parse(bad[i], &moment, &err) == 0) {
            fail_msg("'%s' is taken", bad[i]);
        }
        assert_int_equal(moment, 77);
        assert_int_equal(err.kind, ERR_REJECT);
    }
}

static void durations_are_seconds(void **state)
{
    static const struct duration {
        const char *text;
        int64_t seconds;
    } good[] = {{"30s", 30},
                {"5m", 300},
                {"2h", 7200},
                {"7d", 604800},
                {"1h30m", 5400},
                {"1d1s", 86401},
                {"0s", 0},
                {"1d2h3m4s", 93784},
                {"007s", 7},
                {"90m", 5400},
                {"999999999s", 999999999}};
    static const char *const bad[] = {
        "",   "s",    "5",    "5x",  "5 s", "-5s",         "5s ", " 5s", "1.5h",
        "5S", "5m5m", "5s5m", "1h2", "h1",  "1000000000s", "+5s", "5min"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        int64_t seconds = -1;
        struct err err = {0};
        assert_int_equal(duration_parse(good[i].text, &seconds, &err), 0);
        assert_int_equal(seconds, good[i].seconds);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int64_t seconds = 77;
        struct err err = {0};
        if (duration_parse(bad[i], &seconds, &err) == 0) {
            fail_msg("'%s' is taken", bad[i]);
        }
        assert_int_equal(seconds, 77);
    }
}

static void what_is_written_as_a_duration_is_read_as_the_same(void **state)
{
    static const int64_t seconds[] = {0,    1,     59,    60,     61,
                                      3600, 86399, 86400, 604800, 999999999};
    char text[32];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
        int64_t again = -1;
        struct err err = {0};
        duration_format(seconds[i], text, sizeof(text));
        assert_int_equal(duration_parse(text, &again, &err), 0);
        assert_int_equal(again, seconds[i]);
    }
    duration_format(5400, text, sizeof(text));
    assert_string_equal(text, "1h30m");
    duration_format(0, text, sizeof(text));
    assert_string_equal(text, "0s");
}

static void now_is_after_this_was_written_and_steady_goes_forward(void **state)
{
    int64_t before = clock_steady();

    (void)state;
    assert_true(clock_now() > 1763000000000);
    assert_true(clock_steady() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_read_and_written_alike),
        cmocka_unit_test(other_forms_and_days_that_are_not_are_refused),
        cmocka_unit_test(durations_are_seconds),
        cmocka_unit_test(what_is_written_as_a_duration_is_read_as_the_same),
        cmocka_unit_test(now_is_after_this_was_written_and_steady_goes_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

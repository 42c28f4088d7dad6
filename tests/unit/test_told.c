/* test_told.c: how it went and when, in words for everybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "producer/submit/told.h"

#define NOW "2026-11-24T12:00:00.123Z" /* 13:00 where these people are */

static const struct {
    const char *moment;
    const char *told;
} moments[] = {
    {NOW, "today at 13:00"},
    {"2026-11-23T23:00:00.000Z", "today at 00:00"},
    {"2026-11-23T22:59:59.999Z", "yesterday at 23:59"},
    {"2026-11-22T22:59:59.999Z", "on 22 November at 23:59"},
    {"2026-03-01T08:05:00.000Z", "on 1 March at 09:05"},
    {"2026-07-01T08:05:00.000Z", "on 1 July at 10:05"}, /* summer */
    {"2025-12-31T23:00:00.000Z", "on 1 January at 00:00"},
    {"2025-12-31T22:59:00.000Z", "on 31 December 2025 at 23:59"},
    {"2026-11-24T23:00:00.000Z", "on 25 November at 00:00"}, /* their clock */
};

static int64_t moment_of(const char *text)
{
    struct err err;
    int64_t moment;

    assert_int_equal(time_parse(text, &moment, &err), 0);
    return moment;
}

static void a_moment_is_told_by_the_calendar_of_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        _cleanup_free_ char *told =
            told_moment(moment_of(moments[i].moment), moment_of(NOW));
        assert_string_equal(told, moments[i].told);
    }
}

static const struct {
    int64_t ms;
    const char *told;
} durations[] = {
    {0, "less than a second"},
    {499, "less than a second"},
    {997, "1 second"},
    {1499, "1 second"},
    {3000, "3 seconds"},
    {59499, "59 seconds"},
    {59500, "1 minute"},
    {60000, "1 minute"},
    {125000, "2 minutes and 5 seconds"},
    {3600000, "1 hour"},
    {3661000, "1 hour and 1 minute"},
    {86400000, "1 day"},
    {7 * 86400000LL, "7 days"},
    {90000000, "1 day and 1 hour"},
};

static void a_duration_is_told_by_its_two_largest_units(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
        _cleanup_free_ char *told = told_duration(durations[i].ms);
        assert_string_equal(told, durations[i].told);
    }
}

static const struct {
    struct execution_row row;
    bool many;
    const char *told;
} ends[] = {
    {{.outcome = OUTCOME_SUCCEEDED,
      .started = 1000,
      .finished = 4000,
      .chunks = 1},
     false,
     "It worked. It took 3 seconds."},
    {{.outcome = OUTCOME_SUCCEEDED, .started = 1000, .finished = 4000},
     false,
     "It worked. It took 3 seconds. It wrote nothing."},
    {{.outcome = OUTCOME_SUCCEEDED, .finished = 4000, .chunks = 1},
     true,
     "On dev it worked. It took less than a second."},
    {{.outcome = OUTCOME_FAILED,
      .exit = 3,
      .started = 1000,
      .finished = 2000,
      .chunks = 1},
     false,
     "It did not work. It ended with an error (number 3). It took 1 second."},
    {{.outcome = OUTCOME_FAILED,
      .signal = 9,
      .exit = 137,
      .started = 1000,
      .finished = 2000,
      .chunks = 1},
     true,
     "On dev it did not work. It was ended from outside (signal 9). It took "
     "1 second."},
    {{.outcome = OUTCOME_TIMED_OUT,
      .exit = 124,
      .reason = (char *)"its "
                        "timeout"},
     false,
     "It did not work. It took longer than it may, and was stopped."},
    {{.outcome = OUTCOME_CANCELLED, .reason = (char *)"ann ended it"},
     false,
     "It was cancelled. The reason: ann ended it."},
    {{.outcome = OUTCOME_EXPIRED, .reason = (char *)"nobody claimed it"},
     false,
     "It was not started. The machine did not take it up in time: nothing was "
     "done there."},
    {{.outcome = OUTCOME_INTERRUPTED,
      .was_started = true,
      .reason = (char *)"the executor was stopped while it ran"},
     false,
     "It was broken off. It may have done a part of its work. The reason: the "
     "executor was stopped while it ran."},
    {{.outcome = OUTCOME_INTERRUPTED},
     true,
     "On dev it was broken off. It had not begun: nothing was done."},
    {{.outcome = OUTCOME_LOST},
     true,
     "On dev it is not known how it went. The machine has not been heard of "
     "since. It may have worked: have somebody look before you try again."},
};

static void an_end_is_told_in_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        struct execution_row row = ends[i].row;
        row.target = (char *)"dev";
        _cleanup_free_ char *told = told_execution(&row, ends[i].many);
        assert_string_equal(told, ends[i].told);
    }
}

/* A run whose outcome has no words would be told as one that goes on. */
static void every_outcome_has_words_of_its_own(void **state)
{
    (void)state;
    for (size_t a = 0; a < outcome_words.n; a++) {
        for (size_t b = 0; b < a; b++) {
            assert_string_not_equal(told_run((int)a, false),
                                    told_run((int)b, false));
        }
    }
    assert_string_equal(told_run(OUTCOME_NONE, true), "it waits for approval");
    assert_string_equal(told_run(OUTCOME_FAILED, true), "it did not work");
}

static void places(size_t n, const char *expected)
{
    char *names[] = {(char *)"dev", (char *)"web-1", (char *)"@role=db",
                     (char *)"@all"};
    struct list list = {names, n};
    _cleanup_free_ char *told = told_places(&list);

    assert_string_equal(told, expected);
}

static void places_are_told_as_people_list_them(void **state)
{
    (void)state;
    places(0, "nowhere");
    places(1, "dev");
    places(2, "dev and web-1");
    places(3, "dev, web-1 and all machines with role=db");
    places(4, "dev, web-1, all machines with role=db and all machines");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_is_told_by_the_calendar_of_the_place),
        cmocka_unit_test(a_duration_is_told_by_its_two_largest_units),
        cmocka_unit_test(an_end_is_told_in_sentences),
        cmocka_unit_test(every_outcome_has_words_of_its_own),
        cmocka_unit_test(places_are_told_as_people_list_them),
    };

    (void)setenv("TZ", "Europe/Berlin", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

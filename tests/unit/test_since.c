/* test_since.c: moments as people say them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "producer/submit/since.h"

#define NOW 1795521600123 /* 2026-11-24T12:00:00.123Z */

static const struct {
    const char *text;
    int64_t moment;
} good[] = {
    {"30s", NOW - 30000},
    {"2d", NOW - 2 * 86400000LL},
    {"1h30m", NOW - 90 * 60000LL},
    {"2026-11-24T12:00:00.123Z", NOW},
    {"2026-11-24", 1795474800000},       /* midnight an hour east of UTC */
    {"2026-11-24 03:27", 1795487220000}, /* 02:27 UTC */
    {"2026-11-24 03:27:46", 1795487266000},
    {"2026-11-24T03:27", 1795487220000},
    {"2026-07-01 00:00", 1782856800000}, /* two hours east in summer */
};

static const char *const bad[] = {
    "",
    "yesterday",
    "2",
    "2x",
    "-2d",
    "2026-02-30",
    "2026-13-01",
    "2026-11-24 25:00",
    "2026-11-24T12:00:00.124Z",
    "2026-11-25",
    "2026-11-24 ",
    "24.11.2026",
};

static void a_time_or_how_long_ago_is_a_moment(void **state)
{
    struct err err = {0};
    int64_t moment;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        if (since_parse(good[i].text, NOW, &moment, &err) != 0 ||
            moment != good[i].moment) {
            fail_msg("%s: %lld, not %lld", good[i].text, (long long)moment,
                     (long long)good[i].moment);
        }
    }
}

static void what_is_none_or_yet_to_come_is_refused(void **state)
{
    int64_t moment;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err err = {0};
        if (since_parse(bad[i], NOW, &moment, &err) == 0) {
            fail_msg("'%s' is taken", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_or_how_long_ago_is_a_moment),
        cmocka_unit_test(what_is_none_or_yet_to_come_is_refused),
    };

    (void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

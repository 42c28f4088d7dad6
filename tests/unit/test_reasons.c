/* test_reasons.c: what a result says of why, and of what it lacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "consumer/executor/reasons.h"

static void each_thing_that_is_missing_is_said(void **state)
{
    static const struct {
        const char *reason;
        struct missing missing;
        const char *said;
    } rows[] = {
        {NULL, {0}, NULL},
        {NULL, {.kept = 7}, NULL},
        {"why", {0}, "why"},
        {NULL,
         {.kept = 7, .dropped = 3},
         "only the first 7 bytes of its output were kept, 3 more were not"},
        {NULL,
         {.kept = 7, .dropped = 3, .no_room = true},
         "only the first 7 bytes of its output were kept, 3 more were not: "
         "this host's disk did not take them"},
        {"why",
         {.dropped = 3, .torn = true},
         "why; only the first 0 bytes of its output were kept, 3 more were "
         "not; some of its output is lost, nobody knows how much"},
        {NULL,
         {.torn = true},
         "some of its output is lost, nobody knows how much"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_free_ char *said =
            reason_with_missing(rows[i].reason, &rows[i].missing);
        if (rows[i].said == NULL) {
            assert_null(said);
        } else {
            assert_string_equal(said, rows[i].said);
        }
    }
}

static void any_bytes_become_text_that_fits(void **state)
{
    char words[2001];

    (void)state;
    memset(words, 'x', sizeof(words));
    words[2000] = '\0';
    for (size_t at = 780; at < 805; at++) {
        memcpy(words + at, "\xc3\xa4\xff", 3);
        _cleanup_free_ char *shown = reason_shown(words);
        assert_true(strlen(shown) > 700 && strlen(shown) <= 800);
        assert_true(utf8_is_good(shown, strlen(shown)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thing_that_is_missing_is_said),
        cmocka_unit_test(any_bytes_become_text_that_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_utf8.c: what is UTF-8. The bad ones are those of Markus Kuhn's decoder
 * stress test (https://www.cl.cam.ac.uk/~mgk25/ucs/examples/UTF-8-test.txt).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/utf8.h"

static void characters_of_each_length_are_good(void **state)
{
    static const char *const good[] = {"",
                                       "plain",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xef\xbf\xbf",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "κόσμε"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        assert_true(utf8_is_good(good[i], strlen(good[i])));
    }
    assert_true(utf8_is_good("a\0b", 3));
    assert_true(utf8_is_good(NULL, 0));
}

static void overlong_cut_and_stray_bytes_are_bad(void **state)
{
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\xaf",
                                      "\xc1\xbf",
                                      "\xe0\x80\xaf",
                                      "\xe0\x9f\xbf",
                                      "\xf0\x80\x80\xaf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xfe",
                                      "\xff",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xc2",
                                      "\xe2\x82",
                                      "\xf0\x9f\x99",
                                      "\xc2"
                                      "a",
                                      "\xe2\x82"
                                      "a",
                                      "ok \xe2\x28\xa1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (utf8_is_good(bad[i], strlen(bad[i]))) {
            fail_msg("number %zu is taken", i);
        }
    }
}

static void a_character_that_goes_beyond_the_end_is_bad(void **state)
{
    (void)state;
    assert_true(utf8_is_good("\xe2\x82\xac", 3));
    assert_false(utf8_is_good("\xe2\x82\xac", 2));
    assert_false(utf8_is_good("\xe2\x82\xac", 1));
}

static void control_bytes_are_those_below_a_blank_and_delete(void **state)
{
    (void)state;
    assert_false(has_control("a blank, grüße", ""));
    assert_true(has_control("\x1b", ""));
    assert_true(has_control("x\x7f", ""));
    assert_true(has_control("a\tb", ""));
    assert_false(has_control("a\tb", "\n\t"));
    assert_true(has_control("a\tb\r", "\n\t"));
}

static void what_a_reader_does_not_see_is_shown_in_hex(void **state)
{
    static const struct {
        const char *text;
        const char *shown;
    } rows[] = {
        {"", ""},
        {"grüße, κόσμε", "grüße, κόσμε"},
        {"a\x1b[2Jb\n", "a\\x1b[2Jb\\x0a"},
        {"cut \xe2\x82", "cut \\xe2\\x82"},
        {"\xff", "\\xff"},
        {"\xe2\x80\xaeleft", "\\xe2\\x80\\xaeleft"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_free_ char *shown = utf8_shown(rows[i].text);
        assert_string_equal(shown, rows[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_of_each_length_are_good),
        cmocka_unit_test(overlong_cut_and_stray_bytes_are_bad),
        cmocka_unit_test(a_character_that_goes_beyond_the_end_is_bad),
        cmocka_unit_test(control_bytes_are_those_below_a_blank_and_delete),
        cmocka_unit_test(what_a_reader_does_not_see_is_shown_in_hex),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_harmless.c: what other people's bytes may do on a terminal: nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "producer/submit/harmless.h"

static const struct {
    const char *given;
    const char *shown;
} cases[] = {
    {"plain\ttext\n", "plain\ttext\n"},
    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac "
                                                  "\xf0\x9f\x98\x80"},
    {"\033[31mred", "\\x1b[31mred"},
    {"\033]0;title\007", "\\x1b]0;title\\x07"},
    {"a\x7f", "a\\x7f"},
    {"C1 \xc2\x9b", "C1 \\x9b"},
    {"raw C1 \x9b", "raw C1 \\x9b"},
    {"turned \xe2\x80\xae", "turned \\u202e"},
    {"isolated \xe2\x81\xa6", "isolated \\u2066"},
    {"one\rtwo\r\nthree\r", "one\ntwo\nthree\n"},
    {"overlong \xc0\x80", "overlong \\xc0\\x80"},
    {"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"},
    {"too far \xf4\x90\x80\x80", "too far \\xf4\\x90\\x80\\x80"},
    {"broken off \xe2\x82", "broken off \\xe2\\x82"},
    {"broken \xe2\x82z", "broken \\xe2\\x82z"},
};

static void shows(const char *given, size_t step, const char *shown)
{
    _cleanup_buf_ struct buf out = {0};
    struct harmless state = {0};
    size_t n = strlen(given);

    for (size_t at = 0; at < n; at += step) {
        size_t piece = n - at < step ? n - at : step;
        assert_int_equal(harmless_add(&state, given + at, piece, &out), 0);
    }
    assert_int_equal(harmless_end(&state, &out), 0);
    assert_string_equal(buf_text(&out), shown);
}

static void controls_are_shown_and_text_passes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        shows(cases[i].given, 1000, cases[i].shown);
    }
}

static void pieces_may_end_within_a_character(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (size_t step = 1; step < 5; step++) {
            shows(cases[i].given, step, cases[i].shown);
        }
    }
}

static void a_text_stays_on_its_line(void **state)
{
    _cleanup_free_ char *text = harmless_text("a\nb\tc\rd\033e");

    (void)state;
    assert_string_equal(text, "a\\x0ab\\x09c\\x0dd\\x1be");
}

static void no_byte_but_newline_and_tab_is_a_control(void **state)
{
    _cleanup_buf_ struct buf out = {0};
    struct harmless harmless = {0};

    (void)state;
    for (unsigned i = 0; i < 65536; i++) {
        unsigned char pair[] = {(unsigned char)(i >> 8), (unsigned char)i};
        assert_int_equal(harmless_add(&harmless, pair, 2, &out), 0);
    }
    assert_int_equal(harmless_end(&harmless, &out), 0);
    for (size_t i = 0; i < out.len; i++) {
        unsigned char c = out.data[i];
        assert_true(c >= 0x20 || c == '\n' || c == '\t');
        assert_true(c != 0x7f);
        assert_false(c == 0xc2 && out.data[i + 1] < 0xa0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_are_shown_and_text_passes),
        cmocka_unit_test(pieces_may_end_within_a_character),
        cmocka_unit_test(a_text_stays_on_its_line),
        cmocka_unit_test(no_byte_but_newline_and_tab_is_a_control),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

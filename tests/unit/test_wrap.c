/* test_wrap.c: texts as lines that fit, counted as a terminal counts them. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "producer/submit/wrap.h"

static const struct {
    const char *first;
    const char *text;
    size_t indent;
    size_t width;
    const char *lines;
    size_t n;
} cases[] = {
    {"", "", 0, 20, "\n", 1},
    {"", "one two three", 0, 20, "one two three\n", 1},
    {"", "one two three", 0, 13, "one two three\n", 1},
    {"", "one two three", 0, 12, "one two\nthree\n", 2},
    {"", "one  two   three", 0, 20, "one two three\n", 1},
    {" 1", "one two three", 4, 12, " 1  one two\n    three\n", 2},
    /* a long word is left whole, and counted as the terminal breaks it */
    {"", "a /one/two/three/four b", 0, 10, "a\n/one/two/three/four\nb\n", 4},
    {" 1", "/one/two/three", 4, 10, " 1  /one/two/three\n", 2},
    /* what is joined stays together */
    {"", "a one\x1ftwo b", 0, 8, "a\none two\nb\n", 3},
    {"", "a one\x1ftwo b", 0, 9, "a one two\nb\n", 2},
    /* two columns each; and one that stands above the letter before it */
    {"", "\xe6\x97\xa5\xe6\x9c\xac ab", 0, 7, "\xe6\x97\xa5\xe6\x9c\xac ab\n",
     1},
    {"", "\xe6\x97\xa5\xe6\x9c\xac abc", 0, 7,
     "\xe6\x97\xa5\xe6\x9c\xac\nabc\n", 2},
    {"", "e\xcc\x81t\xc3\xa9 la", 0, 6, "e\xcc\x81t\xc3\xa9 la\n", 1},
};

static void lines_fit_their_width(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_buf_ struct buf out = {0};
        size_t n = wrap_add(&out, cases[i].first, cases[i].text,
                            cases[i].indent, cases[i].width);
        assert_string_equal(buf_text(&out), cases[i].lines);
        assert_int_equal(n, cases[i].n);
    }
}

static void clips(const char *text, size_t columns, const char *expected)
{
    _cleanup_free_ char *clipped = wrap_clip(text, columns);

    assert_string_equal(clipped, expected);
}

static void what_is_too_long_is_clipped_between_characters(void **state)
{
    (void)state;
    clips("", 10, "");
    clips("0123456789", 10, "0123456789");
    clips("0123456789a", 10, "0123456...");
    clips("\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac", 8,
          "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac");
    clips("\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac", 7,
          "\xe6\x97\xa5\xe6\x9c\xac...");
    clips("\xff\xff\xff\xff\xff\xff", 5, "\xff\xff...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_fit_their_width),
        cmocka_unit_test(what_is_too_long_is_clipped_between_characters),
    };

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

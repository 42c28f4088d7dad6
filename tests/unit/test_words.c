/* test_words.c: enums and their words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/words.h"

enum colour { COLOUR_NONE, COLOUR_RED, COLOUR_GREEN, COLOUR_BLUE };

WORDS(colours, "red", "green", "blue");
WORDS(alone, "one");
WORDS(ends, "succeeded", "timed_out", "worn_all_out");

static void a_word_has_its_value_and_back(void **state)
{
    (void)state;
    assert_int_equal(word_value(&colours, "red"), COLOUR_RED);
    assert_int_equal(word_value(&colours, "blue"), COLOUR_BLUE);
    assert_string_equal(word_text(&colours, COLOUR_GREEN), "green");
}

static void what_is_no_word_is_none(void **state)
{
    (void)state;
    assert_int_equal(word_value(&colours, "Red"), COLOUR_NONE);
    assert_int_equal(word_value(&colours, ""), COLOUR_NONE);
    assert_int_equal(word_value(&colours, "redgreen"), COLOUR_NONE);
    assert_string_equal(word_text(&colours, COLOUR_NONE), "-");
    assert_string_equal(word_text(&colours, 4), "-");
    assert_string_equal(word_text(&colours, -1), "-");
}

static void words_are_joined_as_a_person_says_them(void **state)
{
    _cleanup_free_ char *three = words_join(&colours);
    _cleanup_free_ char *one = words_join(&alone);

    (void)state;
    assert_string_equal(three, "red, green or blue");
    assert_string_equal(one, "one");
}

static void for_people_it_has_blanks(void **state)
{
    _cleanup_free_ char *one = word_spoken(&ends, 1);
    _cleanup_free_ char *two = word_spoken(&ends, 2);
    _cleanup_free_ char *all = word_spoken(&ends, 3);
    _cleanup_free_ char *none = word_spoken(&ends, 0);

    (void)state;
    assert_string_equal(one, "succeeded");
    assert_string_equal(two, "timed out");
    assert_string_equal(all, "worn all out");
    assert_string_equal(none, "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_has_its_value_and_back),
        cmocka_unit_test(what_is_no_word_is_none),
        cmocka_unit_test(words_are_joined_as_a_person_says_them),
        cmocka_unit_test(for_people_it_has_blanks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

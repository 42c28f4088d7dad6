/* test_suggest.c: which known word a mistyped one is taken for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/suggest.h"

static const char *const verbs[] = {"init",   "login",   "logout", "whoami",
                                    "user",   "verify",  "target", "service",
                                    "assign", "command", "list",   "show",
                                    "run",    "result",  "output", "history"};

static void check(const char *word, const char *expected)
{
    const char *got = suggest(word, verbs, ARRAY_SIZE(verbs));

    if ((got == NULL) != (expected == NULL) ||
        (got != NULL && strcmp(got, expected) != 0)) {
        fail_msg("%s: %s, not %s", word, got == NULL ? "nothing" : got,
                 expected == NULL ? "nothing" : expected);
    }
}

static void a_slip_of_one_letter_is_found(void **state)
{
    (void)state;
    check("rnu", "run");
    check("runn", "run");
    check("rn", "run");
    check("rum", "run");
    check("lsit", "list");
    check("comand", "command");
    check("Command", "command");
    check("histroy", "history");
    check("run", "run");
}

static void more_slips_are_found_in_longer_words(void **state)
{
    (void)state;
    check("comnad", "command");
    check("asing", "assign");
    check("verfiy", "verify");
    check("hsitoyr", "history");
}

static void what_is_far_from_all_is_not_guessed(void **state)
{
    (void)state;
    check("", NULL);
    check("x", NULL);
    check("delete", NULL);
    check("kubernetes", NULL);
    check("abc", NULL);
}

static void the_first_of_equals_and_the_nearest_of_all_is_taken(void **state)
{
    static const char *const known[] = {"cat", "car", "care", "a"};

    (void)state;
    assert_string_equal(suggest("caz", known, 4), "cat");
    assert_string_equal(suggest("care", known, 4), "care");
    assert_null(suggest("b", known, 4));
}

static void words_beyond_64_bytes_are_no_slips(void **state)
{
    char word[70];
    const char *known[] = {word};

    (void)state;
    memset(word, 'x', sizeof(word) - 1);
    word[65] = '\0';
    assert_null(suggest(word, known, 1));
    assert_null(suggest("xxxxxxxx", known, 1));
    word[64] = '\0';
    assert_ptr_equal(suggest(word, known, 1), word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_one_letter_is_found),
        cmocka_unit_test(more_slips_are_found_in_longer_words),
        cmocka_unit_test(what_is_far_from_all_is_not_guessed),
        cmocka_unit_test(the_first_of_equals_and_the_nearest_of_all_is_taken),
        cmocka_unit_test(words_beyond_64_bytes_are_no_slips),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_err.c: errors and what wraps them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void setting_says_kind_and_text_and_returns_minus_one(void **state)
{
    struct err err = {.status = 9};

    (void)state;
    assert_int_equal(err_set(&err, ERR_RETRY, "%s: %d", "x", 7), -1);
    assert_int_equal(err.kind, ERR_RETRY);
    assert_int_equal(err.status, 0);
    assert_string_equal(err.text, "x: 7");
}

static void an_exit_status_tells_the_kind(void **state)
{
    struct err err = {0};

    (void)state;
    assert_int_equal(err_exit(&err, 69, "away"), -1);
    assert_int_equal(err.kind, ERR_RETRY);
    assert_int_equal(err.status, 69);
    (void)err_exit(&err, 75, "no answer");
    assert_int_equal(err.kind, ERR_RETRY);
    (void)err_exit(&err, 65, "bad");
    assert_int_equal(err.kind, ERR_REJECT);
}

static void wrapping_puts_the_context_before_and_keeps_the_rest(void **state)
{
    struct err err = {0};

    (void)state;
    (void)err_exit(&err, 66, "not there");
    assert_int_equal(err_wrap(&err, "file %s", "a"), -1);
    assert_int_equal(err_wrap(&err, "reading"), -1);
    assert_string_equal(err.text, "reading: file a: not there");
    assert_int_equal(err.status, 66);
    err_clear(&err);
    assert_int_equal(err.kind, ERR_NONE);
    assert_string_equal(err.text, "");
}

static void what_is_too_long_is_cut_and_ends_in_a_nul(void **state)
{
    char word[1000];
    struct err err = {0};

    (void)state;
    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    (void)err_set(&err, ERR_REJECT, "%s", word);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    for (int i = 0; i < 4; i++) {
        (void)err_wrap(&err, "%s", word);
        assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    }
    assert_memory_equal(err.text + 255, ": x", 3);
}

static void what_must_be_had_is_had(void **state)
{
    _cleanup_free_ char *zeros = must_calloc(3, 1);
    _cleanup_free_ char *copy = must_strdup("text");
    _cleanup_free_ char *made = must_printf("%d-%s", 1, copy);

    (void)state;
    assert_memory_equal(zeros, "\0\0\0", 3);
    assert_string_equal(made, "1-text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_says_kind_and_text_and_returns_minus_one),
        cmocka_unit_test(an_exit_status_tells_the_kind),
        cmocka_unit_test(wrapping_puts_the_context_before_and_keeps_the_rest),
        cmocka_unit_test(what_is_too_long_is_cut_and_ends_in_a_nul),
        cmocka_unit_test(what_must_be_had_is_had),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

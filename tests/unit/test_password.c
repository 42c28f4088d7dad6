/*
 * test_password.c: new passwords against tests/tables/passwords.txt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "columns.h"
#include "producer/submit/password.h"

/* The first word of what is said, as the table calls it. */
static const char *verdict_of(const char *password,
                              const struct password_rules *rules,
                              struct err *err)
{
    static const struct {
        const char *begins;
        const char *verdict;
    } said[] = {{"too short", "short"},
                {"easy to guess: it holds", "holds"},
                {"too easy to guess", "easy"},
                {"a password is text", "text"}};

    if (password_check(password, rules, err) == 0) {
        return "good";
    }
    assert_int_equal(err->status, 65);
    for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
        if (strncmp(err->text, said[i].begins, strlen(said[i].begins)) == 0) {
            return said[i].verdict;
        }
    }
    return "?";
}

static void passwords_are_judged_as_the_table_says(void **state)
{
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/tables/passwords.txt");
    while (columns_next(&row)) {
        struct err err = {0};
        struct password_rules rules = {
            .min = atoi(row.cells[1]),
            .email = row.cells[2][0] == '\0' ? NULL : row.cells[2]};
        const char *verdict = verdict_of(row.cells[3], &rules, &err);
        if (strcmp(verdict, row.cells[0]) != 0) {
            fail_msg("line %zu: %s (%s)", row.line, verdict, err.text);
        }
        n++;
    }
    assert_true(n > 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_are_judged_as_the_table_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_rules.c: the organisation's rules against tests/tables/rules.txt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "columns.h"
#include "model/rules.h"

static char *value_of(const struct rules *rules, const char *name)
{
    for (size_t i = 0; rules_name(i) != NULL; i++) {
        if (strcmp(rules_name(i), name) == 0) {
            return rules_value(rules, i);
        }
    }
    return must_strdup("?");
}

static void rules_are_taken_as_the_table_says(void **state)
{
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/tables/rules.txt");
    while (columns_next(&row)) {
        struct rules rules = rules_default;
        struct err err = {0};
        bool taken =
            rules_assign(&rules, row.cells[0], row.cells[1], &err) == 0;
        _cleanup_free_ char *value =
            taken ? value_of(&rules, row.cells[0]) : must_strdup("refused");
        if (strcmp(value, row.cells[2]) != 0) {
            fail_msg("line %zu: %s %s", row.line, value, err.text);
        }
        if (!taken) {
            assert_memory_equal(&rules, &rules_default, sizeof(rules));
        }
        n++;
    }
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_taken_as_the_table_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

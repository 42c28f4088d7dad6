/* test_enrolment.c: the line that a daemon prints for who enrols it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/enrolment.h"
#include "tests/unit/columns.h"

static void key_lines_are_those_of_the_vectors_and_are_read_back(void **state)
{
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/vectors/derived.txt");
    for (; columns_next_of(&row, "keyline"); n++) {
        struct key32 key;
        struct key32 box;
        struct key32 key_again;
        struct key32 box_again;
        struct err err = {0};
        assert_int_equal(unhex(row.cells[2], key.b, sizeof(key.b)), 32);
        assert_int_equal(unhex(row.cells[3], box.b, sizeof(box.b)), 32);
        _cleanup_free_ char *line = key_line_make(&key, &box);
        assert_string_equal(line, row.cells[1]);
        assert_int_equal(key_line_read(line, &key_again, &box_again, &err), 0);
        assert_memory_equal(&key_again, &key, sizeof(key));
        assert_memory_equal(&box_again, &box, sizeof(box));
    }
    assert_int_equal(n, 2);
}

static void a_line_with_one_wrong_letter_anywhere_is_refused(void **state)
{
    struct key32 key = {{1, 2, 3}};
    struct key32 box = {{4, 5, 6}};
    _cleanup_free_ char *line = key_line_make(&key, &box);

    (void)state;
    for (size_t i = 0; line[i] != '\0'; i++) {
        struct err err = {0};
        char was = line[i];
        if (was == '-') {
            continue;
        }
        line[i] = was == 'b' ? 'c' : 'b';
        assert_int_equal(key_line_read(line, &key, &box, &err), -1);
        assert_memory_equal(err.text, "key line: ", 10);
        line[i] = was;
    }
    assert_int_equal(key.b[0], 1);
    assert_int_equal(box.b[0], 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_lines_are_those_of_the_vectors_and_are_read_back),
        cmocka_unit_test(a_line_with_one_wrong_letter_anywhere_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

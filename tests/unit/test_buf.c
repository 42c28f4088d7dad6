/* test_buf.c: bytes that grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void an_empty_one_reads_as_an_empty_text(void **state)
{
    _cleanup_buf_ struct buf buf = {0};

    (void)state;
    assert_string_equal(buf_text(&buf), "");
    assert_int_equal(buf_add(&buf, NULL, 0), 0);
    assert_string_equal(buf_text(&buf), "");
    assert_int_equal(buf.len, 0);
}

static void what_is_added_stands_behind_what_was_there(void **state)
{
    _cleanup_buf_ struct buf buf = {0};

    (void)state;
    assert_int_equal(buf_adds(&buf, "one"), 0);
    assert_int_equal(buf_add(&buf, "\0two", 4), 0);
    assert_int_equal(buf_addf(&buf, "%03d", 3), 0);
    assert_int_equal(buf.len, 10);
    assert_memory_equal(buf.data, "one\0two003", 11);
}

static void many_bytes_stay_as_they_are_while_it_grows(void **state)
{
    _cleanup_buf_ struct buf buf = {0};

    (void)state;
    for (int i = 0; i < 100000; i++) {
        unsigned char byte = (unsigned char)(i % 251);
        assert_int_equal(buf_add(&buf, &byte, 1), 0);
    }
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(buf.data[i], i % 251);
    }
    assert_int_equal(buf.data[100000], 0);
}

static void an_impossible_size_is_refused_and_changes_nothing(void **state)
{
    _cleanup_buf_ struct buf buf = {0};

    (void)state;
    assert_int_equal(buf_adds(&buf, "x"), 0);
    assert_int_equal(buf_reserve(&buf, SIZE_MAX), -1);
    assert_int_equal(buf_reserve(&buf, SIZE_MAX / 2), -1);
    assert_string_equal(buf_text(&buf), "x");
}

static void dropping_takes_from_the_front(void **state)
{
    _cleanup_buf_ struct buf buf = {0};

    (void)state;
    buf_drop(&buf, 0);
    assert_int_equal(buf_adds(&buf, "onetwo"), 0);
    buf_drop(&buf, 3);
    assert_string_equal(buf_text(&buf), "two");
    buf_drop(&buf, 3);
    assert_int_equal(buf.len, 0);
    assert_string_equal(buf_text(&buf), "");
}

static void taking_leaves_an_empty_one_behind(void **state)
{
    struct buf buf = {0};

    (void)state;
    _cleanup_free_ char *nothing = buf_take(&buf);
    assert_string_equal(nothing, "");
    assert_int_equal(buf_adds(&buf, "text"), 0);
    _cleanup_free_ char *text = buf_take(&buf);
    assert_string_equal(text, "text");
    assert_null(buf.data);
    assert_int_equal(buf.len, 0);
}

static void clearing_keeps_the_memory_and_equality_looks_at_bytes(void **state)
{
    _cleanup_buf_ struct buf a = {0};
    _cleanup_buf_ struct buf b = {0};

    (void)state;
    assert_true(buf_equal(&a, &b));
    assert_int_equal(buf_adds(&a, "x"), 0);
    assert_false(buf_equal(&a, &b));
    buf_clear(&a);
    assert_true(buf_equal(&a, &b));
    assert_true(a.cap > 0);
    assert_string_equal(buf_text(&a), "");
    assert_int_equal(buf_add(&a, "y\0z", 3), 0);
    assert_int_equal(buf_add(&b, "y\0a", 3), 0);
    assert_false(buf_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_reads_as_an_empty_text),
        cmocka_unit_test(what_is_added_stands_behind_what_was_there),
        cmocka_unit_test(many_bytes_stay_as_they_are_while_it_grows),
        cmocka_unit_test(an_impossible_size_is_refused_and_changes_nothing),
        cmocka_unit_test(dropping_takes_from_the_front),
        cmocka_unit_test(taking_leaves_an_empty_one_behind),
        cmocka_unit_test(clearing_keeps_the_memory_and_equality_looks_at_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

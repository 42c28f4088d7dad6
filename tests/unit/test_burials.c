/* What is on its way to errand.dead, and where the intake's position stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "consumer/executor/burials.h"

#define END 1000 /* the position behind all of them */

static void test_the_position_stays_before_the_first_on_its_way(void **state)
{
    struct burials burials = {0};

    (void)state;
    assert_int_equal(burials_from(&burials, END), END);
    for (int64_t offset = 10; offset < 50; offset += 10) {
        burials_add(&burials, offset, 1);
    }
    burials_there(&burials, 2); /* in any order */
    burials_there(&burials, 1);
    assert_int_equal(burials_from(&burials, END), 10);
    burials_there(&burials, 0);
    assert_int_equal(burials_from(&burials, END), 40);
    burials_add(&burials, 60, 1);
    burials_there(&burials, 3);
    assert_int_equal(burials_from(&burials, END), 60);
    burials_there(&burials, 4);
    assert_int_equal(burials_from(&burials, END), END);
    assert_int_equal(burials.bytes, 0);
    burials_done(&burials);
}

static void test_what_is_not_on_its_way_changes_nothing(void **state)
{
    struct burials burials = {0};

    (void)state;
    burials_there(&burials, 0);
    burials_add(&burials, 10, 7);
    burials_add(&burials, 11, 7);
    burials_there(&burials, 1);
    burials_there(&burials, 1); /* twice */
    burials_there(&burials, 2);
    burials_there(&burials, UINT64_MAX);
    assert_int_equal(burials.bytes, 7);
    assert_int_equal(burials_from(&burials, END), 10);
    burials_done(&burials);
}

static void test_it_is_full_of_records_or_of_bytes(void **state)
{
    struct burials many = {0};
    struct burials large = {0};

    (void)state;
    for (int64_t n = 0; n < BURIED_MAX; n++) {
        assert_false(burials_full(&many));
        burials_add(&many, n, 1);
    }
    assert_true(burials_full(&many));
    burials_there(&many, 0);
    assert_false(burials_full(&many));
    burials_add(&large, 0, BURIED_BYTES);
    assert_true(burials_full(&large));
    burials_there(&large, 0);
    assert_false(burials_full(&large));
    burials_done(&many);
    burials_done(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_position_stays_before_the_first_on_its_way),
        cmocka_unit_test(test_what_is_not_on_its_way_changes_nothing),
        cmocka_unit_test(test_it_is_full_of_records_or_of_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_record.c: a record's headers, and what it owns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/record.h"

static void repeated_headers_are_kept_in_their_order(void **state)
{
    _cleanup_record_ struct record record = {0};

    (void)state;
    record_header_add(&record, "errand-key", "one");
    record_header_add(&record, "ce_type", "t");
    record_header_add(&record, "errand-key", "two");
    assert_string_equal(record_header(&record, "errand-key", 0), "one");
    assert_string_equal(record_header(&record, "errand-key", 1), "two");
    assert_string_equal(record_header(&record, "ce_type", 0), "t");
    assert_null(record_header(&record, "errand-key", 2));
}

static void names_of_headers_are_matched_whole_and_by_case(void **state)
{
    _cleanup_record_ struct record record = {0};

    (void)state;
    assert_null(record_header(&record, "ce_type", 0));
    record_header_add(&record, "ce_type", "t");
    assert_null(record_header(&record, "CE_TYPE", 0));
    assert_null(record_header(&record, "ce_", 0));
    assert_null(record_header(&record, "ce_typed", 0));
}

static void a_record_owns_copies(void **state)
{
    _cleanup_record_ struct record record = {0};
    char value[] = "mine";

    (void)state;
    record_header_add(&record, "name", value);
    memset(value, 'x', sizeof(value) - 1);
    assert_string_equal(record_header(&record, "name", 0), "mine");
}

static void a_released_record_is_all_zero(void **state)
{
    struct record record = {.topic = must_strdup("t"), .offset = 7};
    static const struct record nothing;

    (void)state;
    assert_int_equal(buf_adds(&record.key, "k"), 0);
    assert_int_equal(buf_adds(&record.value, "v"), 0);
    record_header_add(&record, "name", "value");
    record_done(&record);
    assert_memory_equal(&record, &nothing, sizeof(record));
    record_done(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeated_headers_are_kept_in_their_order),
        cmocka_unit_test(names_of_headers_are_matched_whole_and_by_case),
        cmocka_unit_test(a_record_owns_copies),
        cmocka_unit_test(a_released_record_is_all_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

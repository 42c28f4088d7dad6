/* test_csv.c: fields that a spreadsheet reads as they are meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "producer/submit/csv.h"

static void expect(const char *text, const char *expected)
{
    _cleanup_buf_ struct buf out = {0};

    csv_add(&out, text, false);
    assert_string_equal(buf_text(&out), expected);
}

static void plain_texts_stay_as_they_are(void **state)
{
    (void)state;
    expect("disk-report", "disk-report,");
    expect("a b;c'd", "a b;c'd,");
    expect("", ",");
    expect(NULL, ",");
    expect("\xc3\xa4", "\xc3\xa4,");
}

static void what_parts_fields_is_quoted(void **state)
{
    (void)state;
    expect("a,b", "\"a,b\",");
    expect("say \"a\"", "\"say \"\"a\"\"\",");
    expect("two\nlines", "\"two\nlines\",");
    expect("two\r\nlines", "\"two\r\nlines\",");
}

static void nothing_is_a_formula(void **state)
{
    (void)state;
    expect("=1+1", "'=1+1,");
    expect("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0,");
    expect("-1+1", "'-1+1,");
    expect("@SUM(1,2)", "\"'@SUM(1,2)\",");
    expect("\t=1", "'\t=1,");
    expect("\r=1", "\"'\r=1\",");
    expect("--", "'--,");
    expect("a=1", "a=1,");
}

static void numbers_stay_numbers(void **state)
{
    (void)state;
    expect("-12", "-12,");
    expect("+0.5", "+0.5,");
    expect("-", "'-,");
}

static void a_record_ends_in_crlf(void **state)
{
    _cleanup_buf_ struct buf out = {0};

    (void)state;
    csv_add(&out, "a", false);
    csv_add(&out, "b", true);
    assert_string_equal(buf_text(&out), "a,b\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_texts_stay_as_they_are),
        cmocka_unit_test(what_parts_fields_is_quoted),
        cmocka_unit_test(nothing_is_a_formula),
        cmocka_unit_test(numbers_stay_numbers),
        cmocka_unit_test(a_record_ends_in_crlf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

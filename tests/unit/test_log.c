/* test_log.c: a line of log, whatever others put into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/log.h"

static void assert_value(const char *value, const char *expected)
{
    _cleanup_buf_ struct buf line = {0};

    log_value(&line, value);
    assert_string_equal(buf_text(&line), expected);
}

static void values_are_plain_or_quoted(void **state)
{
    static const char *const cases[][2] = {
        {"ready", "ready"},
        {"127.0.0.1:9092/1", "127.0.0.1:9092/1"},
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""},
        {"say \"x\"", "\"say \\\"x\\\"\""},
        {"back\\slash", "\"back\\\\slash\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_value(cases[i][0], cases[i][1]);
    }
}

static void control_bytes_are_neutralised(void **state)
{
    static const char *const cases[][2] = {
        {"a\nlevel=error", "\"a\\nlevel=error\""},
        {"\r\t\x1b[2J", "\"\\x0d\\t\\x1b[2J\""},
        {"\x7f\x01", "\"\\x7f\\x01\""},
        {"\xc2\x9b!", "\"\\xc2\\x9b!\""},
        {"\xff", "\"\\xff\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_value(cases[i][0], cases[i][1]);
    }
}

/* What one call writes, at most size - 1 bytes of it, without the time. */
static void capture(int level, char *text, size_t size, const char *msg,
                    const struct log_field *fields, size_t n)
{
    int ends[2];
    struct log log = {.service = "s-1", .level = LEVEL_INFO};

    assert_int_equal(pipe(ends), 0);
    log.fd = ends[1];
    log_line(&log, level, msg, fields, n);
    assert_int_equal(close(ends[1]), 0);
    ssize_t got = read(ends[0], text, size - 1);
    assert_true(got >= 0);
    text[got] = '\0';
    assert_int_equal(close(ends[0]), 0);
}

static void a_line_has_time_level_service_message_and_fields(void **state)
{
    struct id id = {.b = {1, 2}};
    struct hash hash = {.b = {0xab}};
    const struct log_field fields[] = {
        L_TEXT("text", "a b"), L_TEXT("none", NULL),  L_INT("n", -5),
        L_ID("id", &id),       L_HASH("hash", &hash),
    };
    char text[1000];
    int64_t moment;
    struct err err;

    (void)state;
    capture(LEVEL_WARNING, text, sizeof(text), "it happened", fields,
            ARRAY_SIZE(fields));
    assert_memory_equal(text, "time=", 5);
    text[5 + 24] = '\0';
    assert_int_equal(time_parse(text + 5, &moment, &err), 0);
    assert_string_equal(
        text + 5 + 25,
        "level=warning service=s-1 msg=\"it happened\" text=\"a b\" n=-5 "
        "id=01020000-0000-0000-0000-000000000000 hash=ab00000000000000"
        "000000000000000000000000000000000000000000000000\n");
}

static void what_is_below_the_level_is_not_written(void **state)
{
    char text[100];

    (void)state;
    capture(LEVEL_DEBUG, text, sizeof(text), "x", NULL, 0);
    assert_string_equal(text, "");
}

static void a_long_line_is_cut_and_says_so(void **state)
{
    char value[20001];
    char text[20001];
    struct log_field field = L_TEXT("value", value);

    (void)state;
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    capture(LEVEL_ERROR, text, sizeof(text), "long", &field, 1);
    assert_int_equal(strlen(text), 4000);
    assert_string_equal(text + 4000 - 10, " cut=true\n");
    assert_null(memchr(text, '\n', 3999));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_plain_or_quoted),
        cmocka_unit_test(control_bytes_are_neutralised),
        cmocka_unit_test(a_line_has_time_level_service_message_and_fields),
        cmocka_unit_test(what_is_below_the_level_is_not_written),
        cmocka_unit_test(a_long_line_is_cut_and_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_print.c: one description of a noun, four forms of it; and passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "producer/submit/print.h"
#include "producer/submit/prompt.h"

struct thing {
    char *name;
    int64_t size;
    struct list tags;
};

static const struct field thing_fields[] = {
    {"name", FIELD_TEXT, .at = offsetof(struct thing, name)},
    {"size", FIELD_INT, .at = offsetof(struct thing, size)},
    {"tags", FIELD_LIST, .optional = true, .item = &text_item,
     .at = offsetof(struct thing, tags)},
};

static const struct table thing_table = {
    .name = "thing", TABLE(thing_fields), .size = sizeof(struct thing)};

static char *double_make(const void *row)
{
    return must_printf("%lld",
                       (long long)((const struct thing *)row)->size * 2);
}

static const struct column columns[] = {
    {"name", COLUMN_TEXT, .at = offsetof(struct thing, name), .wide = true},
    {"size", COLUMN_INT, .at = offsetof(struct thing, size)},
    {"wait", COLUMN_SECONDS, .at = offsetof(struct thing, size)},
    {"twice", COLUMN_MADE, .make = double_make},
    {"tags", COLUMN_TEXTS, .at = offsetof(struct thing, tags)},
};

static const struct noun noun = {
    .table = &thing_table, .columns = columns, .n = ARRAY_SIZE(columns)};

static void expect(enum format format, bool one, const char *expected)
{
    char *tags[] = {(char *)"a", (char *)"b"};
    struct thing things[] = {{(char *)"x\033[1m", 60, {tags, 2}},
                             {(char *)"\xc3\xa4", 7, {0}}};
    struct list rows = {things, ARRAY_SIZE(things)};
    char *text = NULL;
    size_t size = 0;
    struct print print = {.out = open_memstream(&text, &size),
                          .format = (int)format};
    struct err err = {0};

    assert_int_equal(one ? print_row(&print, &noun, things, &err)
                         : print_rows(&print, &noun, &rows, &err),
                     0);
    (void)fclose(print.out);
    assert_string_equal(text, expected);
    free(text);
}

static void a_table_is_aligned_and_harmless(void **state)
{
    (void)state;
    expect(FORMAT_TABLE, true,
           "name   x\\x1b[1m\nsize   60\nwait   1m\ntwice  120\n"
           "tags   a, b\n");
}

static void json_is_the_whole_record(void **state)
{
    (void)state;
    expect(FORMAT_JSON, false,
           "[{\"name\":\"x\\u001B[1m\",\"size\":60,\"tags\":[\"a\",\"b\"]},\n"
           " {\"name\":\"\xc3\xa4\",\"size\":7}]\n");
    expect(FORMAT_JSONL, false,
           "{\"name\":\"x\\u001B[1m\",\"size\":60,\"tags\":[\"a\",\"b\"]}\n"
           "{\"name\":\"\xc3\xa4\",\"size\":7}\n");
    expect(FORMAT_JSON, true,
           "{\"name\":\"x\\u001B[1m\",\"size\":60,\"tags\":[\"a\",\"b\"]}\n");
}

static void csv_has_a_heading_and_no_dashes(void **state)
{
    (void)state;
    expect(FORMAT_CSV, false,
           "name,size,wait,twice,tags\r\nx\033[1m,60,60,120,\"a, b\"\r\n"
           "\xc3\xa4,7,7,14,\r\n");
}

static void names_are_one_a_line(void **state)
{
    (void)state;
    expect(FORMAT_NAME, false, "x\\x1b[1m\n\xc3\xa4\n");
    expect(FORMAT_NAME, true, "x\\x1b[1m\n");
}

static void nothing_is_an_empty_array(void **state)
{
    struct list none = {0};
    char *text = NULL;
    size_t size = 0;
    struct print print = {.out = open_memstream(&text, &size),
                          .format = FORMAT_JSON};
    struct err err = {0};

    (void)state;
    assert_int_equal(print_rows(&print, &noun, &none, &err), 0);
    (void)fclose(print.out);
    assert_string_equal(text, "[]\n");
    free(text);
}

static void a_full_disk_is_told(void **state)
{
    struct print print = {.out = fopen("/dev/full", "we"),
                          .format = FORMAT_NAME};
    struct err err = {0};

    (void)state;
    assert_non_null(print.out);
    assert_int_equal(print_bytes(&print, "x", 1, &err), -1);
    assert_int_equal(err.status, 74);
    (void)fclose(print.out);
}

/* Secrets */

static void only_a_private_files_first_line_is_the_secret(void **state)
{
    char path[] = "/tmp/errand-secret.XXXXXX";
    _cleanup_close_ int fd = mkstemp(path);
    struct err err = {0};

    (void)state;
    assert_int_equal(write(fd, "first\nsecond\n", 13), 13);
    char *secret = secret_from_file(path, &err);
    assert_string_equal(secret, "first");
    secret_free(secret);
    assert_int_equal(chmod(path, 0644), 0);
    assert_null(secret_from_file(path, &err));
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_null(secret_from_file(path, &err));
    assert_int_equal(err.status, 65);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_aligned_and_harmless),
        cmocka_unit_test(json_is_the_whole_record),
        cmocka_unit_test(csv_has_a_heading_and_no_dashes),
        cmocka_unit_test(names_are_one_a_line),
        cmocka_unit_test(nothing_is_an_empty_array),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(only_a_private_files_first_line_is_the_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

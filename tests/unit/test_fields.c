/*
 * test_fields.c: a struct of every kind, read from the JSON of
 * tests/tables/fields.txt, written, copied and released.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fields.h"
#include "tests/unit/columns.h"

WORDS(colours, "red", "green");

struct base {
    char *text;
    int64_t number;
};

struct row {
    int64_t at;
    char *note;
};

struct loose {
    int64_t a;
};

struct every {
    struct base base;
    char *name;
    int64_t big;
    int64_t time;
    bool truth;
    int word;
    struct id id;
    struct hash hash;
    unsigned char fixed[3];
    struct buf bytes;
    struct list pairs;
    struct row inner;
    struct list list; /* char * */
    struct list rows; /* struct row */
    struct loose loose;
};

static const struct field base_fields[] = {
    {"text", FIELD_TEXT, .max = 8, .at = offsetof(struct base, text)},
    {"int", FIELD_INT, .min = -5, .max = 9,
     .at = offsetof(struct base, number)},
};
static const struct table base_table = {
    .name = "base", TABLE(base_fields), .size = sizeof(struct base)};

static const struct field row_fields[] = {
    {"at", FIELD_TIME, .at = offsetof(struct row, at)},
    {"note", FIELD_TEXT, .optional = true, .at = offsetof(struct row, note)},
};
static const struct table row_table = {
    .name = "row", TABLE(row_fields), .size = sizeof(struct row)};
static const struct field row_item = {
    .name = "row", .kind = FIELD_TABLE, .table = &row_table};

static const struct field loose_fields[] = {
    {"a", FIELD_INT, .at = offsetof(struct loose, a)},
};
static const struct table loose_table = {.name = "loose",
                                         TABLE(loose_fields),
                                         .size = sizeof(struct loose),
                                         .open = true};

#define OPTIONAL(member) .optional = true, .at = offsetof(struct every, member)

static const struct field every_fields[] = {
    {"name", FIELD_NAME, OPTIONAL(name)},
    {"big", FIELD_INT, OPTIONAL(big)},
    {"time", FIELD_TIME, OPTIONAL(time)},
    {"bool", FIELD_BOOL, OPTIONAL(truth)},
    {"word", FIELD_WORD, .words = &colours, OPTIONAL(word)},
    {"id", FIELD_ID, OPTIONAL(id)},
    {"hash", FIELD_HASH, OPTIONAL(hash)},
    {"fixed", FIELD_FIXED, .max = 3, OPTIONAL(fixed)},
    {"bytes", FIELD_BYTES, .max = 5, OPTIONAL(bytes)},
    {"pairs", FIELD_PAIRS, .max = 6, OPTIONAL(pairs)},
    {"inner", FIELD_TABLE, .table = &row_table, OPTIONAL(inner)},
    {"list", FIELD_LIST, .max = 3, .item = &name_item, OPTIONAL(list)},
    {"rows", FIELD_LIST, .item = &row_item, OPTIONAL(rows)},
    {"loose", FIELD_TABLE, .table = &loose_table, OPTIONAL(loose)},
};
static const struct table every_table = {.name = "every",
                                         .base = &base_table,
                                         TABLE(every_fields),
                                         .size = sizeof(struct every)};

static bool is_zero(const void *bytes, size_t n)
{
    const unsigned char *at = bytes;

    return n == 0 || (at[0] == 0 && memcmp(at, at + 1, n - 1) == 0);
}

/* What was read is written, read and written: the same both times. */
static void check_again(const struct columns *row, const struct every *every)
{
    _cleanup_buf_ struct buf once = {0};
    _cleanup_buf_ struct buf twice = {0};
    struct every again;
    struct err err = {0};

    if (table_encode(&every_table, every, &once, &err) != 0 ||
        table_copy(&every_table, every, &again, &err) != 0 ||
        table_encode(&every_table, &again, &twice, &err) != 0) {
        fail_msg("%s:%zu: %s", row->path, row->line, err.text);
    }
    assert_string_equal(buf_text(&once), buf_text(&twice));
    table_done(&every_table, &again);
}

static void check_row(const struct columns *row)
{
    const char *expected = row->cells[0];
    const char *json = row->cells[1];
    struct every every;
    struct err err = {0};

    assert_int_equal(row->n, 2);
    memset(&every, 0x55, sizeof(every));
    bool good =
        table_decode(&every_table, json, strlen(json), &every, &err) == 0;
    if (good != (strcmp(expected, "ok") == 0) ||
        (!good && strstr(err.text, expected) == NULL)) {
        fail_msg("%s:%zu: not '%s' but '%s'", row->path, row->line, expected,
                 good ? "ok" : err.text);
    }
    if (good) {
        check_again(row, &every);
        table_done(&every_table, &every);
    } else {
        assert_int_equal(err.kind, ERR_REJECT);
        assert_memory_equal(err.text, "every: ", 7);
    }
    assert_true(is_zero(&every, sizeof(every)));
}

static void json_is_read_or_refused_as_the_table_says(void **state)
{
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/tables/fields.txt");
    for (; columns_next(&row); n++) {
        check_row(&row);
    }
    assert_true(n > 100);
}

static const char whole[] =
    "{\"text\":\"a\",\"int\":-5,\"name\":\"n\",\"big\":7,"
    "\"time\":\"1970-01-01T00:00:00.001Z\",\"bool\":true,\"word\":\"green\","
    "\"id\":\"01a20bef-00ff-7abc-8def-0123456789ab\",\"hash\":\""
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\","
    "\"fixed\":\"Zm9v\",\"bytes\":\"AAE=\",\"pairs\":{\"b\":\"1\",\"a\":\"2\"},"
    "\"inner\":{\"at\":\"1970-01-01T00:00:00.003Z\",\"note\":\"x\"},"
    "\"list\":[\"one\",\"two\"],"
    "\"rows\":[{\"at\":\"1970-01-01T00:00:00.002Z\"}],\"loose\":{\"a\":3}}";

static void every_kind_lands_in_its_member(void **state)
{
    struct every every;
    _cleanup_buf_ struct buf again = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(
        table_decode(&every_table, whole, strlen(whole), &every, &err), 0);
    assert_string_equal(every.base.text, "a");
    assert_int_equal(every.base.number, -5);
    assert_string_equal(every.name, "n");
    assert_int_equal(every.big, 7);
    assert_int_equal(every.time, 1);
    assert_true(every.truth);
    assert_int_equal(every.word, 2);
    assert_int_equal(every.id.b[15], 0xab);
    assert_int_equal(every.hash.b[1], 0x11);
    assert_memory_equal(every.fixed, "foo", 3);
    assert_int_equal(every.bytes.len, 2);
    assert_memory_equal(every.bytes.data, "\0\1", 2);
    assert_string_equal(pairs_get(&every.pairs, "a"), "2");
    assert_null(pairs_get(&every.pairs, "c"));
    assert_string_equal(every.inner.note, "x");
    assert_true(texts_hold(&every.list, "two"));
    assert_int_equal(list_at(&every.rows, struct row, 0).at, 2);
    assert_int_equal(every.loose.a, 3);
    assert_int_equal(table_encode(&every_table, &every, &again, &err), 0);
    assert_string_equal(buf_text(&again), whole);
    table_done(&every_table, &every);
}

static void optional_members_that_are_zero_are_not_written(void **state)
{
    struct every every = {.base.text = (char[]){"a"}};
    _cleanup_buf_ struct buf json = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(buf_adds(&json, "before "), 0);
    assert_int_equal(table_encode(&every_table, &every, &json, &err), 0);
    assert_string_equal(buf_text(&json), "before {\"text\":\"a\",\"int\":0}");
}

static void check_unwritable(const struct every *every, const char *reason)
{
    _cleanup_buf_ struct buf json = {0};
    struct err err = {0};

    assert_int_equal(buf_adds(&json, "x"), 0);
    assert_int_equal(table_encode(&every_table, every, &json, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    assert_string_equal(err.text, reason);
    assert_string_equal(buf_text(&json), "x");
}

static void what_reading_refuses_is_not_written_either(void **state)
{
    struct every every = {0};
    char *names[] = {(char[]){"a"}, (char[]){"b"}, (char[]){"c"},
                     (char[]){"d"}};
    struct pair pairs[] = {{names[0], names[1]}, {names[0], names[2]}};

    (void)state;
    check_unwritable(&every, "every: text: missing");
    every.base.text = (char[]){"123456789"};
    check_unwritable(&every, "every: text: over 8 bytes");
    every.base.text = (char[]){"\xff"};
    check_unwritable(&every, "every: text: not UTF-8");
    every.base.text = names[0];
    every.base.number = 10;
    check_unwritable(&every, "every: int: out of its bounds");
    every.base.number = 0;
    every.big = 1LL << 53;
    check_unwritable(&every, "every: big: out of its bounds");
    every.big = 0;
    every.time = 253402300800000;
    check_unwritable(&every, "every: time: before 1970 or after 9999");
    every.time = 0;
    every.word = 3;
    check_unwritable(&every, "every: word: missing");
    every.word = 0;
    every.list = (struct list){names, 4};
    check_unwritable(&every, "every: list: over 3 entries");
    names[1] = (char[]){"B C"};
    every.list.n = 2;
    check_unwritable(&every, "every: list[1]: item: not a name: at most 63 of "
                             "a-z, 0-9 and '-', a letter or digit first");
    every.list.n = 0;
    every.pairs = (struct list){pairs, 2};
    check_unwritable(&every, "every: pairs: a is there twice");
    pairs[1] = (struct pair){(char[]){"c"}, (char[]){"1234567"}};
    check_unwritable(&every, "every: pairs: c is over its bounds");
    pairs[1].value = (char[]){"\xff"};
    check_unwritable(&every, "every: pairs: c is not UTF-8");
}

static void the_kinds_own_bounds_hold(void **state)
{
    _cleanup_buf_ struct buf json = {0};
    struct row row;
    struct err err = {0};
    char note[4002] = {0};

    (void)state;
    for (size_t n = 4000; n <= 4001; n++) {
        memset(note, 'x', n);
        buf_clear(&json);
        assert_int_equal(buf_addf(&json,
                                  "{\"at\":\"1970-01-01T00:00:00.003Z\","
                                  "\"note\":\"%s\"}",
                                  note),
                         0);
        int done = table_decode(&row_table, json.data, json.len, &row, &err);
        assert_int_equal(done, n == 4000 ? 0 : -1);
        table_done(&row_table, &row);
    }
    assert_string_equal(err.text, "row: note: over 4000 bytes");
}

static void a_nul_anywhere_is_refused(void **state)
{
    static const char *const json[] = {
        "{\"at\":\"1970-01-01T00:00:00.003Z\"}\0",
        "{\"at\":\"1970-01-01T00:00:00.003\0\"}",
        "{\0\"at\":\"1970-01-01T00:00:00.003Z\"}"};
    struct row row;
    struct err err = {0};

    (void)state;
    assert_int_equal(table_decode(&row_table, json[0], 33, &row, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(json); i++) {
        assert_int_equal(table_decode(&row_table, json[i], 34, &row, &err), -1);
    }
}

static void lists_grow_and_are_released(void **state)
{
    struct list texts = {0};
    struct list pairs = {0};

    (void)state;
    for (int i = 0; i < 100; i++) {
        _cleanup_free_ char *text = must_printf("%d", i);
        texts_add(&texts, text);
        pairs_add(&pairs, text, "v");
    }
    assert_int_equal(texts.n, 100);
    assert_true(texts_hold(&texts, "99"));
    assert_false(texts_hold(&texts, "100"));
    assert_string_equal(pairs_get(&pairs, "50"), "v");
    texts_done(&texts);
    pairs_done(&pairs);
    assert_null(texts.items);
    assert_null(pairs.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_read_or_refused_as_the_table_says),
        cmocka_unit_test(every_kind_lands_in_its_member),
        cmocka_unit_test(optional_members_that_are_zero_are_not_written),
        cmocka_unit_test(what_reading_refuses_is_not_written_either),
        cmocka_unit_test(the_kinds_own_bounds_hold),
        cmocka_unit_test(a_nul_anywhere_is_refused),
        cmocka_unit_test(lists_grow_and_are_released),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

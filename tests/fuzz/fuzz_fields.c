/*
 * fuzz_fields.c: any bytes as any payload: the input's first line names the
 * type, the rest is the JSON.
 *
 * What is refused leaves a struct of zeros; what is taken can be written, and
 * read and written again as the very same bytes.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "trust/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct table *table_of(const uint8_t *line, size_t n)
{
    char type[64] = "";

    memcpy(type, line, n < sizeof(type) ? n : sizeof(type) - 1);
    int kind = event_kind(type);
    return kind < 0 ? &envelope_table : event_types[kind].table;
}

static void check_zero(const unsigned char *record, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert(record[i] == 0);
    }
}

static void check_again(const struct table *table, const void *record)
{
    _cleanup_buf_ struct buf once = {0};
    _cleanup_buf_ struct buf twice = {0};
    _cleanup_free_ void *again = must_calloc(1, table->size);
    struct err err = {0};

    int done = table_encode(table, record, &once, &err);
    assert(done == 0);
    done = table_decode(table, once.data, once.len, again, &err);
    assert(done == 0);
    done = table_encode(table, again, &twice, &err);
    assert(done == 0);
    (void)done;
    assert(buf_equal(&once, &twice));
    table_done(table, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    struct err err = {0};

    if (end == NULL) {
        return 0;
    }
    size_t line = (size_t)(end - data);
    const struct table *table = table_of(data, line);
    _cleanup_free_ void *record = must_calloc(1, table->size);
    if (table_decode(table, end + 1, size - line - 1, record, &err) == 0) {
        check_again(table, record);
        table_done(table, record);
    } else {
        assert(err.kind == ERR_REJECT);
    }
    check_zero(record, table->size);
    return 0;
}

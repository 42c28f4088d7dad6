/* vector.c: see vector.h. */
#include "tests/unit/vector.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "model/reply.h"

#define FILE_MAX (4 << 20)

WORDS(verdict_words, "good", "forged", "refused");

struct vectors {
    struct list cases;
};

static const struct field key_item = {
    .name = "key", .kind = FIELD_FIXED, .max = 32};
static const struct field seed_item = {
    .name = "seed", .kind = FIELD_FIXED, .max = 64};

static const struct field header_fields[] = {
    {"name", FIELD_TEXT, .at = offsetof(struct header, name)},
    {"value", FIELD_TEXT, .at = offsetof(struct header, value)},
};
static const struct table header_table = {
    .name = "header", TABLE(header_fields), .size = sizeof(struct header)};
static const struct field header_item = {
    .name = "header", .kind = FIELD_TABLE, .table = &header_table};

static const struct field vector_fields[] = {
    {"name", FIELD_TEXT, .at = offsetof(struct vector, name)},
    {"verdict", FIELD_WORD, .words = &verdict_words,
     .at = offsetof(struct vector, verdict)},
    {"reason", FIELD_TEXT, .optional = true,
     .at = offsetof(struct vector, reason)},
    {"type", FIELD_TEXT, .at = offsetof(struct vector, type)},
    {"keys", FIELD_LIST, .item = &key_item,
     .at = offsetof(struct vector, keys)},
    {"record_key", FIELD_TEXT, .optional = true,
     .at = offsetof(struct vector, record_key)},
    {"value", FIELD_TEXT, .optional = true, .max = FILE_MAX,
     .at = offsetof(struct vector, value)},
    {"value_base64", FIELD_BYTES, .optional = true,
     .at = offsetof(struct vector, value_base64)},
    {"headers", FIELD_LIST, .optional = true, .item = &header_item,
     .at = offsetof(struct vector, headers)},
    {"seeds", FIELD_LIST, .optional = true, .item = &seed_item,
     .at = offsetof(struct vector, seeds)},
    {"pae", FIELD_BYTES, .optional = true, .at = offsetof(struct vector, pae)},
    {"hash", FIELD_HASH, .optional = true, .at = offsetof(struct vector, hash)},
    {"envelope", FIELD_TEXT, .optional = true, .max = FILE_MAX,
     .at = offsetof(struct vector, envelope)},
    {"opener", FIELD_FIXED, .optional = true, .max = 64,
     .at = offsetof(struct vector, opener)},
};
static const struct table vector_table = {
    .name = "vector", TABLE(vector_fields), .size = sizeof(struct vector)};
static const struct field vector_item = {
    .name = "vector", .kind = FIELD_TABLE, .table = &vector_table};

static const struct field vectors_fields[] = {
    {"cases", FIELD_LIST, .item = &vector_item,
     .at = offsetof(struct vectors, cases)},
};
static const struct table vectors_table = {
    .name = "vectors", TABLE(vectors_fields), .size = sizeof(struct vectors)};

static size_t each_of_file(const char *path,
                           void (*on_vector)(const struct vector *vector))
{
    _cleanup_buf_ struct buf json = {0};
    struct vectors vectors;
    struct err err = {0};

    if (file_read(path, FILE_MAX, &json, &err) != 0 ||
        table_decode(&vectors_table, json.data, json.len, &vectors, &err)) {
        fail_msg("%s: %s", path, err.text);
    }
    size_t n = vectors.cases.n;
    for (size_t i = 0; i < n; i++) {
        on_vector(&list_at(&vectors.cases, struct vector, i));
    }
    table_done(&vectors_table, &vectors);
    return n;
}

size_t vectors_each(const char *folder,
                    void (*on_vector)(const struct vector *vector))
{
    _cleanup_free_ char *pattern = must_printf("%s/*.json", folder);
    glob_t found;
    size_t n = 0;

    if (glob(pattern, 0, NULL, &found) != 0) {
        fail_msg("%s: run the tests where the Makefile is", pattern);
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        n += each_of_file(found.gl_pathv[i], on_vector);
    }
    globfree(&found);
    return n;
}

void vector_fail(const struct vector *vector, const char *fmt, ...)
{
    char text[2000];
    va_list list;

    va_start(list, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, list);
    va_end(list);
    fail_msg("%s: \"%s\": %s", vector->type, vector->name, text);
    abort();
}

struct record vector_record(const struct vector *vector)
{
    const struct buf *bytes = &vector->value_base64;
    struct record record = {.topic = must_strdup("t")};

    (void)buf_adds(&record.key, vector->record_key);
    if (vector->value != NULL) {
        (void)buf_adds(&record.value, vector->value);
    } else {
        (void)buf_add(&record.value, bytes->data, bytes->len);
    }
    for (size_t i = 0; i < vector->headers.n; i++) {
        const struct header *header =
            &list_at(&vector->headers, struct header, i);
        record_header_add(&record, header->name, header->value);
    }
    return record;
}

static struct event *event_at_rest(const void *json, size_t n, struct err *err)
{
    struct envelope envelope = {0};

    return envelope_decode(json, n, &envelope, err) == 0
               ? event_new_take(&envelope, err)
               : NULL;
}

static struct event *event_from_box(const struct vector *vector,
                                    struct err *err)
{
    _cleanup_key_pair_ struct key_pair *opener =
        key_pair_from_seeds(vector->opener);
    _cleanup_record_ struct record record = vector_record(vector);
    _cleanup_buf_ struct buf json = {0};
    struct sealed_reply sealed;

    if (table_decode(&sealed_reply_table, record.value.data, record.value.len,
                     &sealed, err) != 0) {
        return NULL;
    }
    int opened = box_open(opener, sealed.box.data, sealed.box.len, &json, err);
    table_done(&sealed_reply_table, &sealed);
    return opened == 0 ? event_at_rest(json.data, json.len, err) : NULL;
}

static struct event *event_of(const struct vector *vector, struct err *err)
{
    if (vector->headers.n > 0) {
        _cleanup_record_ struct record record = vector_record(vector);
        return event_from_record(&record, err);
    }
    return vector->value == NULL
               ? event_at_rest(vector->envelope, strlen(vector->envelope), err)
               : event_from_box(vector, err);
}

bool vector_signed(const struct vector *vector, const struct event *event)
{
    for (size_t i = 0; i < vector->keys.n; i++) {
        const struct key32 *key = &list_at(&vector->keys, struct key32, i);
        if (!envelope_signed_by(&event->envelope, i, key)) {
            return false;
        }
    }
    return event->envelope.signatures.n == vector->keys.n;
}

enum verdict vector_judge(const struct vector *vector, struct err *err)
{
    _cleanup_event_ struct event *event = event_of(vector, err);

    if (event == NULL) {
        return VERDICT_REFUSED;
    }
    return vector_signed(vector, event) ? VERDICT_GOOD : VERDICT_FORGED;
}

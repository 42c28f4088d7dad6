/* field_kinds.c: see field_kinds.h. One row of `leaf_kinds` per kind. */
#include "base/field_kinds.h"

#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"

#define INT_MAX_53 ((1LL << 53) - 1)
#define TIME_LAST 253402300799999LL /* the last moment of the year 9999 */
#define TEXT_MAX 4000
#define BYTES_MAX (1 << 20)
#define PAIRS_MAX 1000

int field_bad(struct err *err, const struct field *field, const char *what)
{
    return err_set(err, ERR_REJECT, "%s: %s", field->name, what);
}

size_t field_limit(const struct field *field, size_t otherwise)
{
    return field->max > 0 ? (size_t)field->max : otherwise;
}

static const char *text_of(const json_t *json)
{
    return json_is_string(json) ? json_string_value(json) : NULL;
}

/* Texts and names */

static int text_check(const struct field *field, const char *text,
                      struct err *err)
{
    if (strlen(text) > field_limit(field, TEXT_MAX)) {
        return err_set(err, ERR_REJECT, "%s: over %zu bytes", field->name,
                       field_limit(field, TEXT_MAX));
    }
    if (field->kind == FIELD_NAME && !name_is_good(text)) {
        return field_bad(err, field,
                         "not a name: at most 63 of a-z, 0-9 and '-', a letter "
                         "or digit first");
    }
    if (field->form != NULL && !field->form->is_good(text)) {
        return field_bad(err, field, field->form->what);
    }
    return 0;
}

static int get_text(const struct field *field, const json_t *json, void *at,
                    struct err *err)
{
    const char *text = text_of(json);

    if (text == NULL) {
        return field_bad(err, field, "not a text");
    }
    if (text_check(field, text, err) != 0) {
        return -1;
    }
    *(char **)at = must_strdup(text);
    return 0;
}

static json_t *put_text(const struct field *field, const void *at,
                        struct err *err)
{
    const char *text = *(char *const *)at;

    if (text == NULL) {
        (void)field_bad(err, field, "missing");
        return NULL;
    }
    if (text_check(field, text, err) != 0) {
        return NULL;
    }
    json_t *json = json_string(text);
    if (json == NULL) {
        (void)field_bad(err, field, "not UTF-8");
    }
    return json;
}

static void free_text(const struct field *field, void *at)
{
    (void)field;
    free(*(char **)at);
}

/* Numbers, moments, truth, words */

static bool in_bounds(const struct field *field, int64_t value)
{
    int64_t max = field->max == 0 && field->min == 0 ? INT_MAX_53 : field->max;

    return value >= field->min && value <= max;
}

static int get_int(const struct field *field, const json_t *json, void *at,
                   struct err *err)
{
    if (!json_is_integer(json)) {
        return field_bad(err, field, "not a whole number");
    }
    int64_t value = json_integer_value(json);
    if (!in_bounds(field, value)) {
        return field_bad(err, field, "out of its bounds");
    }
    *(int64_t *)at = value;
    return 0;
}

static json_t *put_int(const struct field *field, const void *at,
                       struct err *err)
{
    int64_t value = *(const int64_t *)at;

    if (!in_bounds(field, value)) {
        (void)field_bad(err, field, "out of its bounds");
        return NULL;
    }
    return json_integer(value);
}

static int get_time(const struct field *field, const json_t *json, void *at,
                    struct err *err)
{
    const char *text = text_of(json);
    int64_t moment;

    if (text == NULL) {
        return field_bad(err, field, "not a time");
    }
    if (time_parse(text, &moment, err) != 0) {
        return err_wrap(err, "%s", field->name);
    }
    if (moment == 0) { /* an end in 1970 would mean: for good */
        return field_bad(err, field, "the one moment that stands for no time");
    }
    *(int64_t *)at = moment;
    return 0;
}

static json_t *put_time(const struct field *field, const void *at,
                        struct err *err)
{
    char text[TIME_TEXT];

    if (*(const int64_t *)at < 0 || *(const int64_t *)at > TIME_LAST) {
        (void)field_bad(err, field, "before 1970 or after 9999");
        return NULL;
    }
    time_format(*(const int64_t *)at, text);
    return json_string(text);
}

static int get_bool(const struct field *field, const json_t *json, void *at,
                    struct err *err)
{
    if (!json_is_boolean(json)) {
        return field_bad(err, field, "neither true nor false");
    }
    *(bool *)at = json_is_true(json);
    return 0;
}

static json_t *put_bool(const struct field *field, const void *at,
                        struct err *err)
{
    (void)field;
    (void)err;
    return json_boolean(*(const bool *)at);
}

static int get_word(const struct field *field, const json_t *json, void *at,
                    struct err *err)
{
    const char *text = text_of(json);
    int value = text == NULL ? 0 : word_value(field->words, text);

    if (value == 0) {
        _cleanup_free_ char *words = words_join(field->words);
        return err_set(err, ERR_REJECT, "%s: not one of %s", field->name,
                       words);
    }
    *(int *)at = value;
    return 0;
}

static json_t *put_word(const struct field *field, const void *at,
                        struct err *err)
{
    int value = *(const int *)at;

    if (value <= 0 || (size_t)value >= field->words->n) {
        (void)field_bad(err, field, "missing");
        return NULL;
    }
    return json_string(word_text(field->words, value));
}

/* Ids, hashes, bytes */

static int get_id(const struct field *field, const json_t *json, void *at,
                  struct err *err)
{
    const char *text = text_of(json);

    if (text == NULL || id_parse(text, at) != 0) {
        return field_bad(err, field, "not an id (a UUID in lower case)");
    }
    return 0;
}

static json_t *put_id(const struct field *field, const void *at,
                      struct err *err)
{
    char text[ID_TEXT];

    (void)field;
    (void)err;
    id_format(at, text);
    return json_string(text);
}

static int get_hash(const struct field *field, const json_t *json, void *at,
                    struct err *err)
{
    const char *text = text_of(json);

    if (text == NULL || hash_parse(text, at) != 0) {
        return field_bad(err, field,
                         "not a hash (64 hex digits in lower case)");
    }
    return 0;
}

static json_t *put_hash(const struct field *field, const void *at,
                        struct err *err)
{
    char text[HASH_TEXT];

    (void)field;
    (void)err;
    hash_format(at, text);
    return json_string(text);
}

static int get_fixed(const struct field *field, const json_t *json, void *at,
                     struct err *err)
{
    const char *text = text_of(json);

    if (text == NULL ||
        base64_decode_fixed(text, at, (size_t)field->max) != 0) {
        return err_set(err, ERR_REJECT, "%s: not the base64 of %d bytes",
                       field->name, (int)field->max);
    }
    return 0;
}

static json_t *base64_json(const void *bytes, size_t n)
{
    _cleanup_free_ char *text = base64_encode(bytes, n);

    if (text == NULL) {
        return NULL;
    }
    json_t *json = json_string(text);
    sodium_memzero(text, strlen(text)); /* they may be a secret's */
    return json;
}

static json_t *put_fixed(const struct field *field, const void *at,
                         struct err *err)
{
    (void)err;
    return base64_json(at, (size_t)field->max);
}

static int get_bytes(const struct field *field, const json_t *json, void *at,
                     struct err *err)
{
    const char *text = text_of(json);
    struct buf *buf = at;

    if (text == NULL) {
        return field_bad(err, field, "not base64");
    }
    if (json_string_length(json) / 4 * 3 > field_limit(field, BYTES_MAX) + 2) {
        return err_set(err, ERR_REJECT, "%s: over %zu bytes", field->name,
                       field_limit(field, BYTES_MAX));
    }
    if (base64_decode(text, json_string_length(json), buf) != 0) {
        buf_done(buf);
        return field_bad(err, field, "not base64 (standard, padded)");
    }
    if (buf->len > field_limit(field, BYTES_MAX)) {
        buf_done(buf);
        return field_bad(err, field, "too long");
    }
    return 0;
}

static json_t *put_bytes(const struct field *field, const void *at,
                         struct err *err)
{
    const struct buf *buf = at;

    if (buf->len > field_limit(field, BYTES_MAX)) {
        (void)field_bad(err, field, "too long");
        return NULL;
    }
    return base64_json(buf->data, buf->len);
}

static void free_bytes(const struct field *field, void *at)
{
    (void)field;
    buf_done(at);
}

/* Pairs */

static int get_pairs(const struct field *field, const json_t *json, void *at,
                     struct err *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(json) || json_object_size(json) > PAIRS_MAX) {
        return field_bad(err, field, "not an object of texts");
    }
    json_object_foreach ((json_t *)json, name, value) {
        const char *text = text_of(value);
        if (text == NULL || strlen(text) > field_limit(field, TEXT_MAX) ||
            strlen(name) > TEXT_MAX) {
            return err_set(err, ERR_REJECT,
                           "%s: the value of %.64s is not a "
                           "text of at most %zu bytes",
                           field->name, name, field_limit(field, TEXT_MAX));
        }
        pairs_add(at, name, text);
    }
    return 0;
}

static int put_pair(const struct field *field, const struct pair *pair,
                    json_t *object, struct err *err)
{
    if (strlen(pair->name) > TEXT_MAX ||
        strlen(pair->value) > field_limit(field, TEXT_MAX)) {
        return err_set(err, ERR_REJECT, "%s: %.64s is over its bounds",
                       field->name, pair->name);
    }
    if (json_object_get(object, pair->name) != NULL) {
        return err_set(err, ERR_REJECT, "%s: %.64s is there twice", field->name,
                       pair->name);
    }
    if (json_object_set_new(object, pair->name, json_string(pair->value))) {
        return err_set(err, ERR_REJECT, "%s: %.64s is not UTF-8", field->name,
                       pair->name);
    }
    return 0;
}

static json_t *put_pairs(const struct field *field, const void *at,
                         struct err *err)
{
    const struct list *pairs = at;

    if (pairs->n > PAIRS_MAX) {
        (void)field_bad(err, field, "too many");
        return NULL;
    }
    json_t *object = json_object();
    for (size_t i = 0; i < pairs->n && object != NULL; i++) {
        if (put_pair(field, &list_at(pairs, struct pair, i), object, err)) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static void free_pairs(const struct field *field, void *at)
{
    (void)field;
    pairs_done(at);
}

const struct kind leaf_kinds[FIELD_PAIRS + 1] = {
    [FIELD_TEXT] = {sizeof(char *), get_text, put_text, free_text},
    [FIELD_NAME] = {sizeof(char *), get_text, put_text, free_text},
    [FIELD_INT] = {sizeof(int64_t), get_int, put_int, NULL},
    [FIELD_TIME] = {sizeof(int64_t), get_time, put_time, NULL},
    [FIELD_BOOL] = {sizeof(bool), get_bool, put_bool, NULL},
    [FIELD_WORD] = {sizeof(int), get_word, put_word, NULL},
    [FIELD_ID] = {sizeof(struct id), get_id, put_id, NULL},
    [FIELD_HASH] = {sizeof(struct hash), get_hash, put_hash, NULL},
    [FIELD_FIXED] = {0, get_fixed, put_fixed, NULL},
    [FIELD_BYTES] = {sizeof(struct buf), get_bytes, put_bytes, free_bytes},
    [FIELD_PAIRS] = {sizeof(struct list), get_pairs, put_pairs, free_pairs},
};

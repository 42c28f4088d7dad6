/*
 * fields.c: see fields.h. One row of `kinds` per kind of member: how to read
 * it, write it, release it. The only file that knows jansson.
 */
#include "base/fields.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"

#define DEPTH_MAX 16
#define INT_MAX_53 ((1LL << 53) - 1)
#define TEXT_MAX 4000
#define BYTES_MAX (1 << 20)
#define LIST_MAX 1000

const struct field name_item = {.name = "item", .kind = FIELD_NAME};
const struct field id_item = {.name = "item", .kind = FIELD_ID};
const struct field text_item = {.name = "item", .kind = FIELD_TEXT};

static int object_decode(const struct table *table, const json_t *object,
                         char *record, struct err *err);
static json_t *object_encode(const struct table *table, const char *record,
                             struct err *err);

static int bad(struct err *err, const struct field *field, const char *what)
{
    return err_set(err, ERR_REJECT, "%s: %s", field->name, what);
}

static const char *text_of(const json_t *json)
{
    return json_is_string(json) ? json_string_value(json) : NULL;
}

bool name_is_good(const char *text)
{
    size_t len = strlen(text);

    return len >= 1 && len <= 63 && text[0] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static size_t limit(const struct field *field, size_t otherwise)
{
    return field->max > 0 ? (size_t)field->max : otherwise;
}

/* Texts and names */

static int get_text(const struct field *field, const json_t *json, void *at,
                    struct err *err)
{
    const char *text = text_of(json);

    if (text == NULL) {
        return bad(err, field, "not a text");
    }
    if (strlen(text) > limit(field, TEXT_MAX)) {
        return err_set(err, ERR_REJECT, "%s: over %zu bytes", field->name,
                       limit(field, TEXT_MAX));
    }
    if (field->kind == FIELD_NAME && !name_is_good(text)) {
        return bad(err, field,
                   "not a name: at most 63 of a-z, 0-9 and '-', "
                   "a letter or digit first");
    }
    *(char **)at = must_strdup(text);
    return 0;
}

static json_t *put_text(const struct field *field, const void *at,
                        struct err *err)
{
    const char *text = *(char *const *)at;

    if (text == NULL) {
        (void)bad(err, field, "missing");
        return NULL;
    }
    if (strlen(text) > limit(field, TEXT_MAX)) {
        (void)bad(err, field, "too long");
        return NULL;
    }
    json_t *json = json_string(text);
    if (json == NULL) {
        (void)bad(err, field, "not UTF-8");
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
        return bad(err, field, "not a whole number");
    }
    int64_t value = json_integer_value(json);
    if (!in_bounds(field, value)) {
        return bad(err, field, "out of its bounds");
    }
    *(int64_t *)at = value;
    return 0;
}

static json_t *put_int(const struct field *field, const void *at,
                       struct err *err)
{
    int64_t value = *(const int64_t *)at;

    if (!in_bounds(field, value)) {
        (void)bad(err, field, "out of its bounds");
        return NULL;
    }
    return json_integer(value);
}

static int get_time(const struct field *field, const json_t *json, void *at,
                    struct err *err)
{
    const char *text = text_of(json);

    if (text == NULL) {
        return bad(err, field, "not a time");
    }
    return time_parse(text, at, err) == 0 ? 0
                                          : err_wrap(err, "%s", field->name);
}

static json_t *put_time(const struct field *field, const void *at,
                        struct err *err)
{
    char text[TIME_TEXT];

    if (*(const int64_t *)at < 0) {
        (void)bad(err, field, "before 1970");
        return NULL;
    }
    time_format(*(const int64_t *)at, text);
    return json_string(text);
}

static int get_bool(const struct field *field, const json_t *json, void *at,
                    struct err *err)
{
    if (!json_is_boolean(json)) {
        return bad(err, field, "neither true nor false");
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
        (void)bad(err, field, "missing");
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
        return bad(err, field, "not an id (a UUID in lower case)");
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
        return bad(err, field, "not a hash (64 hex digits in lower case)");
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

    return text == NULL ? NULL : json_string(text);
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
        return bad(err, field, "not base64");
    }
    if (json_string_length(json) / 4 * 3 > limit(field, BYTES_MAX) + 2) {
        return err_set(err, ERR_REJECT, "%s: over %zu bytes", field->name,
                       limit(field, BYTES_MAX));
    }
    if (base64_decode(text, json_string_length(json), buf) != 0) {
        buf_done(buf);
        return bad(err, field, "not base64 (standard, padded)");
    }
    if (buf->len > limit(field, BYTES_MAX)) {
        buf_done(buf);
        return bad(err, field, "too long");
    }
    return 0;
}

static json_t *put_bytes(const struct field *field, const void *at,
                         struct err *err)
{
    const struct buf *buf = at;

    if (buf->len > limit(field, BYTES_MAX)) {
        (void)bad(err, field, "too long");
        return NULL;
    }
    return base64_json(buf->data, buf->len);
}

static void free_bytes(const struct field *field, void *at)
{
    (void)field;
    buf_done(at);
}

/* What holds others: pairs, structs, lists */

static int get_pairs(const struct field *field, const json_t *json, void *at,
                     struct err *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(json) || json_object_size(json) > LIST_MAX) {
        return bad(err, field, "not an object of texts");
    }
    json_object_foreach ((json_t *)json, name, value) {
        const char *text = text_of(value);
        if (text == NULL || strlen(text) > limit(field, TEXT_MAX) ||
            strlen(name) > TEXT_MAX) {
            return err_set(err, ERR_REJECT,
                           "%s: the value of %.64s is not a "
                           "text of at most %zu bytes",
                           field->name, name, limit(field, TEXT_MAX));
        }
        pairs_add(at, name, text);
    }
    return 0;
}

static json_t *put_pairs(const struct field *field, const void *at,
                         struct err *err)
{
    const struct list *pairs = at;
    json_t *object = json_object();

    for (size_t i = 0; i < pairs->n; i++) {
        const struct pair *pair = &list_at(pairs, struct pair, i);
        if (strlen(pair->value) > limit(field, TEXT_MAX) ||
            json_object_set_new(object, pair->name, json_string(pair->value)) !=
                0) {
            (void)err_set(err, ERR_REJECT,
                          "%s: the value of %.64s is not "
                          "UTF-8 text of at most %zu bytes",
                          field->name, pair->name, limit(field, TEXT_MAX));
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static void free_pairs(const struct field *field, void *at)
{
    struct list *pairs = at;

    (void)field;
    for (size_t i = 0; i < pairs->n; i++) {
        free(list_at(pairs, struct pair, i).name);
        free(list_at(pairs, struct pair, i).value);
    }
    free(pairs->items);
}

static int get_table(const struct field *field, const json_t *json, void *at,
                     struct err *err)
{
    if (!json_is_object(json)) {
        return bad(err, field, "not an object");
    }
    return object_decode(field->table, json, at, err) == 0
               ? 0
               : err_wrap(err, "%s", field->name);
}

static json_t *put_table(const struct field *field, const void *at,
                         struct err *err)
{
    json_t *object = object_encode(field->table, at, err);

    if (object == NULL) {
        (void)err_wrap(err, "%s", field->name);
    }
    return object;
}

static void free_table(const struct field *field, void *at)
{
    table_done(field->table, at);
}

static int get_list(const struct field *field, const json_t *json, void *at,
                    struct err *err);
static json_t *put_list(const struct field *field, const void *at,
                        struct err *err);
static void free_list(const struct field *field, void *at);

static const struct kind {
    size_t size; /* of the member; 0: asks the field */
    int (*get)(const struct field *, const json_t *, void *, struct err *);
    json_t *(*put)(const struct field *, const void *, struct err *);
    void (*release)(const struct field *, void *);
} kinds[] = {
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
    [FIELD_TABLE] = {0, get_table, put_table, free_table},
    [FIELD_LIST] = {sizeof(struct list), get_list, put_list, free_list},
};

static size_t member_size(const struct field *field)
{
    if (field->kind == FIELD_FIXED) {
        return (size_t)field->max;
    }
    return field->kind == FIELD_TABLE ? field->table->size
                                      : kinds[field->kind].size;
}

static bool is_absent(const struct field *field, const char *at)
{
    static const struct list none;
    size_t size = member_size(field);

    if (field->kind == FIELD_BYTES) {
        return ((const struct buf *)(const void *)at)->len == 0;
    }
    if (field->kind == FIELD_LIST || field->kind == FIELD_PAIRS) {
        return ((const struct list *)(const void *)at)->n == none.n;
    }
    for (size_t i = 0; i < size; i++) {
        if (at[i] != 0) {
            return false;
        }
    }
    return true;
}

static int get_list(const struct field *field, const json_t *json, void *at,
                    struct err *err)
{
    const struct field *item = field->item;
    size_t n = json_array_size(json);

    if (!json_is_array(json)) {
        return bad(err, field, "not a list");
    }
    if (n > limit(field, LIST_MAX)) {
        return err_set(err, ERR_REJECT, "%s: over %zu entries", field->name,
                       limit(field, LIST_MAX));
    }
    for (size_t i = 0; i < n; i++) {
        void *to = list_grow(at, member_size(item));
        if (kinds[item->kind].get(item, json_array_get(json, i), to, err)) {
            return err_wrap(err, "%s[%zu]", field->name, i);
        }
    }
    return 0;
}

static json_t *put_list(const struct field *field, const void *at,
                        struct err *err)
{
    const struct field *item = field->item;
    const struct list *list = at;
    json_t *array = json_array();

    for (size_t i = 0; i < list->n; i++) {
        const char *from = (const char *)list->items + i * member_size(item);
        json_t *json = kinds[item->kind].put(item, from, err);
        if (json == NULL || json_array_append_new(array, json) != 0) {
            (void)err_wrap(err, "%s[%zu]", field->name, i);
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static void free_list(const struct field *field, void *at)
{
    const struct field *item = field->item;
    struct list *list = at;

    for (size_t i = 0; i < list->n && kinds[item->kind].release; i++) {
        char *member = (char *)list->items + i * member_size(item);
        kinds[item->kind].release(item, member);
    }
    free(list->items);
}

/* Objects: a table's rows, those of its base first */

static const struct field *find_field(const struct table *table,
                                      const char *name)
{
    for (; table != NULL; table = table->base) {
        for (size_t i = 0; i < table->n; i++) {
            if (strcmp(table->fields[i].name, name) == 0) {
                return &table->fields[i];
            }
        }
    }
    return NULL;
}

static int refuse_unknown(const struct table *table, const json_t *object,
                          struct err *err)
{
    const char *name;
    json_t *value;

    json_object_foreach ((json_t *)object, name, value) {
        if (find_field(table, name) == NULL) {
            return err_set(err, ERR_REJECT, "unknown field '%.64s'", name);
        }
    }
    return 0;
}

static int fields_decode(const struct table *table, const json_t *object,
                         char *record, struct err *err)
{
    if (table->base != NULL &&
        fields_decode(table->base, object, record, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < table->n; i++) {
        const struct field *field = &table->fields[i];
        const json_t *json = json_object_get(object, field->name);
        if (json == NULL && !field->optional) {
            return bad(err, field, "missing");
        }
        if (json != NULL &&
            kinds[field->kind].get(field, json, record + field->at, err)) {
            return -1;
        }
    }
    return 0;
}

static int object_decode(const struct table *table, const json_t *object,
                         char *record, struct err *err)
{
    if (!table->open && refuse_unknown(table, object, err) != 0) {
        return -1;
    }
    return fields_decode(table, object, record, err);
}

static int fields_encode(const struct table *table, const char *record,
                         json_t *object, struct err *err)
{
    if (table->base != NULL &&
        fields_encode(table->base, record, object, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < table->n; i++) {
        const struct field *field = &table->fields[i];
        if (field->optional && is_absent(field, record + field->at)) {
            continue;
        }
        json_t *json = kinds[field->kind].put(field, record + field->at, err);
        if (json == NULL) {
            return -1;
        }
        if (json_object_set_new(object, field->name, json) != 0) {
            return err_set(err, ERR_RETRY, "out of memory");
        }
    }
    return 0;
}

static json_t *object_encode(const struct table *table, const char *record,
                             struct err *err)
{
    json_t *object = json_object();

    if (object != NULL && fields_encode(table, record, object, err) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* jansson itself follows 2,048 levels: this looks before it does. */
static int check_depth(const char *json, size_t n, struct err *err)
{
    int depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < n; i++) {
        if (quoted) {
            if (json[i] == '\\') {
                i++;
            } else {
                quoted = json[i] != '"';
            }
        } else if (json[i] == '"') {
            quoted = true;
        } else if (json[i] == '{' || json[i] == '[') {
            if (++depth > DEPTH_MAX) {
                return err_set(err, ERR_REJECT, "JSON nested over %d deep",
                               DEPTH_MAX);
            }
        } else if (json[i] == '}' || json[i] == ']') {
            depth--;
        }
    }
    return 0;
}

static void json_release(json_t **json)
{
    json_decref(*json);
}

int table_decode(const struct table *table, const void *json, size_t n,
                 void *ret_record, struct err *err)
{
    json_error_t error;

    memset(ret_record, 0, table->size);
    if (check_depth(json, n, err) != 0) {
        return err_wrap(err, "%s", table->name);
    }
    _cleanup_(json_release) json_t *object =
        json_loadb(json, n, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(object)) {
        return err_set(err, ERR_REJECT, "%s: not a JSON object: %s at byte %d",
                       table->name, object == NULL ? error.text : "other JSON",
                       object == NULL ? error.position : 0);
    }
    if (object_decode(table, object, ret_record, err) != 0) {
        table_done(table, ret_record);
        return err_wrap(err, "%s", table->name);
    }
    return 0;
}

static int append(const char *bytes, size_t n, void *out)
{
    return buf_add(out, bytes, n);
}

int table_encode(const struct table *table, const void *record, struct buf *out,
                 struct err *err)
{
    size_t before = out->len;
    _cleanup_(json_release) json_t *object = object_encode(table, record, err);

    if (object == NULL) {
        return err_wrap(err, "%s", table->name);
    }
    if (json_dump_callback(object, append, out, JSON_COMPACT) != 0) {
        out->len = before;
        return err_set(err, ERR_RETRY, "%s: out of memory", table->name);
    }
    return 0;
}

void table_done(const struct table *table, void *record)
{
    for (const struct table *t = table; t != NULL; t = t->base) {
        for (size_t i = 0; i < t->n; i++) {
            const struct field *field = &t->fields[i];
            if (kinds[field->kind].release != NULL) {
                kinds[field->kind].release(field, (char *)record + field->at);
            }
        }
    }
    memset(record, 0, table->size);
}

int table_copy(const struct table *table, const void *record, void *ret_record,
               struct err *err)
{
    _cleanup_buf_ struct buf json = {0};

    if (table_encode(table, record, &json, err) != 0) {
        return -1;
    }
    return table_decode(table, json.data, json.len, ret_record, err);
}

/* Lists */

void *list_grow(struct list *list, size_t item_size)
{
    char *items = reallocarray(list->items, list->n + 1, item_size);

    if (items == NULL) {
        abort();
    }
    list->items = items;
    return memset(items + list->n++ * item_size, 0, item_size);
}

const char *pairs_get(const struct list *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->n; i++) {
        if (strcmp(list_at(pairs, struct pair, i).name, name) == 0) {
            return list_at(pairs, struct pair, i).value;
        }
    }
    return NULL;
}

void pairs_add(struct list *pairs, const char *name, const char *value)
{
    struct pair *pair = list_grow(pairs, sizeof(*pair));

    pair->name = must_strdup(name);
    pair->value = must_strdup(value);
}

void texts_add(struct list *texts, const char *text)
{
    char **to = list_grow(texts, sizeof(*to));

    *to = must_strdup(text);
}

bool texts_hold(const struct list *texts, const char *text)
{
    for (size_t i = 0; i < texts->n; i++) {
        if (strcmp(list_at(texts, char *, i), text) == 0) {
            return true;
        }
    }
    return false;
}

void texts_done(struct list *texts)
{
    for (size_t i = 0; i < texts->n; i++) {
        free(list_at(texts, char *, i));
    }
    free(texts->items);
    *texts = (struct list){0};
}

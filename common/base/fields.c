/*
 * fields.c: see fields.h. Objects by their tables, lists by their items; how
 * the leaves are read and written is in field_kinds.c.
 */
#include "base/field_kinds.h"

#include <malloc.h>
#include <sodium.h>
#include <string.h>

#define DEPTH_MAX 16
#define LIST_MAX 1000

const struct field name_item = {.name = "item", .kind = FIELD_NAME};
const struct field id_item = {.name = "item", .kind = FIELD_ID};
const struct field hash_item = {.name = "item", .kind = FIELD_HASH};
const struct field text_item = {.name = "item", .kind = FIELD_TEXT};

static int object_decode(const struct table *table, const json_t *object,
                         char *record, struct err *err);
static json_t *object_encode(const struct table *table, const char *record,
                             struct err *err);
static const struct kind *kind_of(const struct field *field);

/* Structs */

static int get_table(const struct field *field, const json_t *json, void *at,
                     struct err *err)
{
    if (!json_is_object(json)) {
        return field_bad(err, field, "not an object");
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

/* Lists */

static size_t member_size(const struct field *field)
{
    if (field->kind == FIELD_FIXED) {
        return (size_t)field->max;
    }
    return field->kind == FIELD_TABLE ? field->table->size
                                      : kind_of(field)->size;
}

static bool is_absent(const struct field *field, const char *at)
{
    size_t size = member_size(field);

    if (field->kind == FIELD_BYTES) {
        return ((const struct buf *)(const void *)at)->len == 0;
    }
    if (field->kind == FIELD_LIST || field->kind == FIELD_PAIRS) {
        return ((const struct list *)(const void *)at)->n == 0;
    }
    for (size_t i = 0; i < size; i++) {
        if (at[i] != 0) {
            return false;
        }
    }
    return true;
}

static int list_check(const struct field *field, size_t n, struct err *err)
{
    size_t max = field_limit(field, LIST_MAX);

    return n <= max ? 0
                    : err_set(err, ERR_REJECT, "%s: over %zu entries",
                              field->name, max);
}

static int get_list(const struct field *field, const json_t *json, void *at,
                    struct err *err)
{
    const struct field *item = field->item;
    size_t n = json_array_size(json);

    if (!json_is_array(json)) {
        return field_bad(err, field, "not a list");
    }
    if (list_check(field, n, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        void *to = list_grow(at, member_size(item));
        if (kind_of(item)->get(item, json_array_get(json, i), to, err)) {
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

    if (list_check(field, list->n, err) != 0) {
        return NULL;
    }
    json_t *array = json_array();
    for (size_t i = 0; i < list->n && array != NULL; i++) {
        const char *from = (const char *)list->items + i * member_size(item);
        json_t *json = kind_of(item)->put(item, from, err);
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

    for (size_t i = 0; i < list->n && kind_of(item)->release; i++) {
        char *member = (char *)list->items + i * member_size(item);
        kind_of(item)->release(item, member);
    }
    free(list->items);
}

static const struct kind table_kind = {0, get_table, put_table, free_table};
static const struct kind list_kind = {sizeof(struct list), get_list, put_list,
                                      free_list};

static const struct kind *kind_of(const struct field *field)
{
    if (field->kind == FIELD_TABLE) {
        return &table_kind;
    }
    return field->kind == FIELD_LIST ? &list_kind : &leaf_kinds[field->kind];
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
            return field_bad(err, field, "missing");
        }
        if (json != NULL &&
            kind_of(field)->get(field, json, record + field->at, err)) {
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
        json_t *json = kind_of(field)->put(field, record + field->at, err);
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

static void wipe_and_free(void *memory)
{
    if (memory != NULL) {
        sodium_memzero(memory, malloc_usable_size(memory));
        free(memory);
    }
}

void fields_leave_no_trace(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
}

static int append(const char *bytes, size_t n, void *out)
{
    return buf_add(out, bytes, n);
}

int table_encode(const struct table *table, const void *record, struct buf *out,
                 struct err *err)
{
    size_t before = out->len;

    err_clear(err);
    _cleanup_(json_release) json_t *object = object_encode(table, record, err);
    if (object == NULL && err->kind == ERR_NONE) {
        (void)err_set(err, ERR_RETRY, "out of memory");
    }
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
            if (kind_of(field)->release != NULL) {
                kind_of(field)->release(field, (char *)record + field->at);
            }
        }
    }
    memset(record, 0, table->size);
}

int table_copy(const struct table *table, const void *record, void *ret_record,
               struct err *err)
{
    _cleanup_buf_ struct buf json = {0};

    memset(ret_record, 0, table->size);
    if (table_encode(table, record, &json, err) != 0) {
        return -1;
    }
    return table_decode(table, json.data, json.len, ret_record, err);
}

/* Names, lists and pairs */

bool name_is_good(const char *text)
{
    size_t len = strlen(text);

    return len >= 1 && len <= 63 && text[0] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

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

void pairs_add_all(struct list *pairs, const struct list *more)
{
    for (size_t i = 0; i < more->n; i++) {
        const struct pair *pair = &list_at(more, struct pair, i);
        pairs_add(pairs, pair->name, pair->value);
    }
}

bool pairs_same(const struct list *pairs, const struct list *others)
{
    for (size_t i = 0; i < pairs->n; i++) {
        const struct pair *pair = &list_at(pairs, struct pair, i);
        const char *value = pairs_get(others, pair->name);
        if (value == NULL || strcmp(value, pair->value) != 0) {
            return false;
        }
    }
    return pairs->n == others->n;
}

void pairs_done(struct list *pairs)
{
    for (size_t i = 0; i < pairs->n; i++) {
        free(list_at(pairs, struct pair, i).name);
        free(list_at(pairs, struct pair, i).value);
    }
    free(pairs->items);
    *pairs = (struct list){0};
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

char *texts_join(const struct list *texts, const char *between)
{
    struct buf all = {0};
    int failed = 0;

    for (size_t i = 0; i < texts->n; i++) {
        failed |= buf_addf(&all, "%s%s", i == 0 ? "" : between,
                           list_at(texts, char *, i));
    }
    if (failed) {
        abort();
    }
    return buf_take(&all);
}

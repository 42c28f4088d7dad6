/* mutate.c: see mutate.h. */
#include "mutate.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/record.h"

#define STRING_MAX 4096
#define TEXT_MAX 6144 /* what is longer takes long, and says no more */
#define CHANGES 4     /* at most, at a time */

/* A place in a document: where a value can be set or taken away. */
struct slot {
    json_t *parent;
    const char *key; /* NULL: an item */
    size_t index;
};

static const char *const tokens[] = {
    "$h1",       "$h2",
    "$h3",       "$h4",
    "$h5",       "$h6",
    "$h7",       "$h8",
    "$h9",       "$ha",
    "$hb",       "$hc",
    "$hd",       "$e7",
    "$e9",       "$ea",
    "$eb",       "$ec",
    "$fb",       "$kA",
    "$kE",       "$kU",
    "$kS",       "$kZ",
    "$bZ",       "$bE",
    "$uA",       "$uI",
    "$uE",       "$r",
    "$n",        "$t",
    "$s",        "$l",
    "web-1",     "web-2",
    "runner",    "administrator",
    "executor",  "authorizer",
    "scheduler", "@all",
    "",
};

static unsigned next(unsigned *seed)
{
    *seed =
        (unsigned)((*seed * 6364136223846793005ULL + 1442695040888963407ULL) >>
                   16);
    return *seed >> 3;
}

static size_t below(unsigned *seed, size_t n)
{
    return n == 0 ? 0 : next(seed) % n;
}

/* Lines as texts. */

static void split(const uint8_t *data, size_t size, struct list *ret_lines)
{
    _cleanup_free_ char *text = strndup((const char *)data, size);
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        texts_add(ret_lines, line);
    }
}

static size_t join(const struct list *lines, uint8_t *data, size_t max)
{
    size_t size = 0;

    for (size_t i = 0; i < lines->n; i++) {
        const char *line = list_at(lines, char *, i);
        size_t n = strlen(line);
        if (size + n + 1 > max) {
            break;
        }
        memcpy(data + size, line, n);
        size += n;
        data[size++] = '\n';
    }
    return size;
}

static char *payload_of(char *line)
{
    char *type = strchr(line, ' ');
    char *payload = type == NULL ? NULL : strchr(type + 1, ' ');

    return payload == NULL ? NULL : payload + 1;
}

/* Values. */

static void collect(json_t *in, struct list *slots)
{
    const char *key;
    size_t index;
    json_t *value;

    json_object_foreach (in, key, value) {
        *(struct slot *)list_grow(slots, sizeof(struct slot)) =
            (struct slot){.parent = in, .key = key};
        collect(value, slots);
    }
    json_array_foreach (in, index, value) {
        *(struct slot *)list_grow(slots, sizeof(struct slot)) =
            (struct slot){.parent = in, .index = index};
        collect(value, slots);
    }
}

static json_t *get(const struct slot *slot)
{
    return slot->key != NULL ? json_object_get(slot->parent, slot->key)
                             : json_array_get(slot->parent, slot->index);
}

/* Takes the value; NULL: there is none in its place any more. */
static void set_take(const struct slot *slot, json_t *value)
{
    if (slot->key != NULL && value != NULL) {
        (void)json_object_set_new(slot->parent, slot->key, value);
    } else if (slot->key != NULL) {
        (void)json_object_del(slot->parent, slot->key);
    } else if (value != NULL) {
        (void)json_array_set_new(slot->parent, slot->index, value);
    } else {
        (void)json_array_remove(slot->parent, slot->index);
    }
}

/* Some value of some line. */
static json_t *borrowed(const struct list *lines, unsigned *seed)
{
    _cleanup_free_ char *line =
        must_strdup(list_at(lines, char *, below(seed, lines->n)));
    char *payload = payload_of(line);
    json_t *document = payload == NULL ? NULL : json_loads(payload, 0, NULL);
    struct list slots = {0};
    json_t *value = NULL;

    collect(document, &slots);
    if (slots.n > 0) {
        value = json_deep_copy(
            get(&list_at(&slots, struct slot, below(seed, slots.n))));
    }
    free(slots.items);
    json_decref(document);
    return value;
}

static json_t *changed_text(const char *text, unsigned *seed)
{
    uint8_t bytes[STRING_MAX];
    size_t n = strlen(text);

    if (n >= sizeof(bytes) || below(seed, 2) == 0) {
        return json_string(tokens[below(seed, ARRAY_SIZE(tokens))]);
    }
    memcpy(bytes, text, n);
    n = LLVMFuzzerMutate(bytes, n, sizeof(bytes));
    return json_stringn((const char *)bytes, n);
}

static json_t *changed_number(json_int_t n, unsigned *seed)
{
    static const json_int_t edges[] = {-1,
                                       0,
                                       1,
                                       2,
                                       1000,
                                       86400,
                                       4294967295LL,
                                       9007199254740991LL,
                                       9007199254740992LL};

    return below(seed, 2) == 0
               ? json_integer(n + (json_int_t)below(seed, 5) - 2)
               : json_integer(edges[below(seed, ARRAY_SIZE(edges))]);
}

/* The same kind of value, another one; NULL: none was found. */
static json_t *changed(const json_t *value, const struct list *lines,
                       unsigned *seed)
{
    if (json_is_string(value)) {
        return changed_text(json_string_value(value), seed);
    }
    if (json_is_integer(value)) {
        return changed_number(json_integer_value(value), seed);
    }
    if (json_is_boolean(value)) {
        return json_boolean(!json_is_true(value));
    }
    json_t *more = json_deep_copy(value);
    if (json_is_array(more)) {
        (void)json_array_append_new(more, borrowed(lines, seed));
    } else if (json_is_object(more)) {
        static const char *const members[] = {
            "boxes", "name",     "until",      "pin",    "seq",
            "keep",  "pace",     "approve",    "run_as", "files",
            "args",  "previous", "generation", "uid",    ""};
        (void)json_object_set_new(more,
                                  members[below(seed, ARRAY_SIZE(members))],
                                  borrowed(lines, seed));
    }
    return more;
}

static void change_slot(const struct slot *slot, const struct list *lines,
                        unsigned *seed)
{
    switch (below(seed, 6)) {
    case 0:
        set_take(slot, NULL);
        break;
    case 1:
        set_take(slot, borrowed(lines, seed));
        break;
    default: {
        json_t *value = changed(get(slot), lines, seed);
        if (value != NULL) {
            set_take(slot, value);
        }
    }
    }
}

/* One value of one line. */
static void change_value(struct list *lines, unsigned *seed)
{
    char **line = &list_at(lines, char *, below(seed, lines->n));
    char *payload = payload_of(*line);
    json_t *document = payload == NULL ? NULL : json_loads(payload, 0, NULL);
    struct list slots = {0};

    collect(document, &slots);
    if (slots.n > 0) {
        change_slot(&list_at(&slots, struct slot, below(seed, slots.n)), lines,
                    seed);
        _cleanup_free_ char *text = json_dumps(document, JSON_COMPACT);
        *payload = '\0';
        char *whole = must_printf("%s%s", *line, text == NULL ? "" : text);
        free(*line);
        *line = whole;
    }
    free(slots.items);
    json_decref(document);
}

/* A line moves, comes twice, goes, or is signed by others. */
static void change_line(struct list *lines, unsigned *seed)
{
    static const char letters[] = "RAIUSZTXEVWB";
    size_t i = below(seed, lines->n);
    size_t j = below(seed, lines->n);
    char **line = &list_at(lines, char *, i);
    char *other = list_at(lines, char *, j);

    switch (below(seed, 4)) {
    case 0:
        list_at(lines, char *, j) = *line;
        *line = other;
        break;
    case 1:
        texts_add(lines, *line);
        break;
    case 2:
        (*line)[0] = '\0';
        break;
    default:
        if ((*line)[0] != '\0') {
            (*line)[0] = letters[below(seed, sizeof(letters) - 1)];
        }
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed)
{
    struct list lines = {0};

    max = max < TEXT_MAX ? max : TEXT_MAX;
    size = size < max ? size : max;
    split(data, size, &lines);
    if (lines.n == 0 || below(&seed, 16) == 0) {
        texts_done(&lines);
        return LLVMFuzzerMutate(data, size, max);
    }
    for (size_t n = 1 + below(&seed, CHANGES); n > 0; n--) {
        if (below(&seed, 5) == 0) {
            change_line(&lines, &seed);
        } else {
            change_value(&lines, &seed);
        }
    }
    size = join(&lines, data, max);
    texts_done(&lines);
    return size;
}

/*
 * fields.h: field tables: how a C struct stands in JSON.
 *
 * A table names each member of a struct, its kind and its bounds; from it come
 * strict decoding, encoding and releasing, so nothing else ever touches JSON.
 * In comes one JSON text (RFC 8259, an object), out goes one, compact, in the
 * table's order. What always holds:
 *   - unknown and duplicate members, NUL, reals, depth over 16, wrong types and
 *     values out of bounds refuse; an `open` table passes over unknown ones;
 *   - an optional member that is absent is all zero (NULL, empty) in the
 * struct, and one that is all zero isn't written;
 *   - a struct that failed to decode is all zero again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "base/words.h"

enum field_kind {
    FIELD_TEXT,  /* char *: UTF-8, at most .max bytes (0: 4,000) */
    FIELD_NAME,  /* char *: [a-z0-9][a-z0-9-]{0,62} */
    FIELD_INT,   /* int64_t: .min to .max (both 0: 0 to 2^53 - 1) */
    FIELD_TIME,  /* int64_t: a moment, see clock.h */
    FIELD_BOOL,  /* bool */
    FIELD_WORD,  /* int: a value of .words */
    FIELD_ID,    /* struct id */
    FIELD_HASH,  /* struct hash */
    FIELD_FIXED, /* unsigned char[.max], in base64 */
    FIELD_BYTES, /* struct buf: base64, at most .max bytes (0: 1 MiB) */
    FIELD_PAIRS, /* struct list of struct pair: a JSON object of texts */
    FIELD_TABLE, /* a struct by .table */
    FIELD_LIST,  /* struct list, at most .max (0: 1,000) of .item */
};

struct table;

struct text_form { /* what a text has to look like */
    bool (*is_good)(const char *text);
    const char *what; /* it is where it isn't: "not a …" */
};

struct field {
    const char *name;
    enum field_kind kind;
    bool optional;
    size_t at; /* offsetof() */
    int64_t min;
    int64_t max;
    const struct words *words;
    const struct table *table;
    const struct field *item;
    const struct text_form *form; /* of a FIELD_TEXT; NULL: any */
};

struct table {
    const char *name;         /* for messages: "run.start" */
    const struct table *base; /* members that come first, at offset 0 */
    const struct field *fields;
    size_t n;
    size_t size; /* sizeof(struct) */
    bool open;   /* unknown members are passed over */
};

/* n items side by side; a list owns them. */
struct list {
    void *items;
    size_t n;
};

struct pair {
    char *name;
    char *value;
};

#define list_at(list, type, i) (((type *)(list)->items)[i])

#define TABLE(rows) .fields = (rows), .n = sizeof(rows) / sizeof((rows)[0])

/* Items of lists of names, ids, hashes and texts. */
extern const struct field name_item;
extern const struct field id_item;
extern const struct field hash_item;
extern const struct field text_item;

/* Reads one object. -1 (REJECT) says which member is wrong, and how. */
int table_decode(const struct table *table, const void *json, size_t n,
                 void *ret_record, struct err *err);

/* Appends the object. -1: a member that must be there is not, or out of its
 * bounds (REJECT); out of memory (RETRY). */
int table_encode(const struct table *table, const void *record, struct buf *out,
                 struct err *err);

/* From now on memory that JSON took is overwritten before it is given back: for
 * a process whose documents hold secrets. Before any other use. */
void fields_leave_no_trace(void);

/* Releases what the members own; the struct is all zero after. */
void table_done(const struct table *table, void *record);

/* A deep copy, by way of encoding; same errors. */
int table_copy(const struct table *table, const void *record, void *ret_record,
               struct err *err);

/* Makes room for one more item and returns it, all zero; aborts when out of
 * memory: for lists that are short. */
void *list_grow(struct list *list, size_t item_size);

/* The value of a pair; NULL where there is none of that name. */
const char *pairs_get(const struct list *pairs, const char *name);

/* Appends copies of both texts; and releases a list of struct pair. */
void pairs_add(struct list *pairs, const char *name, const char *value);
void pairs_add_all(struct list *pairs, const struct list *more);
void pairs_done(struct list *pairs);

/* The same names, each with the same value, in whatever order. */
bool pairs_same(const struct list *pairs, const struct list *others);

/* Appends a copy to a list of texts or names. */
void texts_add(struct list *texts, const char *text);
bool texts_hold(const struct list *texts, const char *text);
void texts_done(struct list *texts);

/* "a, b" with ", " between them; the caller's to free. */
char *texts_join(const struct list *texts, const char *between);

/* True for [a-z0-9][a-z0-9-]{0,62}. */
bool name_is_good(const char *text);

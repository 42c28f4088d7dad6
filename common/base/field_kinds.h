/*
 * field_kinds.h: how each kind of member is read, written and released.
 *
 * Private to fields.c, which knows what holds others (structs, lists), and
 * field_kinds.c, which knows the leaves. Nothing else sees jansson.
 */
#pragma once

#include <jansson.h>

#include "base/fields.h"

struct kind {
    size_t size; /* of the member; 0: asks the field */

    /* 0, or -1 with the reason; what was made so far is released by whoever
     * holds the struct. */
    int (*get)(const struct field *field, const json_t *json, void *at,
               struct err *err);

    /* NULL: with the reason in err, or, err being clear, out of memory. */
    json_t *(*put)(const struct field *field, const void *at, struct err *err);

    void (*release)(const struct field *field, void *at); /* NULL: nothing to */
};

/* By enum field_kind, up to FIELD_PAIRS. */
extern const struct kind leaf_kinds[FIELD_PAIRS + 1];

/* "<member>: <what>"; always -1 (REJECT). */
int field_bad(struct err *err, const struct field *field, const char *what);

/* The field's own bound, or the kind's. */
size_t field_limit(const struct field *field, size_t otherwise);

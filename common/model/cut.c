/* cut.c: see cut.h. */
#include "model/cut.h"

#include <stdio.h>

static const struct field span_row_fields[] = {
    {"partition", FIELD_INT, .at = offsetof(struct span_row, partition)},
    {"first", FIELD_INT, .at = offsetof(struct span_row, first)},
    {"last", FIELD_INT, .at = offsetof(struct span_row, last)},
    {"previous", FIELD_HASH, .at = offsetof(struct span_row, previous)},
    {"head", FIELD_HASH, .at = offsetof(struct span_row, head)},
};

static const struct table span_row_table = {.name = "span",
                                            TABLE(span_row_fields),
                                            .size = sizeof(struct span_row),
                                            .open = true};

static const struct field span_row_item = {
    .name = "span", .kind = FIELD_TABLE, .table = &span_row_table};

static const struct field audit_cut_fields[] = {
    {"until", FIELD_TIME, .at = offsetof(struct audit_cut, until)},
    {"policy", FIELD_HASH, .at = offsetof(struct audit_cut, policy)},
    {"spans", FIELD_LIST, .item = &span_row_item, .max = CUT_SPANS_MAX,
     .at = offsetof(struct audit_cut, spans)},
};

const struct table audit_cut_table = {.name = "audit.cut",
                                      .base = &head_table,
                                      TABLE(audit_cut_fields),
                                      .size = sizeof(struct audit_cut),
                                      .open = true};

struct id cut_id(const struct audit_cut *cut)
{
    static const char what[] = "errand.audit.cut";
    const struct span_row *first =
        cut->spans.n == 0 ? &(struct span_row){0}
                          : &list_at(&cut->spans, struct span_row, 0);
    char place[80];
    int len =
        snprintf(place, sizeof(place), "%lld %lld %lld", (long long)cut->until,
                 (long long)first->partition, (long long)first->first);
    struct part parts[] = {{what, sizeof(what) - 1},
                           {cut->head.root.b, sizeof(cut->head.root.b)},
                           {place, (size_t)len}};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_of_hash(&hash);
}

int span_row_compare(const void *a, const void *b)
{
    const struct span_row *x = a;
    const struct span_row *y = b;

    if (x->partition != y->partition) {
        return x->partition < y->partition ? -1 : 1;
    }
    return x->first == y->first ? 0 : x->first < y->first ? -1 : 1;
}

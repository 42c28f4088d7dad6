/* audit.c: see audit.h. */
#include "model/audit.h"

#include <stdio.h>
#include <string.h>

#include "model/user.h"

#define STORED_MAX (1 << 20) /* who altered a row must not hinder its page */

WORDS(audit_outcome_words, "accepted", "refused");

/* Decimal numbers of a row, written once for the time of hashing. */
struct digits {
    char text[24];
};

static struct part number_part(struct digits *digits, int64_t number)
{
    int n =
        snprintf(digits->text, sizeof(digits->text), "%lld", (long long)number);

    return (struct part){digits->text, (size_t)n};
}

static struct part text_part(const char *text)
{
    return (struct part){text, text == NULL ? 0 : strlen(text)};
}

static struct part hash_part(const struct hash *hash)
{
    return (struct part){hash->b, sizeof(hash->b)};
}

static struct part id_part(const struct id *id)
{
    return (struct part){id->b, sizeof(id->b)};
}

static const struct part absent = {"", 0};

struct hash audit_row_hash(const struct audit_row *row)
{
    struct digits d[6];
    struct part parts[] = {
        text_part("errand.audit.row"),
        number_part(&d[0], row->partition),
        number_part(&d[1], row->number),
        hash_part(&row->previous),
        id_part(&row->id),
        hash_part(&row->request),
        text_part(row->verb),
        hash_part(&row->key),
        id_is_zero(&row->user) ? absent : id_part(&row->user),
        text_part(row->command),
        text_part(row->decision),
        text_part(row->status),
        text_part(row->reason),
        text_part(row->text),
        hash_is_zero(&row->reply) ? absent : hash_part(&row->reply),
        number_part(&d[2], row->size),
        number_part(&d[3], row->issued),
        number_part(&d[4], row->decided),
        number_part(&d[5], row->offset),
    };

    return hash_tuple(parts, ARRAY_SIZE(parts));
}

bool audit_row_is_cut(const struct audit_row *row)
{
    return row->size > AUDIT_KEPT_MAX && strcmp(row->decision, "refused") == 0;
}

struct id checkpoint_id(const struct hash *root, const struct checkpoint *at)
{
    struct digits d[2];
    struct part parts[] = {text_part("errand.audit.checkpoint"),
                           hash_part(root), number_part(&d[0], at->partition),
                           number_part(&d[1], at->rows), hash_part(&at->head)};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_of_hash(&hash);
}

static struct checkpoint *find(const struct checkpoints *seen,
                               int64_t partition)
{
    for (size_t i = 0; i < seen->list.n; i++) {
        struct checkpoint *at = &list_at(&seen->list, struct checkpoint, i);
        if (at->partition == partition) {
            return at;
        }
    }
    return NULL;
}

const struct checkpoint *checkpoints_find(const struct checkpoints *seen,
                                          int64_t partition)
{
    return find(seen, partition);
}

enum checkpoint_news checkpoints_take(struct checkpoints *seen,
                                      const struct checkpoint *now)
{
    struct checkpoint *at = find(seen, now->partition);

    if (at == NULL) {
        at = list_grow(&seen->list, sizeof(*at));
    } else if (now->rows < at->rows) {
        return CHECKPOINT_BACK;
    } else if (now->rows == at->rows && !hash_equal(&now->head, &at->head)) {
        return CHECKPOINT_FORKED;
    }
    *at = *now;
    return CHECKPOINT_FINE;
}

static const struct field checkpoint_fields[] = {
    {"partition", FIELD_INT, .at = offsetof(struct checkpoint, partition)},
    {"rows", FIELD_INT, .at = offsetof(struct checkpoint, rows)},
    {"head", FIELD_HASH, .at = offsetof(struct checkpoint, head)},
};

const struct table checkpoint_table = {.name = "checkpoint",
                                       TABLE(checkpoint_fields),
                                       .size = sizeof(struct checkpoint),
                                       .open = true};

static const struct field checkpoint_item = {
    .name = "checkpoint", .kind = FIELD_TABLE, .table = &checkpoint_table};

static const struct field checkpoints_fields[] = {
    {"checkpoints", FIELD_LIST, .item = &checkpoint_item, .max = 10000,
     .at = offsetof(struct checkpoints, list)},
};

const struct table checkpoints_table = {.name = "checkpoints",
                                        TABLE(checkpoints_fields),
                                        .size = sizeof(struct checkpoints)};

static const struct field audit_checkpoint_fields[] = {
    {"partition", FIELD_INT,
     .at = offsetof(struct audit_checkpoint, at.partition)},
    {"rows", FIELD_INT, .at = offsetof(struct audit_checkpoint, at.rows)},
    {"head", FIELD_HASH, .at = offsetof(struct audit_checkpoint, at.head)},
};

const struct table audit_checkpoint_table = {
    .name = "audit.checkpoint",
    .base = &head_table,
    TABLE(audit_checkpoint_fields),
    .size = sizeof(struct audit_checkpoint),
    .open = true};

/* What is asked */

static const struct field audit_list_fields[] = {
    {"email", FIELD_TEXT, .optional = true, .max = EMAIL_MAX,
     .at = offsetof(struct audit_list, email)},
    {"verb", FIELD_TEXT, .optional = true, .max = 63,
     .at = offsetof(struct audit_list, verb)},
    {"command", FIELD_NAME, .optional = true,
     .at = offsetof(struct audit_list, command)},
    {"since", FIELD_TIME, .optional = true,
     .at = offsetof(struct audit_list, since)},
    {"outcome", FIELD_WORD, .optional = true, .words = &audit_outcome_words,
     .at = offsetof(struct audit_list, outcome)},
    {"before", FIELD_ID, .optional = true,
     .at = offsetof(struct audit_list, before)},
    {"limit", FIELD_INT, .min = 1, .max = 100,
     .at = offsetof(struct audit_list, limit)},
};

const struct table audit_list_table = {.name = "audit.list",
                                       .base = &request_table,
                                       TABLE(audit_list_fields),
                                       .size = sizeof(struct audit_list)};

static const struct field audit_rows_fields[] = {
    {"partition", FIELD_INT, .max = 9999,
     .at = offsetof(struct audit_rows, partition)},
    {"after", FIELD_INT, .at = offsetof(struct audit_rows, after)},
    {"cut", FIELD_HASH, .optional = true,
     .at = offsetof(struct audit_rows, cut)},
};

const struct table audit_rows_table = {.name = "audit.rows",
                                       .base = &request_table,
                                       TABLE(audit_rows_fields),
                                       .size = sizeof(struct audit_rows)};

/* What is answered */

static const struct field audit_entry_fields[] = {
    {"id", FIELD_ID, .at = offsetof(struct audit_entry, id)},
    {"partition", FIELD_INT, .at = offsetof(struct audit_entry, partition)},
    {"number", FIELD_INT, .optional = true,
     .at = offsetof(struct audit_entry, number)},
    {"issued", FIELD_TIME, .at = offsetof(struct audit_entry, issued)},
    {"decided", FIELD_TIME, .at = offsetof(struct audit_entry, decided)},
    {"email", FIELD_TEXT, .optional = true,
     .at = offsetof(struct audit_entry, email)},
    {"verb", FIELD_TEXT, .at = offsetof(struct audit_entry, verb)},
    {"about", FIELD_TEXT, .optional = true,
     .at = offsetof(struct audit_entry, about)},
    {"command", FIELD_TEXT, .optional = true,
     .at = offsetof(struct audit_entry, command)},
    {"outcome", FIELD_WORD, .words = &audit_outcome_words,
     .at = offsetof(struct audit_entry, outcome)},
    {"status", FIELD_TEXT, .at = offsetof(struct audit_entry, status)},
    {"reason", FIELD_TEXT, .optional = true, .max = STORED_MAX,
     .at = offsetof(struct audit_entry, reason)},
    {"request", FIELD_HASH, .at = offsetof(struct audit_entry, request)},
    {"key", FIELD_HASH, .at = offsetof(struct audit_entry, key)},
};

static const struct table audit_entry_table = {.name = "audit entry",
                                               TABLE(audit_entry_fields),
                                               .size =
                                                   sizeof(struct audit_entry),
                                               .open = true};

static const struct field audit_entry_item = {
    .name = "entry", .kind = FIELD_TABLE, .table = &audit_entry_table};

static const struct field audit_answer_fields[] = {
    {"entries", FIELD_LIST, .item = &audit_entry_item,
     .at = offsetof(struct audit_answer, entries)},
    {"more", FIELD_BOOL, .optional = true,
     .at = offsetof(struct audit_answer, more)},
};

const struct table audit_answer_table = {.name = "audit answer",
                                         TABLE(audit_answer_fields),
                                         .size = sizeof(struct audit_answer),
                                         .open = true};

static const struct field audit_row_fields[] = {
    {"partition", FIELD_INT, .at = offsetof(struct audit_row, partition)},
    {"number", FIELD_INT, .at = offsetof(struct audit_row, number)},
    {"previous", FIELD_HASH, .at = offsetof(struct audit_row, previous)},
    {"hash", FIELD_HASH, .at = offsetof(struct audit_row, hash)},
    {"id", FIELD_ID, .at = offsetof(struct audit_row, id)},
    {"request", FIELD_HASH, .at = offsetof(struct audit_row, request)},
    {"verb", FIELD_TEXT, .max = STORED_MAX,
     .at = offsetof(struct audit_row, verb)},
    {"key", FIELD_HASH, .at = offsetof(struct audit_row, key)},
    {"user", FIELD_ID, .optional = true,
     .at = offsetof(struct audit_row, user)},
    {"command", FIELD_TEXT, .optional = true, .max = STORED_MAX,
     .at = offsetof(struct audit_row, command)},
    {"decision", FIELD_TEXT, .max = STORED_MAX,
     .at = offsetof(struct audit_row, decision)},
    {"status", FIELD_TEXT, .max = STORED_MAX,
     .at = offsetof(struct audit_row, status)},
    {"reason", FIELD_TEXT, .optional = true, .max = STORED_MAX,
     .at = offsetof(struct audit_row, reason)},
    {"text", FIELD_TEXT, .optional = true, .max = STORED_MAX,
     .at = offsetof(struct audit_row, text)},
    {"reply", FIELD_HASH, .optional = true,
     .at = offsetof(struct audit_row, reply)},
    {"size", FIELD_INT, .at = offsetof(struct audit_row, size)},
    {"issued", FIELD_TIME, .at = offsetof(struct audit_row, issued)},
    {"decided", FIELD_TIME, .at = offsetof(struct audit_row, decided)},
    {"offset", FIELD_INT, .at = offsetof(struct audit_row, offset)},
    {"envelope", FIELD_BYTES, .optional = true, .max = 2 * STORED_MAX,
     .at = offsetof(struct audit_row, envelope)},
    {"invite", FIELD_HASH, .optional = true,
     .at = offsetof(struct audit_row, invite)},
};

static const struct table audit_row_table = {.name = "audit row",
                                             TABLE(audit_row_fields),
                                             .size = sizeof(struct audit_row),
                                             .open = true};

static const struct field audit_row_item = {
    .name = "row", .kind = FIELD_TABLE, .table = &audit_row_table};

static const struct field audit_page_fields[] = {
    {"rows", FIELD_LIST, .item = &audit_row_item,
     .at = offsetof(struct audit_page, rows)},
    {"envelopes", FIELD_LIST, .optional = true, .item = &envelope_item,
     .at = offsetof(struct audit_page, envelopes)},
    {"cuts", FIELD_LIST, .optional = true, .item = &envelope_item,
     .at = offsetof(struct audit_page, cuts)},
    {"more", FIELD_BOOL, .optional = true,
     .at = offsetof(struct audit_page, more)},
};

const struct table audit_page_table = {.name = "audit page",
                                       TABLE(audit_page_fields),
                                       .size = sizeof(struct audit_page),
                                       .open = true};

/* request.c: see request.h. */
#include "model/request.h"

static const struct field head_fields[] = {
    {"root", FIELD_HASH, .at = offsetof(struct head, root)},
    {"id", FIELD_ID, .at = offsetof(struct head, id)},
    {"issued", FIELD_TIME, .at = offsetof(struct head, issued)},
    {"by", FIELD_HASH, .at = offsetof(struct head, by)},
};

const struct table head_table = {
    .name = "head", TABLE(head_fields), .size = sizeof(struct head)};

static const struct field reply_to_fields[] = {
    {"partition", FIELD_INT, .max = 9999,
     .at = offsetof(struct reply_to, partition)},
    {"box", FIELD_FIXED, .max = 32, .at = offsetof(struct reply_to, box)},
};

const struct table reply_to_table = {
    .name = "reply", TABLE(reply_to_fields), .size = sizeof(struct reply_to)};

/* Root-signed documents have neither: the authorizer asks for both. */
static const struct field request_fields[] = {
    {"expires", FIELD_TIME, .optional = true,
     .at = offsetof(struct request, expires)},
    {"reply", FIELD_TABLE, .optional = true, .table = &reply_to_table,
     .at = offsetof(struct request, reply)},
};

const struct table request_table = {.name = "request",
                                    .base = &head_table,
                                    TABLE(request_fields),
                                    .size = sizeof(struct request)};

const struct table plain_request_table = {.name = "request",
                                          .base = &request_table,
                                          .size = sizeof(struct plain_request)};

struct head head_new(const struct hash *root, const struct hash *by,
                     int64_t now)
{
    return (struct head){
        .root = *root, .id = id_new(now), .issued = now, .by = *by};
}

struct hash key_id(const struct key32 *key)
{
    return hash_of(key->b, sizeof(key->b));
}

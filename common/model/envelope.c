/* envelope.c: see envelope.h. */
#include "model/envelope.h"

static const struct field signature_fields[] = {
    {"keyid", FIELD_HASH, .at = offsetof(struct signature, key)},
    {"sig", FIELD_FIXED, .max = 64, .at = offsetof(struct signature, b)},
};

static const struct table signature_table = {.name = "signature",
                                             TABLE(signature_fields),
                                             .size = sizeof(struct signature)};

static const struct field signature_item = {
    .name = "signature", .kind = FIELD_TABLE, .table = &signature_table};

static const struct field envelope_fields[] = {
    {"payloadType", FIELD_TEXT, .max = 100,
     .at = offsetof(struct envelope, type)},
    {"payload", FIELD_BYTES, .at = offsetof(struct envelope, payload)},
    {"signatures", FIELD_LIST, .item = &signature_item,
     .max = ENVELOPE_SIGNERS_MAX, .at = offsetof(struct envelope, signatures)},
};

const struct table envelope_table = {.name = "envelope",
                                     TABLE(envelope_fields),
                                     .size = sizeof(struct envelope)};

const struct field envelope_item = {
    .name = "envelope", .kind = FIELD_TABLE, .table = &envelope_table};

static const struct field envelopes_fields[] = {
    {"envelopes", FIELD_LIST, .item = &envelope_item, .max = PROOF_MAX,
     .at = offsetof(struct envelopes, list)},
};

const struct table envelopes_table = {.name = "envelopes",
                                      TABLE(envelopes_fields),
                                      .size = sizeof(struct envelopes)};

void envelope_done(struct envelope *envelope)
{
    table_done(&envelope_table, envelope);
}

void envelopes_done(struct list *envelopes)
{
    struct envelopes all = {*envelopes};

    table_done(&envelopes_table, &all);
    *envelopes = (struct list){0};
}

struct envelope envelope_dup(const struct envelope *envelope)
{
    struct envelope copy = {.type = must_strdup(envelope->type)};

    if (buf_add(&copy.payload, envelope->payload.data, envelope->payload.len) !=
        0) {
        abort();
    }
    for (size_t i = 0; i < envelope->signatures.n; i++) {
        struct signature *to = list_grow(&copy.signatures, sizeof(*to));
        *to = list_at(&envelope->signatures, struct signature, i);
    }
    return copy;
}

void envelopes_add(struct list *envelopes, const struct envelope *envelope)
{
    struct envelope *to = list_grow(envelopes, sizeof(*to));

    *to = envelope_dup(envelope);
}

int envelope_encode(const struct envelope *envelope, struct buf *out,
                    struct err *err)
{
    return table_encode(&envelope_table, envelope, out, err);
}

int envelope_decode(const void *json, size_t n, struct envelope *ret_envelope,
                    struct err *err)
{
    return table_decode(&envelope_table, json, n, ret_envelope, err);
}

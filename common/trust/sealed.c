/* sealed.c: see sealed.h. */
#include "trust/sealed.h"

#include <sodium.h>
#include <string.h>

#define PURPOSE_MAX 63
#define NAME_MAX_BYTES 254

static const struct field sealed_fields[] = {
    {"root", FIELD_HASH, .at = offsetof(struct sealed, root)},
    {"purpose", FIELD_TEXT, .max = PURPOSE_MAX,
     .at = offsetof(struct sealed, purpose)},
    {"signer", FIELD_HASH, .at = offsetof(struct sealed, signer)},
    {"request", FIELD_ID, .at = offsetof(struct sealed, request)},
    {"recipient", FIELD_HASH, .at = offsetof(struct sealed, recipient)},
    {"name", FIELD_TEXT, .max = NAME_MAX_BYTES,
     .at = offsetof(struct sealed, name)},
    {"value", FIELD_BYTES, .max = SEALED_VALUE_MAX,
     .at = offsetof(struct sealed, value)},
};

static const struct table sealed_table = {
    .name = "sealed box", TABLE(sealed_fields), .size = sizeof(struct sealed)};

void sealed_wipe(struct buf *value)
{
    if (value->data != NULL) {
        sodium_memzero(value->data, value->cap);
    }
    buf_done(value);
}

int sealed_make(const struct sealed *content, const struct key32 *to,
                struct buf *ret_box, struct err *err)
{
    struct sealed whole = *content;
    _cleanup_sealed_ struct buf json = {0};
    _cleanup_buf_ struct buf box = {0};

    whole.recipient = key_id(to);
    /* All at once: growing would leave copies behind. */
    if (buf_reserve(&json, 2 * SEALED_VALUE_MAX) != 0) {
        return err_set(err, ERR_RETRY, "out of memory");
    }
    if (table_encode(&sealed_table, &whole, &json, err) != 0) {
        return -1;
    }
    if (box_seal(to, json.data, json.len, &box) != 0) {
        return err_set(err, ERR_REJECT, "the recipient's box key is no key");
    }
    *ret_box = box;
    box = (struct buf){0};
    return 0;
}

static const char *difference(const struct sealed *is,
                              const struct sealed *pattern)
{
    struct {
        const char *member;
        bool same;
    } compared[] = {
        {"root", hash_equal(&is->root, &pattern->root)},
        {"purpose", strcmp(is->purpose, pattern->purpose) == 0},
        {"signer", hash_equal(&is->signer, &pattern->signer)},
        {"request", id_equal(&is->request, &pattern->request)},
        {"recipient", hash_equal(&is->recipient, &pattern->recipient)},
        {"name", strcmp(is->name, pattern->name) == 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(compared); i++) {
        if (!compared[i].same) {
            return compared[i].member;
        }
    }
    return NULL;
}

int sealed_open(const struct key_pair *pair, const struct buf *box,
                const struct sealed *pattern, struct buf *ret_value,
                struct err *err)
{
    struct sealed expected = *pattern;
    struct sealed is;
    _cleanup_sealed_ struct buf json = {0};

    expected.recipient = key_id(&pair->box);
    if (box_open(pair, box->data, box->len, &json, err) != 0 ||
        table_decode(&sealed_table, json.data, json.len, &is, err) != 0) {
        return -1;
    }
    const char *other = difference(&is, &expected);
    if (other == NULL) {
        *ret_value = is.value;
        is.value = (struct buf){0};
    }
    sealed_wipe(&is.value);
    table_done(&sealed_table, &is);
    return other == NULL
               ? 0
               : err_set(err, ERR_REJECT,
                         "a sealed box that is for something else: its %s is "
                         "not that of the request that it came in",
                         other);
}

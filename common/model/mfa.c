/* mfa.c: see mfa.h. */
#include "model/mfa.h"

WORDS(mfa_state_words, "off", "wanted", "on", "exempt");

static const struct field sealed_to_fields[] = {
    {"recipient", FIELD_HASH, .at = offsetof(struct sealed_to, recipient)},
    {"box", FIELD_BYTES, .max = SEALED_TO_MAX,
     .at = offsetof(struct sealed_to, box)},
};

static const struct table sealed_to_table = {.name = "sealed to",
                                             TABLE(sealed_to_fields),
                                             .size = sizeof(struct sealed_to)};

const struct field sealed_to_item = {
    .name = "box", .kind = FIELD_TABLE, .table = &sealed_to_table};

static const struct field recovery_item = {.name = "hash", .kind = FIELD_HASH};

void sealed_to_done(struct list *boxes)
{
    for (size_t i = 0; i < boxes->n; i++) {
        buf_done(&list_at(boxes, struct sealed_to, i).box);
    }
    free(boxes->items);
    *boxes = (struct list){0};
}

static const struct field mfa_set_fields[] = {
    {"secret", FIELD_LIST, .item = &sealed_to_item, .max = AUTHORIZERS_MAX,
     .at = offsetof(struct mfa_set, secret)},
    {"code", FIELD_LIST, .item = &sealed_to_item, .max = AUTHORIZERS_MAX,
     .at = offsetof(struct mfa_set, code)},
    {"current", FIELD_LIST, .optional = true, .item = &sealed_to_item,
     .max = AUTHORIZERS_MAX, .at = offsetof(struct mfa_set, current)},
    {"recovery", FIELD_LIST, .item = &recovery_item, .max = RECOVERY_CODES,
     .at = offsetof(struct mfa_set, recovery)},
    {"session", FIELD_FIXED, .optional = true, .max = 32,
     .at = offsetof(struct mfa_set, session)},
};

const struct table mfa_set_table = {.name = "mfa.set",
                                    .base = &request_table,
                                    TABLE(mfa_set_fields),
                                    .size = sizeof(struct mfa_set)};

static const struct field mfa_reset_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct mfa_reset, user)},
};

const struct table mfa_reset_table = {.name = "mfa.reset",
                                      .base = &request_table,
                                      TABLE(mfa_reset_fields),
                                      .size = sizeof(struct mfa_reset)};

struct hash recovery_hash(const struct id *user,
                          const unsigned char code[static RECOVERY_CODE])
{
    static const char what[] = "errand.recovery";
    struct part parts[] = {{what, sizeof(what) - 1},
                           {user->b, sizeof(user->b)},
                           {code, RECOVERY_CODE}};

    return hash_tuple(parts, ARRAY_SIZE(parts));
}

/* change.c: see change.h. */
#include "model/change.h"

static const struct field change_fields[] = {
    {"subject", FIELD_HASH, .at = offsetof(struct change, subject)},
    {"actor", FIELD_ID, .optional = true, .at = offsetof(struct change, actor)},
    {"user", FIELD_ID, .optional = true, .at = offsetof(struct change, user)},
    {"command", FIELD_ID, .optional = true,
     .at = offsetof(struct change, command)},
    {"run", FIELD_ID, .optional = true, .at = offsetof(struct change, run)},
    {"name", FIELD_TEXT, .optional = true, .max = 254,
     .at = offsetof(struct change, name)},
    {"detail", FIELD_TEXT, .optional = true, .max = 1000,
     .at = offsetof(struct change, detail)},
    {"invite", FIELD_HASH, .optional = true,
     .at = offsetof(struct change, invite)},
    {"envelopes", FIELD_LIST, .optional = true, .max = PROOF_MAX,
     .item = &envelope_item, .at = offsetof(struct change, envelopes)},
};

const struct table change_table = {.name = "change",
                                   .base = &head_table,
                                   TABLE(change_fields),
                                   .size = sizeof(struct change),
                                   .open = true};

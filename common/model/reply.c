/* reply.c: see reply.h. */
#include "model/reply.h"

WORDS(reply_status_words, "accepted", "ok", "result", "invalid", "not_found",
      "denied", "stale", "conflict", "id_in_use", "behind", "code_wanted",
      "set_up_wanted");

static const struct field reply_fields[] = {
    {"to", FIELD_ID, .at = offsetof(struct reply, to)},
    {"request", FIELD_HASH, .at = offsetof(struct reply, request)},
    {"part", FIELD_INT, .at = offsetof(struct reply, part)},
    {"last", FIELD_BOOL, .at = offsetof(struct reply, last)},
    {"seq", FIELD_INT, .at = offsetof(struct reply, seq)},
    {"head", FIELD_HASH, .at = offsetof(struct reply, log)},
    {"status", FIELD_WORD, .words = &reply_status_words,
     .at = offsetof(struct reply, status)},
    {"sign_in", FIELD_BOOL, .optional = true,
     .at = offsetof(struct reply, sign_in)},
    {"text", FIELD_TEXT, .optional = true, .max = 1000,
     .at = offsetof(struct reply, text)},
    {"body", FIELD_BYTES, .optional = true, .max = REPLY_PART_MAX,
     .at = offsetof(struct reply, body)},
    {"proof", FIELD_LIST, .optional = true, .item = &envelope_item,
     .max = PROOF_MAX, .at = offsetof(struct reply, proof)},
    {"audit", FIELD_TABLE, .optional = true, .table = &checkpoint_table,
     .at = offsetof(struct reply, audit)},
    {"root_key", FIELD_FIXED, .optional = true, .max = 32,
     .at = offsetof(struct reply, root_key)},
};

const struct table reply_table = {.name = "reply",
                                  .base = &head_table,
                                  TABLE(reply_fields),
                                  .size = sizeof(struct reply),
                                  .open = true};

static const struct field sealed_reply_fields[] = {
    {"box", FIELD_BYTES, .at = offsetof(struct sealed_reply, box)},
};

const struct table sealed_reply_table = {.name = "sealed reply",
                                         TABLE(sealed_reply_fields),
                                         .size = sizeof(struct sealed_reply)};

/* session.c: see session.h. */
#include "model/session.h"

static const struct field session_open_fields[] = {
    {"key", FIELD_FIXED, .max = 32, .at = offsetof(struct session_open, key)},
    {"box", FIELD_FIXED, .max = 32, .at = offsetof(struct session_open, box)},
    {"until", FIELD_TIME, .at = offsetof(struct session_open, until)},
    {"code", FIELD_LIST, .optional = true, .item = &sealed_to_item,
     .max = AUTHORIZERS_MAX, .at = offsetof(struct session_open, code)},
};

const struct table session_open_table = {.name = "session.open",
                                         .base = &request_table,
                                         TABLE(session_open_fields),
                                         .size = sizeof(struct session_open)};

static const struct field session_close_fields[] = {
    {"session", FIELD_HASH, .at = offsetof(struct session_close, session)},
};

const struct table session_close_table = {.name = "session.close",
                                          .base = &request_table,
                                          TABLE(session_close_fields),
                                          .size = sizeof(struct session_close)};

/* target.c: see target.h. */
#include "model/target.h"

WORDS(target_state_words, "drained", "removed");

static const struct field target_set_fields[] = {
    {"name", FIELD_NAME, .at = offsetof(struct target_set, name)},
    {"generation", FIELD_INT, .min = 1, .max = 1000000,
     .at = offsetof(struct target_set, generation)},
    {"previous", FIELD_HASH, .optional = true,
     .at = offsetof(struct target_set, previous)},
    {"labels", FIELD_PAIRS, .optional = true, .max = 255,
     .at = offsetof(struct target_set, labels)},
    {"max_wait", FIELD_INT, .min = 1, .max = TARGET_WAIT_MAX,
     .at = offsetof(struct target_set, max_wait)},
    {"state", FIELD_WORD, .optional = true, .words = &target_state_words,
     .at = offsetof(struct target_set, state)},
};

const struct table target_set_table = {.name = "target.set",
                                       .base = &log_entry_table,
                                       TABLE(target_set_fields),
                                       .size = sizeof(struct target_set)};

static const struct field target_named_fields[] = {
    {"name", FIELD_NAME, .at = offsetof(struct target_named, name)},
};

const struct table target_named_table = {.name = "target.show",
                                         .base = &request_table,
                                         TABLE(target_named_fields),
                                         .size = sizeof(struct target_named)};

char *dispatch_topic(const char *target, int64_t generation)
{
    return must_printf("errand.dispatch.%s.%lld", target,
                       (long long)generation);
}

char *claims_topic(const char *target, int64_t generation)
{
    return must_printf("errand.claims.%s.%lld", target, (long long)generation);
}

/* run_end.c: see run_end.h. */
#include "model/run_end.h"

#include <string.h>

static const struct field target_end_fields[] = {
    {"target", FIELD_NAME, .at = offsetof(struct target_end, target)},
    {"outcome", FIELD_WORD, .words = &outcome_words,
     .at = offsetof(struct target_end, outcome)},
    {"exit", FIELD_INT, .optional = true, .max = 255,
     .at = offsetof(struct target_end, exit)},
};

static const struct table target_end_table = {.name = "target end",
                                              TABLE(target_end_fields),
                                              .size = sizeof(struct target_end),
                                              .open = true};

const struct field target_end_item = {
    .name = "target", .kind = FIELD_TABLE, .table = &target_end_table};

static const struct field run_end_fields[] = {
    {"run", FIELD_ID, .at = offsetof(struct run_end, run)},
    {"start", FIELD_HASH, .at = offsetof(struct run_end, start)},
    {"command", FIELD_HASH, .at = offsetof(struct run_end, command)},
    {"user", FIELD_ID, .at = offsetof(struct run_end, user)},
    {"asker", FIELD_TEXT, .optional = true, .max = EMAIL_MAX,
     .at = offsetof(struct run_end, asker)},
    {"asked", FIELD_TIME, .at = offsetof(struct run_end, asked)},
    {"ended", FIELD_TIME, .at = offsetof(struct run_end, ended)},
    {"outcome", FIELD_WORD, .words = &outcome_words,
     .at = offsetof(struct run_end, outcome)},
    {"targets", FIELD_LIST, .item = &target_end_item,
     .max = RUN_END_TARGETS_MAX, .at = offsetof(struct run_end, targets)},
    {"envelopes", FIELD_LIST, .optional = true, .max = PROOF_MAX,
     .item = &envelope_item, .at = offsetof(struct run_end, envelopes)},
};

const struct table run_end_table = {.name = "run.ended",
                                    .base = &head_table,
                                    TABLE(run_end_fields),
                                    .size = sizeof(struct run_end),
                                    .open = true};

static bool has_target(const struct run_end *end, int outcome)
{
    for (size_t i = 0; i < end->targets.n; i++) {
        if (list_at(&end->targets, struct target_end, i).outcome == outcome) {
            return true;
        }
    }
    return false;
}

bool run_end_concerns(const struct run_end *end, const struct notify *notify)
{
    for (size_t i = 0; i < notify->on.n; i++) {
        int outcome = list_at(&notify->on, int, i);
        if (outcome == end->outcome ||
            (outcome != OUTCOME_SUCCEEDED && has_target(end, outcome))) {
            return true;
        }
    }
    return false;
}

struct id notice_id(const struct run_end *end, const char *to)
{
    static const char what[] = "errand.notice";
    const char *outcome = word_text(&outcome_words, end->outcome);
    struct part parts[] = {{what, sizeof(what) - 1},
                           {end->start.b, sizeof(end->start.b)},
                           {outcome, strlen(outcome)},
                           {to, strlen(to)}};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_of_hash(&hash);
}

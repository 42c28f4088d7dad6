/* run.c: see run.h. */
#include "model/run.h"

#include <stdio.h>
#include <string.h>

#include "model/parameter.h"

WORDS(closing_words, "expired", "cancelled");

static const struct field run_start_fields[] = {
    {"command", FIELD_ID, .at = offsetof(struct run_start, command)},
    {"arguments", FIELD_PAIRS, .max = PARAMETER_VALUE_MAX,
     .at = offsetof(struct run_start, arguments)},
    {"targets", FIELD_LIST, .item = &name_item, .max = RUN_TARGETS_MAX,
     .at = offsetof(struct run_start, targets)},
    {"deadline", FIELD_TIME, .at = offsetof(struct run_start, deadline)},
    {"follow", FIELD_BOOL, .at = offsetof(struct run_start, follow)},
};

const struct table run_start_table = {.name = "run.start",
                                      .base = &request_table,
                                      TABLE(run_start_fields),
                                      .size = sizeof(struct run_start)};

static const struct field run_cancel_fields[] = {
    {"run", FIELD_ID, .at = offsetof(struct run_cancel, run)},
    {"targets", FIELD_LIST, .optional = true, .item = &name_item,
     .max = RUN_TARGETS_MAX, .at = offsetof(struct run_cancel, targets)},
};

const struct table run_cancel_table = {.name = "run.cancel",
                                       .base = &request_table,
                                       TABLE(run_cancel_fields),
                                       .size = sizeof(struct run_cancel)};

static const struct field dispatch_fields[] = {
    {"expires", FIELD_TIME, .at = offsetof(struct dispatch, expires)},
    {"execution", FIELD_ID, .at = offsetof(struct dispatch, execution)},
    {"run", FIELD_HASH, .at = offsetof(struct dispatch, run)},
    {"command", FIELD_HASH, .at = offsetof(struct dispatch, command)},
    {"target", FIELD_NAME, .at = offsetof(struct dispatch, target)},
    {"attempt", FIELD_INT, .min = 1, .max = 1000,
     .at = offsetof(struct dispatch, attempt)},
    {"seq", FIELD_INT, .at = offsetof(struct dispatch, seq)},
    {"head", FIELD_HASH, .at = offsetof(struct dispatch, log)},
    {"proof", FIELD_LIST, .item = &envelope_item, .max = PROOF_MAX,
     .at = offsetof(struct dispatch, proof)},
};

const struct table dispatch_table = {.name = "dispatch",
                                     .base = &head_table,
                                     TABLE(dispatch_fields),
                                     .size = sizeof(struct dispatch)};

static const struct field claim_fields[] = {
    {"execution", FIELD_ID, .at = offsetof(struct claim, execution)},
    {"incarnation", FIELD_ID, .optional = true,
     .at = offsetof(struct claim, incarnation)},
    {"closing", FIELD_WORD, .optional = true, .words = &closing_words,
     .at = offsetof(struct claim, closing)},
    {"proof", FIELD_LIST, .optional = true, .item = &envelope_item,
     .max = PROOF_MAX, .at = offsetof(struct claim, proof)},
};

const struct table claim_table = {.name = "claim",
                                  .base = &head_table,
                                  TABLE(claim_fields),
                                  .size = sizeof(struct claim)};

struct id execution_id(const struct id *run, const struct hash *hash,
                       const char *target, int64_t attempt)
{
    static const char what[] = "errand.execution";
    char number[24];
    int len = snprintf(number, sizeof(number), "%lld", (long long)attempt);
    struct part parts[] = {{what, sizeof(what) - 1},
                           {hash->b, sizeof(hash->b)},
                           {target, strlen(target)},
                           {number, (size_t)len}};
    struct hash derived = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_at(id_time(run), &derived);
}

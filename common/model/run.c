/* run.c: see run.h. */
#include "model/run.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "model/parameter.h"

WORDS(run_state_words, "pending", "waiting", "running");
WORDS(closing_words, "expired", "cancelled");

static const struct field run_start_fields[] = {
    {"command", FIELD_ID, .at = offsetof(struct run_start, command)},
    {"name", FIELD_NAME, .optional = true,
     .at = offsetof(struct run_start, name)},
    {"arguments", FIELD_PAIRS, .max = ARGUMENT_MAX,
     .at = offsetof(struct run_start, arguments)},
    {"boxes", FIELD_LIST, .optional = true, .item = &secret_box_item,
     .max = SECRET_BOXES_MAX, .at = offsetof(struct run_start, boxes)},
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

static char *file_recorded(const char *value)
{
    _cleanup_buf_ struct buf content = {0};
    char digest[HASH_TEXT];

    (void)base64_decode(value, strlen(value), &content); /* it was checked */
    struct hash hash = hash_of(buf_text(&content), content.len);
    hash_format(&hash, digest);
    return must_printf("file, %zu bytes, sha256 %s", content.len, digest);
}

void run_recorded(const struct list *parameters, const struct run_start *run,
                  struct list *ret_pairs)
{
    for (size_t i = 0; i < run->arguments.n; i++) {
        const struct pair *one = &list_at(&run->arguments, struct pair, i);
        const struct parameter *parameter =
            parameter_find(parameters, one->name);
        bool file = parameter != NULL && parameter->type == PARAMETER_FILE;
        _cleanup_free_ char *told = file ? file_recorded(one->value) : NULL;
        pairs_add(ret_pairs, one->name, file ? told : one->value);
    }
    for (size_t i = 0; i < parameters->n; i++) {
        const char *name = list_at(parameters, struct parameter, i).name;
        if (secrets_hold(&run->boxes, name)) {
            pairs_add(ret_pairs, name, SECRET_SHOWN);
        }
    }
}

struct hash run_key(const struct id *run, const struct hash *hash, bool ticked)
{
    static const char what[] = "errand.run.tick";
    struct part parts[] = {{what, sizeof(what) - 1}, {run->b, sizeof(run->b)}};

    return ticked ? hash_tuple(parts, ARRAY_SIZE(parts)) : *hash;
}

struct id execution_id(const struct id *run, const struct hash *key,
                       const char *target, int64_t attempt)
{
    static const char what[] = "errand.execution";
    char number[24];
    int len = snprintf(number, sizeof(number), "%lld", (long long)attempt);
    struct part parts[] = {{what, sizeof(what) - 1},
                           {key->b, sizeof(key->b)},
                           {target, strlen(target)},
                           {number, (size_t)len}};
    struct hash derived = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_at(id_time(run), &derived);
}

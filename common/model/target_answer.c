/* target_answer.c: what target.list and target.show tell; see answer.h. */
#include "model/answer.h"
#include "model/target.h"

WORDS(seen_words, "live", "silent", "never_seen");

static const struct field executor_row_fields[] = {
    {"name", FIELD_NAME, .at = offsetof(struct executor_row, name)},
    {"seen", FIELD_WORD, .optional = true, .words = &seen_words,
     .at = offsetof(struct executor_row, seen)},
    {"heard", FIELD_TIME, .optional = true,
     .at = offsetof(struct executor_row, heard)},
    {"slots", FIELD_INT, .optional = true,
     .at = offsetof(struct executor_row, slots)},
    {"free", FIELD_INT, .optional = true,
     .at = offsetof(struct executor_row, free)},
    {"version", FIELD_TEXT, .optional = true,
     .at = offsetof(struct executor_row, version)},
};

static const struct table executor_row_table = {.name = "executor row",
                                                TABLE(executor_row_fields),
                                                .size =
                                                    sizeof(struct executor_row),
                                                .open = true};

static const struct field executor_row_item = {
    .name = "executor", .kind = FIELD_TABLE, .table = &executor_row_table};

static const struct field target_row_fields[] = {
    {"name", FIELD_NAME, .at = offsetof(struct target_row, name)},
    {"state", FIELD_WORD, .optional = true, .words = &target_state_words,
     .at = offsetof(struct target_row, state)},
    {"generation", FIELD_INT, .at = offsetof(struct target_row, generation)},
    {"max_wait", FIELD_INT, .at = offsetof(struct target_row, max_wait)},
    {"labels", FIELD_PAIRS, .optional = true,
     .at = offsetof(struct target_row, labels)},
    {"seen", FIELD_WORD, .optional = true, .words = &seen_words,
     .at = offsetof(struct target_row, seen)},
    {"slots", FIELD_INT, .optional = true,
     .at = offsetof(struct target_row, slots)},
    {"free", FIELD_INT, .optional = true,
     .at = offsetof(struct target_row, free)},
    {"set", FIELD_TIME, .optional = true,
     .at = offsetof(struct target_row, set)},
    {"set_by", FIELD_TEXT, .optional = true,
     .at = offsetof(struct target_row, set_by)},
    {"waiting", FIELD_INT, .optional = true,
     .at = offsetof(struct target_row, waiting)},
    {"running", FIELD_INT, .optional = true,
     .at = offsetof(struct target_row, running)},
    {"executors", FIELD_LIST, .optional = true, .item = &executor_row_item,
     .at = offsetof(struct target_row, executors)},
};

static const struct table target_row_table = {.name = "target row",
                                              TABLE(target_row_fields),
                                              .size = sizeof(struct target_row),
                                              .open = true};

static const struct field target_row_item = {
    .name = "target", .kind = FIELD_TABLE, .table = &target_row_table};

static const struct field targets_answer_fields[] = {
    {"targets", FIELD_LIST, .item = &target_row_item,
     .at = offsetof(struct targets_answer, targets)},
};

const struct table targets_answer_table = {.name = "targets answer",
                                           TABLE(targets_answer_fields),
                                           .size =
                                               sizeof(struct targets_answer),
                                           .open = true};

static const struct field target_answer_fields[] = {
    {"target", FIELD_TABLE, .table = &target_row_table,
     .at = offsetof(struct target_answer, target)},
};

const struct table target_answer_table = {.name = "target answer",
                                          TABLE(target_answer_fields),
                                          .size = sizeof(struct target_answer),
                                          .open = true};

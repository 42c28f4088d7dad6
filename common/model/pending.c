/* pending.c: see pending.h. */
#include "model/pending.h"

#include "model/group.h"

static const struct field group_row_fields[] = {
    {"name", FIELD_NAME, .at = offsetof(struct group_row, name)},
    {"members", FIELD_LIST, .item = &text_item, .max = GROUP_MEMBERS_MAX,
     .at = offsetof(struct group_row, members)},
    {"unable", FIELD_LIST, .optional = true, .item = &text_item,
     .max = GROUP_MEMBERS_MAX, .at = offsetof(struct group_row, unable)},
};

static const struct table group_row_table = {.name = "group row",
                                             TABLE(group_row_fields),
                                             .size = sizeof(struct group_row),
                                             .open = true};

static const struct field group_row_item = {
    .name = "group", .kind = FIELD_TABLE, .table = &group_row_table};

static const struct field groups_answer_fields[] = {
    {"groups", FIELD_LIST, .item = &group_row_item,
     .at = offsetof(struct groups_answer, groups)},
};

const struct table groups_answer_table = {.name = "groups answer",
                                          TABLE(groups_answer_fields),
                                          .size = sizeof(struct groups_answer),
                                          .open = true};

static const struct field run_item = {
    .name = "run", .kind = FIELD_TABLE, .table = &run_row_table};

static const struct field pendings_answer_fields[] = {
    {"runs", FIELD_LIST, .item = &run_item,
     .at = offsetof(struct pendings_answer, runs)},
};

const struct table pendings_answer_table = {.name = "pending runs answer",
                                            TABLE(pendings_answer_fields),
                                            .size =
                                                sizeof(struct pendings_answer),
                                            .open = true};

static const struct field pending_answer_fields[] = {
    {"id", FIELD_ID, .at = offsetof(struct pending_answer, id)},
    {"run", FIELD_HASH, .at = offsetof(struct pending_answer, run)},
    {"command", FIELD_HASH, .at = offsetof(struct pending_answer, command)},
    {"pending", FIELD_TABLE, .table = &run_pending_table,
     .at = offsetof(struct pending_answer, pending)},
    {"envelopes", FIELD_LIST, .item = &envelope_item,
     .at = offsetof(struct pending_answer, envelopes)},
};

const struct table pending_answer_table = {.name = "pending run answer",
                                           TABLE(pending_answer_fields),
                                           .size =
                                               sizeof(struct pending_answer),
                                           .open = true};

static const struct field voted_answer_fields[] = {
    {"run", FIELD_ID, .at = offsetof(struct voted_answer, run)},
    {"lacking", FIELD_INT, .optional = true,
     .at = offsetof(struct voted_answer, lacking)},
};

const struct table voted_answer_table = {.name = "vote's answer",
                                         TABLE(voted_answer_fields),
                                         .size = sizeof(struct voted_answer),
                                         .open = true};

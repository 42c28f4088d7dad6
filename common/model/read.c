/* read.c: see read.h. */
#include "model/read.h"

#include "model/enrolment.h"
#include "model/parameter.h"
#include "model/result.h"
#include "model/run.h"
#include "model/user.h"

static const struct field run_named_fields[] = {
    {"run", FIELD_TEXT, .max = 36, .at = offsetof(struct run_named, run)},
};

const struct table run_named_table = {.name = "run.show",
                                      .base = &request_table,
                                      TABLE(run_named_fields),
                                      .size = sizeof(struct run_named)};

static const struct field run_output_fields[] = {
    {"run", FIELD_TEXT, .max = 36, .at = offsetof(struct run_output, run)},
    {"execution", FIELD_ID, .optional = true,
     .at = offsetof(struct run_output, execution)},
    {"after", FIELD_INT, .at = offsetof(struct run_output, after)},
};

const struct table run_output_table = {.name = "run.output",
                                       .base = &request_table,
                                       TABLE(run_output_fields),
                                       .size = sizeof(struct run_output)};

static const struct field run_history_fields[] = {
    {"before", FIELD_ID, .optional = true,
     .at = offsetof(struct run_history, before)},
    {"limit", FIELD_INT, .min = 1, .max = 100,
     .at = offsetof(struct run_history, limit)},
    {"count", FIELD_BOOL, .optional = true,
     .at = offsetof(struct run_history, count)},
    {"command", FIELD_NAME, .optional = true,
     .at = offsetof(struct run_history, command)},
    {"email", FIELD_TEXT, .optional = true, .max = EMAIL_MAX,
     .at = offsetof(struct run_history, email)},
    {"target", FIELD_NAME, .optional = true,
     .at = offsetof(struct run_history, target)},
    {"outcome", FIELD_WORD, .optional = true, .words = &outcome_words,
     .at = offsetof(struct run_history, outcome)},
    {"state", FIELD_WORD, .optional = true, .words = &run_state_words,
     .at = offsetof(struct run_history, state)},
    {"since", FIELD_TIME, .optional = true,
     .at = offsetof(struct run_history, since)},
    {"until", FIELD_TIME, .optional = true,
     .at = offsetof(struct run_history, until)},
    {"arguments", FIELD_PAIRS, .optional = true, .max = PARAMETER_VALUE_MAX,
     .at = offsetof(struct run_history, arguments)},
};

const struct table run_history_table = {.name = "run.history",
                                        .base = &request_table,
                                        TABLE(run_history_fields),
                                        .size = sizeof(struct run_history)};

static const struct field user_named_fields[] = {
    {"email", FIELD_TEXT, .max = EMAIL_MAX,
     .at = offsetof(struct user_named, email)},
};

const struct table user_named_table = {.name = "user.show",
                                       .base = &request_table,
                                       TABLE(user_named_fields),
                                       .size = sizeof(struct user_named)};

static const struct field service_list_fields[] = {
    {"kind", FIELD_WORD, .optional = true, .words = &service_kind_words,
     .at = offsetof(struct service_list, kind)},
};

const struct table service_list_table = {.name = "service.list",
                                         .base = &request_table,
                                         TABLE(service_list_fields),
                                         .size = sizeof(struct service_list)};

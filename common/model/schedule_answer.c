/* schedule_answer.c: see schedule_answer.h. */
#include "model/schedule_answer.h"

#include "model/result.h"

static const struct field schedule_row_fields[] = {
    {"schedule", FIELD_ID, .at = offsetof(struct schedule_row, schedule)},
    {"command", FIELD_NAME, .at = offsetof(struct schedule_row, command)},
    {"cron", FIELD_TEXT, .optional = true,
     .at = offsetof(struct schedule_row, cron)},
    {"at", FIELD_TIME, .optional = true,
     .at = offsetof(struct schedule_row, at)},
    {"zone", FIELD_TEXT, .at = offsetof(struct schedule_row, zone)},
    {"catch_up", FIELD_WORD, .words = &catch_up_words,
     .at = offsetof(struct schedule_row, catch_up)},
    {"paused", FIELD_BOOL, .optional = true,
     .at = offsetof(struct schedule_row, paused)},
    {"version", FIELD_INT, .at = offsetof(struct schedule_row, version)},
    {"saved", FIELD_HASH, .at = offsetof(struct schedule_row, saved)},
    {"set", FIELD_TIME, .at = offsetof(struct schedule_row, set)},
    {"set_by", FIELD_TEXT, .at = offsetof(struct schedule_row, set_by)},
    {"stopped", FIELD_TEXT, .optional = true,
     .at = offsetof(struct schedule_row, stopped)},
    {"fired", FIELD_TIME, .optional = true,
     .at = offsetof(struct schedule_row, fired)},
    {"run", FIELD_ID, .optional = true,
     .at = offsetof(struct schedule_row, run)},
    {"refused", FIELD_TEXT, .optional = true,
     .at = offsetof(struct schedule_row, refused)},
    {"outcome", FIELD_WORD, .optional = true, .words = &outcome_words,
     .at = offsetof(struct schedule_row, outcome)},
};

static const struct table schedule_row_table = {.name = "schedule row",
                                                TABLE(schedule_row_fields),
                                                .size =
                                                    sizeof(struct schedule_row),
                                                .open = true};

static const struct field schedule_row_item = {
    .name = "schedule", .kind = FIELD_TABLE, .table = &schedule_row_table};

static const struct field schedules_answer_fields[] = {
    {"schedules", FIELD_LIST, .item = &schedule_row_item,
     .at = offsetof(struct schedules_answer, schedules)},
};

const struct table schedules_answer_table = {
    .name = "schedules answer",
    TABLE(schedules_answer_fields),
    .size = sizeof(struct schedules_answer),
    .open = true};

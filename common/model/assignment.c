/* assignment.c: see assignment.h. */
#include "model/assignment.h"

#include "model/user.h"

static const struct field assignment_add_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct assignment_add, user)},
    {"command", FIELD_ID, .at = offsetof(struct assignment_add, command)},
    {"until", FIELD_TIME, .optional = true,
     .at = offsetof(struct assignment_add, until)},
    {"pin", FIELD_INT, .optional = true, .max = 1000000,
     .at = offsetof(struct assignment_add, pin)},
    {"seq", FIELD_INT, .optional = true, .max = 1000000000,
     .at = offsetof(struct assignment_add, seq)},
};

const struct table assignment_add_table = {.name = "assignment.add",
                                           .base = &request_table,
                                           TABLE(assignment_add_fields),
                                           .size =
                                               sizeof(struct assignment_add)};

static const struct field assignment_list_fields[] = {
    {"command", FIELD_NAME, .optional = true,
     .at = offsetof(struct assignment_list, command)},
    {"email", FIELD_TEXT, .optional = true, .max = EMAIL_MAX,
     .at = offsetof(struct assignment_list, email)},
};

const struct table assignment_list_table = {.name = "assignment.list",
                                            .base = &request_table,
                                            TABLE(assignment_list_fields),
                                            .size =
                                                sizeof(struct assignment_list)};

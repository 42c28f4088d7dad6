/* answer_people.c: see answer.h: what is told of people and their sessions. */
#include "model/answer.h"
#include "model/mail.h"
#include "model/user.h"

static const struct field session_answer_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct session_answer, user)},
    {"email", FIELD_TEXT, .at = offsetof(struct session_answer, email)},
    {"role", FIELD_WORD, .words = &role_words,
     .at = offsetof(struct session_answer, role)},
    {"state", FIELD_WORD, .words = &user_state_words,
     .at = offsetof(struct session_answer, state)},
    {"session", FIELD_HASH, .optional = true,
     .at = offsetof(struct session_answer, session)},
    {"until", FIELD_TIME, .optional = true,
     .at = offsetof(struct session_answer, until)},
    {"mfa", FIELD_WORD, .optional = true, .words = &mfa_state_words,
     .at = offsetof(struct session_answer, mfa)},
    {"service", FIELD_BOOL, .optional = true,
     .at = offsetof(struct session_answer, service)},
    {"rules", FIELD_TABLE, .optional = true, .table = &rules_table,
     .at = offsetof(struct session_answer, rules)},
    {"authorizers", FIELD_LIST, .optional = true, .item = &envelope_item,
     .at = offsetof(struct session_answer, authorizers)},
};

const struct table session_answer_table = {.name = "session answer",
                                           TABLE(session_answer_fields),
                                           .size =
                                               sizeof(struct session_answer),
                                           .open = true};

static const struct field user_row_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct user_row, user)},
    {"email", FIELD_TEXT, .at = offsetof(struct user_row, email)},
    {"role", FIELD_WORD, .words = &role_words,
     .at = offsetof(struct user_row, role)},
    {"state", FIELD_WORD, .words = &user_state_words,
     .at = offsetof(struct user_row, state)},
    {"suspended", FIELD_BOOL, .optional = true,
     .at = offsetof(struct user_row, suspended)},
    {"generation", FIELD_INT, .optional = true,
     .at = offsetof(struct user_row, generation)},
    {"invited", FIELD_TIME, .optional = true,
     .at = offsetof(struct user_row, invited)},
    {"invited_until", FIELD_TIME, .optional = true,
     .at = offsetof(struct user_row, invited_until)},
    {"verified", FIELD_TIME, .optional = true,
     .at = offsetof(struct user_row, verified)},
    {"confirmed", FIELD_TIME, .optional = true,
     .at = offsetof(struct user_row, confirmed)},
    {"invited_by", FIELD_TEXT, .optional = true,
     .at = offsetof(struct user_row, invited_by)},
    {"name", FIELD_TEXT, .optional = true,
     .at = offsetof(struct user_row, name)},
    {"mail", FIELD_WORD, .optional = true, .words = &fate_words,
     .at = offsetof(struct user_row, mail)},
    {"mail_at", FIELD_TIME, .optional = true,
     .at = offsetof(struct user_row, mail_at)},
    {"mail_reason", FIELD_TEXT, .optional = true,
     .at = offsetof(struct user_row, mail_reason)},
    {"mfa", FIELD_WORD, .optional = true, .words = &mfa_state_words,
     .at = offsetof(struct user_row, mfa)},
    {"service", FIELD_BOOL, .optional = true,
     .at = offsetof(struct user_row, service)},
};

static const struct table user_row_table = {.name = "user row",
                                            TABLE(user_row_fields),
                                            .size = sizeof(struct user_row),
                                            .open = true};

static const struct field user_row_item = {
    .name = "user", .kind = FIELD_TABLE, .table = &user_row_table};

static const struct field users_answer_fields[] = {
    {"users", FIELD_LIST, .item = &user_row_item,
     .at = offsetof(struct users_answer, users)},
};

const struct table users_answer_table = {.name = "users answer",
                                         TABLE(users_answer_fields),
                                         .size = sizeof(struct users_answer),
                                         .open = true};

static const struct field user_answer_fields[] = {
    {"user", FIELD_TABLE, .table = &user_row_table,
     .at = offsetof(struct user_answer, user)},
    {"invite", FIELD_HASH, .optional = true,
     .at = offsetof(struct user_answer, invite)},
    {"verify", FIELD_HASH, .optional = true,
     .at = offsetof(struct user_answer, verify)},
    {"envelopes", FIELD_LIST, .optional = true, .item = &envelope_item,
     .at = offsetof(struct user_answer, envelopes)},
    {"rules", FIELD_TABLE, .optional = true, .table = &rules_table,
     .at = offsetof(struct user_answer, rules)},
};

const struct table user_answer_table = {.name = "user answer",
                                        TABLE(user_answer_fields),
                                        .size = sizeof(struct user_answer),
                                        .open = true};

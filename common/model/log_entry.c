/* log_entry.c: see log_entry.h. */
#include "model/log_entry.h"

#include "model/user.h"

static const struct field log_entry_fields[] = {
    {"seq", FIELD_INT, .min = 1, .max = 1000000000,
     .at = offsetof(struct log_entry, seq)},
    {"prev", FIELD_HASH, .at = offsetof(struct log_entry, prev)},
    {"keep", FIELD_LIST, .optional = true, .item = &hash_item, .max = KEEP_MAX,
     .at = offsetof(struct log_entry, keep)},
};

const struct table log_entry_table = {.name = "entry",
                                      .base = &request_table,
                                      TABLE(log_entry_fields),
                                      .size = sizeof(struct log_entry)};

static const struct field user_standing_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct user_standing, user)},
};

const struct table user_standing_table = {.name = "user",
                                          .base = &log_entry_table,
                                          TABLE(user_standing_fields),
                                          .size = sizeof(struct user_standing)};

static const struct field user_role_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct user_role, user)},
    {"naming", FIELD_HASH, .at = offsetof(struct user_role, naming)},
    {"key", FIELD_FIXED, .max = 32, .at = offsetof(struct user_role, key)},
    {"role", FIELD_WORD, .words = &role_words,
     .at = offsetof(struct user_role, role)},
};

const struct table user_role_table = {.name = "user.role",
                                      .base = &log_entry_table,
                                      TABLE(user_role_fields),
                                      .size = sizeof(struct user_role)};

static const struct field user_reinvite_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct user_reinvite, user)},
    {"invitation", FIELD_FIXED, .max = 32,
     .at = offsetof(struct user_reinvite, invitation)},
    {"email", FIELD_TEXT, .max = EMAIL_MAX,
     .at = offsetof(struct user_reinvite, email)},
    {"role", FIELD_WORD, .words = &role_words,
     .at = offsetof(struct user_reinvite, role)},
    {"until", FIELD_TIME, .at = offsetof(struct user_reinvite, until)},
    {"generation", FIELD_INT, .min = 1, .max = 1000000,
     .at = offsetof(struct user_reinvite, generation)},
    {"sealed", FIELD_LIST, .optional = true, .max = NOTIFIERS_MAX,
     .item = &sealed_seed_item, .at = offsetof(struct user_reinvite, sealed)},
};

const struct table user_reinvite_table = {.name = "user.reinvite",
                                          .base = &log_entry_table,
                                          TABLE(user_reinvite_fields),
                                          .size = sizeof(struct user_reinvite)};

static const struct field key_rotate_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct key_rotate, user)},
    {"naming", FIELD_HASH, .at = offsetof(struct key_rotate, naming)},
    {"key", FIELD_FIXED, .max = 32, .at = offsetof(struct key_rotate, key)},
    {"generation", FIELD_INT, .min = 2, .max = 1000000,
     .at = offsetof(struct key_rotate, generation)},
};

const struct table key_rotate_table = {.name = "key.rotate",
                                       .base = &log_entry_table,
                                       TABLE(key_rotate_fields),
                                       .size = sizeof(struct key_rotate)};

static const struct field assignment_remove_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct assignment_remove, user)},
    {"command", FIELD_ID, .at = offsetof(struct assignment_remove, command)},
};

const struct table assignment_remove_table = {
    .name = "assignment.remove",
    .base = &log_entry_table,
    TABLE(assignment_remove_fields),
    .size = sizeof(struct assignment_remove)};

static const struct field command_retire_fields[] = {
    {"command", FIELD_ID, .at = offsetof(struct command_retire, command)},
};

const struct table command_retire_table = {.name = "command.retire",
                                           .base = &log_entry_table,
                                           TABLE(command_retire_fields),
                                           .size =
                                               sizeof(struct command_retire)};

static const struct field service_revoke_fields[] = {
    {"service", FIELD_HASH, .at = offsetof(struct service_revoke, service)},
};

const struct table service_revoke_table = {.name = "service.revoke",
                                           .base = &log_entry_table,
                                           TABLE(service_revoke_fields),
                                           .size =
                                               sizeof(struct service_revoke)};

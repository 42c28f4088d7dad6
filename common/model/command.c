/*
 * command.c: see command.h.
 *
 * The first line's bound is the kernel's (BINPRM_BUF_SIZE, 256 bytes, in
 * include/uapi/linux/binfmts.h): beyond it the rest of the line is lost.
 */
#include "model/command.h"

#include <string.h>

#include "model/where.h"

#define FIRST_LINE_MAX 254
#define USER_MAX 32 /* as useradd(8) has it */

static bool user_is_good(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    return n > 0 && n <= USER_MAX && text[n] == '\0' && text[0] != '-';
}

const struct text_form user_form = {user_is_good,
                                    "not a user's name, such as www-data"};

const struct field arg_item = {
    .name = "word", .kind = FIELD_TEXT, .max = ARG_MAX_BYTES};

static const struct field right_item = {
    .name = "right", .kind = FIELD_TEXT, .max = 20};

static const struct field where_item = {.name = "target",
                                        .kind = FIELD_TEXT,
                                        .max = WHERE_MAX,
                                        .form = &where_form};

static const struct field command_save_fields[] = {
    {"command", FIELD_ID, .at = offsetof(struct command_save, command)},
    {"name", FIELD_NAME, .at = offsetof(struct command_save, name)},
    {"description", FIELD_TEXT, .optional = true,
     .at = offsetof(struct command_save, description)},
    {"version", FIELD_INT, .min = 1, .max = VERSION_MAX,
     .at = offsetof(struct command_save, version)},
    {"previous", FIELD_HASH, .optional = true,
     .at = offsetof(struct command_save, previous)},
    {"script", FIELD_BYTES, .max = SCRIPT_MAX,
     .at = offsetof(struct command_save, script)},
    {"parameters", FIELD_LIST, .item = &parameter_item, .max = PARAMETERS_MAX,
     .at = offsetof(struct command_save, parameters)},
    {"args", FIELD_LIST, .optional = true, .item = &arg_item, .max = ARGS_MAX,
     .at = offsetof(struct command_save, args)},
    {"files", FIELD_LIST, .optional = true, .item = &attachment_item,
     .max = ATTACHMENTS_MAX, .at = offsetof(struct command_save, files)},
    {"runner_may", FIELD_LIST, .optional = true, .item = &right_item, .max = 2,
     .at = offsetof(struct command_save, runner_may)},
    {"notify", FIELD_LIST, .optional = true, .item = &notify_item,
     .max = NOTIFY_MAX, .at = offsetof(struct command_save, notify)},
    {"targets", FIELD_LIST, .item = &where_item, .max = COMMAND_TARGETS_MAX,
     .at = offsetof(struct command_save, targets)},
    {"timeout", FIELD_INT, .min = 1, .max = TIMEOUT_MAX,
     .at = offsetof(struct command_save, timeout)},
    {"wait", FIELD_INT, .min = 1, .max = WAIT_MAX,
     .at = offsetof(struct command_save, wait)},
    {"run_as", FIELD_TEXT, .optional = true, .max = USER_MAX,
     .form = &user_form, .at = offsetof(struct command_save, run_as)},
    {"cpu", FIELD_INT, .optional = true, .max = TIMEOUT_MAX,
     .at = offsetof(struct command_save, cpu)},
    {"memory", FIELD_INT, .optional = true, .max = BYTES_MAX,
     .at = offsetof(struct command_save, memory)},
    {"file_size", FIELD_INT, .optional = true, .max = BYTES_MAX,
     .at = offsetof(struct command_save, file_size)},
    {"open_files", FIELD_INT, .optional = true, .max = NUMBER_MAX,
     .at = offsetof(struct command_save, open_files)},
    {"processes", FIELD_INT, .optional = true, .max = NUMBER_MAX,
     .at = offsetof(struct command_save, processes)},
    {"pace", FIELD_TABLE, .optional = true, .table = &pace_table,
     .at = offsetof(struct command_save, pace)},
    {"approve", FIELD_TABLE, .optional = true, .table = &approval_table,
     .at = offsetof(struct command_save, approve)},
};

const struct table command_save_table = {.name = "command.save",
                                         .base = &request_table,
                                         TABLE(command_save_fields),
                                         .size = sizeof(struct command_save)};

static const struct field command_named_fields[] = {
    {"name", FIELD_NAME, .at = offsetof(struct command_named, name)},
};

static const struct field command_show_fields[] = {
    {"name", FIELD_NAME, .at = offsetof(struct command_named, name)},
    {"version", FIELD_INT, .optional = true, .min = 1, .max = VERSION_MAX,
     .at = offsetof(struct command_named, version)},
    {"targets", FIELD_LIST, .optional = true, .item = &name_item,
     .max = COMMAND_TARGETS_MAX, .at = offsetof(struct command_named, targets)},
};

const struct table command_show_table = {.name = "command.show",
                                         .base = &request_table,
                                         TABLE(command_show_fields),
                                         .size = sizeof(struct command_named)};

const struct table command_versions_table = {.name = "command.versions",
                                             .base = &request_table,
                                             TABLE(command_named_fields),
                                             .size =
                                                 sizeof(struct command_named)};

static int parameters_check(const struct list *parameters, struct err *err)
{
    for (size_t i = 0; i < parameters->n; i++) {
        const struct parameter *one = &list_at(parameters, struct parameter, i);
        const char *member;
        if (parameter_sound(one, &member, err) != 0) {
            return err_wrap(err, "parameter %s: %s", one->name, member);
        }
        for (size_t j = 0; j < i; j++) {
            const char *other = list_at(parameters, struct parameter, j).name;
            if (strcmp(one->name, other) == 0) {
                return err_set(err, ERR_REJECT, "parameter %s: there are two",
                               one->name);
            }
        }
    }
    return 0;
}

static int targets_check(const struct list *targets, struct err *err)
{
    if (targets->n == 0) {
        return err_set(err, ERR_REJECT, "targets: at least one is needed");
    }
    for (size_t i = 0; i < targets->n; i++) {
        struct list before = {targets->items, i};
        const char *target = list_at(targets, char *, i);
        if (texts_hold(&before, target)) {
            return err_set(err, ERR_REJECT, "targets: %s is there twice",
                           target);
        }
    }
    return 0;
}

/* "#!", blanks, an absolute path, perhaps an argument: as the kernel reads. */
static int first_line_check(const char *text, size_t len, struct err *err)
{
    const char *end = text + len;
    const char *at = text + 2;

    while (len >= 2 && at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    if (len < 3 || text[0] != '#' || text[1] != '!' || at == end ||
        *at != '/') {
        return err_set(err, ERR_REJECT,
                       "the first line is not '#!' and an interpreter's "
                       "absolute path, such as #!/bin/sh");
    }
    if (len > FIRST_LINE_MAX) {
        return err_set(err, ERR_REJECT, "the first line is over %d bytes",
                       FIRST_LINE_MAX);
    }
    for (at = text; at < end; at++) {
        if ((unsigned char)*at < 0x20 && *at != '\t') {
            return err_set(err, ERR_REJECT, "the first line %s",
                           *at == '\r' ? "ends in CRLF: save the file with LF "
                                         "alone"
                                       : "holds control bytes");
        }
    }
    return 0;
}

int script_check(const void *bytes, size_t n, struct err *err)
{
    const char *text = n == 0 ? "" : bytes;
    const char *end = memchr(text, '\n', n);

    if (n > SCRIPT_MAX) {
        return err_set(err, ERR_REJECT, "%zu bytes, and at most %d can be", n,
                       SCRIPT_MAX);
    }
    return first_line_check(text, end == NULL ? n : (size_t)(end - text), err);
}

bool command_lets(const struct command_save *command, const char *what)
{
    return command->runner_may.n == 0 ? strcmp(what, "cancel") == 0
                                      : texts_hold(&command->runner_may, what);
}

WORDS(right_words, "cancel", "see_script", "none");

static int rights_check(const struct list *rights, struct err *err)
{
    for (size_t i = 0; i < rights->n; i++) {
        const char *right = list_at(rights, char *, i);
        struct list before = {rights->items, i};
        if (word_value(&right_words, right) == 0) {
            return err_set(err, ERR_REJECT,
                           "'%.40s' is none of cancel, see_script, none",
                           right);
        }
        if (texts_hold(&before, right)) {
            return err_set(err, ERR_REJECT, "%s is there twice", right);
        }
        if (strcmp(right, "none") == 0 && rights->n > 1) {
            return err_set(err, ERR_REJECT, "none stands alone");
        }
    }
    return 0;
}

/* Whoever approves decides when it begins: it can't be refused, or end others,
 * at that moment. */
static int turns_check(const struct command_save *command, struct err *err)
{
    return command->approve.count == 0 ||
                   command->pace.concurrency == CONCURRENCY_ALLOW ||
                   command->pace.concurrency == CONCURRENCY_QUEUE
               ? 0
               : err_set(err, ERR_REJECT,
                         "concurrency: what has to be approved can only queue");
}

int command_check(const struct command_save *command, struct err *err)
{
    const struct buf *script = &command->script;

    if (script_check(script->data, script->len, err) != 0) {
        return err_wrap(err, "script");
    }
    if (attachments_check(&command->files, script->len, err) != 0) {
        return err_wrap(err, "files");
    }
    if (rights_check(&command->runner_may, err) != 0) {
        return err_wrap(err, "runner_may");
    }
    if (notify_check(&command->notify, err) != 0) {
        return err_wrap(err, "notify");
    }
    if (targets_check(&command->targets, err) != 0 ||
        approval_check(&command->approve, err) != 0 ||
        turns_check(command, err) != 0 ||
        parameters_check(&command->parameters, err) != 0) {
        return -1;
    }
    if (pace_check(&command->pace, &command->parameters, err) != 0) {
        return -1;
    }
    return argv_check(&command->args, &command->parameters, err) == 0
               ? 0
               : err_wrap(err, "args");
}

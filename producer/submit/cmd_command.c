/*
 * cmd_command.c: command save, list, show, versions: what administrators
 * prepare.
 *
 * A command is one file, kept by its author: it is saved as it is and given
 * back byte for byte, from the envelope that its author signed.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/command.h"
#include "producer/submit/assign.h"
#include "producer/submit/chosen.h"
#include "model/log_entry.h"
#include "producer/submit/keeping.h"
#include "producer/submit/saved.h"
#include "producer/submit/timetable.h"
#include "producer/submit/shown.h"

/* Beside the command's file, under the same name. */
static int read_attachment(const char *path, struct attachment *file,
                           struct err *err)
{
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *beside =
        must_printf("%.*s%s", slash == NULL ? 0 : (int)(slash - path + 1), path,
                    file->name);
    struct stat about;

    if (file_read(beside, SCRIPT_MAX, &file->data, err) != 0) {
        return err_wrap(err, "%s: files", path);
    }
    file->executable =
        stat(beside, &about) == 0 && (about.st_mode & S_IXUSR) != 0;
    return 0;
}

static int read_attachments(const char *path, struct command_save *save,
                            struct err *err)
{
    for (size_t i = 0; i < save->files.n; i++) {
        if (read_attachment(path, &list_at(&save->files, struct attachment, i),
                            err) != 0) {
            return -1;
        }
    }
    if (attachments_check(&save->files, save->script.len, err) != 0) {
        (void)err_wrap(err, "%s: files", path);
        err->status = EXIT_DATA;
        return -1;
    }
    return 0;
}

static int read_file(const char *path, struct command_save *ret_save,
                     struct err *err)
{
    _cleanup_buf_ struct buf bytes = {0};

    if (file_read(path, SCRIPT_MAX, &bytes, err) != 0) {
        return -1;
    }
    if (command_read(path, bytes.data, bytes.len, ret_save, err) != 0) {
        err->status = EXIT_DATA;
        return -1;
    }
    if (read_attachments(path, ret_save, err) != 0) {
        table_done(&command_save_table, ret_save);
        return -1;
    }
    return 0;
}

/* What the new version follows. 1: these very bytes are the newest already. */
static int follow_newest(struct submit *submit, struct command_save *save,
                         struct hash *ret_hash, struct err *err)
{
    _cleanup_saved_ struct saved saved = {0};

    save->version = 1;
    save->command = id_new(clock_now());
    if (saved_find(submit, save->name, &saved, err) != 0) {
        if (err->status != EXIT_NOT_FOUND) {
            return -1;
        }
        err_clear(err);
        return 0;
    }
    *ret_hash = saved.hash;
    save->command = saved.save.command;
    save->version = saved.save.version;
    if (buf_equal(&saved.save.script, &save->script) &&
        attachments_equal(&saved.save.files, &save->files)) {
        return 1;
    }
    save->version++;
    save->previous = saved.hash;
    return 0;
}

static int tell_saved(const struct submit *submit,
                      const struct command_save *save, bool unchanged,
                      struct err *err)
{
    const struct print *print = &submit->print;

    if (print->format == FORMAT_TABLE) {
        return print_line(print, err, "%s version %lld %s", save->name,
                          (long long)save->version,
                          unchanged ? "unchanged" : "saved");
    }
    if (print->format == FORMAT_NAME) {
        return print_line(print, err, "%s", save->name);
    }
    char id[ID_TEXT];
    id_format(&save->command, id);
    return print_line(print, err,
                      "{\"command\":\"%s\",\"name\":\"%s\",\"version\":%lld,"
                      "\"changed\":%s}",
                      id, save->name, (long long)save->version,
                      unchanged ? "false" : "true");
}

static int keep(struct submit *submit, struct command_save *save,
                bool unchanged, struct hash *hash, struct err *err)
{
    if (!unchanged && submit_ask(submit,
                                 &(struct question){
                                     .as = ASK_OWN,
                                     .kind = EVENT_COMMAND_SAVE,
                                     .payload = save,
                                     .ret_hash = hash,
                                 },
                                 err) != 0) {
        return -1;
    }
    targets_tell_unreached(submit, &save->targets);
    return tell_saved(submit, save, unchanged, err);
}

int command_keep(struct submit *submit, struct command_save *save,
                 struct err *err)
{
    _cleanup_timetable_ struct timetable timetable = {0};
    struct hash hash = {0};
    int unchanged = follow_newest(submit, save, &hash, err);

    if (unchanged < 0 ||
        timetable_read(submit, save, unchanged || save->version > 1, &timetable,
                       err) != 0 ||
        keep(submit, save, unchanged, &hash, err) != 0) {
        return -1;
    }
    return timetable_sign(submit, &timetable, &hash, NULL, err);
}

/* Those whom --runner names; how many they are. */
static size_t runners_given(const struct submit *submit,
                            struct assignee **ret_runners)
{
    size_t n = 0;

    while (flag_value_at(submit, "runner", n) != NULL) {
        n++;
    }
    *ret_runners = must_calloc(n + 1, sizeof(**ret_runners));
    for (size_t i = 0; i < n; i++) {
        (*ret_runners)[i].email = flag_value_at(submit, "runner", i);
    }
    return n;
}

int cmd_command_save(struct submit *submit, struct err *err)
{
    _cleanup_free_ struct assignee *runners = NULL;
    size_t n = runners_given(submit, &runners);
    struct command_save save = {0};

    if (read_file(submit->args[0], &save, err) != 0) {
        return -1;
    }
    int done = assignees_find(submit, runners, n, err) != 0 ||
                       command_keep(submit, &save, err) != 0 ||
                       assignees_add(submit, &save.command, save.name, runners,
                                     n, err) != 0
                   ? -1
                   : 0;
    table_done(&command_save_table, &save);
    return done;
}

static const struct column command_columns[] = {
    {"name", COLUMN_TEXT, .at = offsetof(struct command_row, name)},
    {"version", COLUMN_INT, .at = offsetof(struct command_row, version)},
    {"description", COLUMN_TEXT,
     .at = offsetof(struct command_row, description), .wide = true},
    {"targets", COLUMN_TEXTS, .at = offsetof(struct command_row, targets),
     .wide = true},
    {"runners", COLUMN_INT, .at = offsetof(struct command_row, runners)},
    {"saved", COLUMN_TIME, .at = offsetof(struct command_row, saved)},
    {"by", COLUMN_TEXT, .at = offsetof(struct command_row, saved_by),
     .wide = true},
};

int cmd_command_list(struct submit *submit, struct err *err)
{
    return commands_print(
        submit,
        &(struct noun){.nothing = "no command was saved yet",
                       .table = row_table(&commands_answer_table),
                       .columns = command_columns,
                       .n = ARRAY_SIZE(command_columns)},
        err);
}

static char *file_hash(const void *row)
{
    const struct attachment *file = row;
    char text[HASH_TEXT];
    struct hash hash = hash_of(file->data.data, file->data.len);

    hash_format(&hash, text);
    return must_strdup(text);
}

static char *file_size(const void *row)
{
    return must_printf("%zu", ((const struct attachment *)row)->data.len);
}

static char *file_executable(const void *row)
{
    return must_strdup(((const struct attachment *)row)->executable ? "yes"
                                                                    : "no");
}

static const struct column file_columns[] = {
    {"file", COLUMN_TEXT, .at = offsetof(struct attachment, name)},
    {"bytes", COLUMN_MADE, .make = file_size},
    {"executable", COLUMN_MADE, .make = file_executable},
    {"sha256", COLUMN_MADE, .make = file_hash},
};

static int show_files(struct submit *submit, const char *name, struct err *err)
{
    _cleanup_saved_ struct saved saved = {0};
    struct noun noun = {.nothing = "no files come with this command",
                        .table = attachment_item.table,
                        .columns = file_columns,
                        .n = ARRAY_SIZE(file_columns)};

    return saved_find(submit, name, &saved, err) != 0
               ? -1
               : print_rows(&submit->print, &noun, &saved.save.files, err);
}

static int show_file(struct submit *submit, const char *name, const char *file,
                     struct err *err)
{
    _cleanup_saved_ struct saved saved = {0};

    if (saved_find(submit, name, &saved, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < saved.save.files.n; i++) {
        const struct attachment *one =
            &list_at(&saved.save.files, struct attachment, i);
        if (strcmp(one->name, file) == 0) {
            return print_bytes(&submit->print, one->data.data, one->data.len,
                               err);
        }
    }
    return err_exit(err, EXIT_NOT_FOUND,
                    "no file %s comes with %s: submit command show %s --files "
                    "lists those that do",
                    file, name, name);
}

int script_print(struct submit *submit, const char *name, struct err *err)
{
    _cleanup_saved_ struct saved saved = {0};

    if (saved_find(submit, name, &saved, err) != 0) {
        return -1;
    }
    return print_bytes(&submit->print, saved.save.script.data,
                       saved.save.script.len, err);
}

int cmd_command_show(struct submit *submit, struct err *err)
{
    const char *file = flag_value(submit, "file");

    if (file != NULL) {
        return show_file(submit, submit->args[0], file, err);
    }
    if (flag_given(submit, "files")) {
        return show_files(submit, submit->args[0], err);
    }
    return flag_given(submit, "script")
               ? script_print(submit, submit->args[0], err)
               : command_print(submit, submit->args[0], err);
}

static const struct column version_columns[] = {
    {"version", COLUMN_INT, .at = offsetof(struct version_row, version)},
    {"saved", COLUMN_TIME, .at = offsetof(struct version_row, saved)},
    {"by", COLUMN_TEXT, .at = offsetof(struct version_row, saved_by)},
    {"hash", COLUMN_HASH, .at = offsetof(struct version_row, hash)},
};

int cmd_command_versions(struct submit *submit, struct err *err)
{
    struct command_named named = {.name = submit->args[0]};
    struct versions_answer answer = {0};
    struct noun noun = {.table = row_table(&versions_answer_table),
                        .columns = version_columns,
                        .n = ARRAY_SIZE(version_columns)};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_COMMAND_VERSIONS,
                                      .payload = &named,
                                      .answer = &versions_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = print_rows(&submit->print, &noun, &answer.versions, err);
    table_done(&versions_answer_table, &answer);
    return done;
}

int cmd_command_remove(struct submit *submit, struct err *err)
{
    const char *name = submit->args[0];
    _cleanup_saved_ struct saved saved = {0};
    _cleanup_free_ char *question = must_printf("Remove %s for good?", name);

    if (saved_find(submit, name, &saved, err) != 0) {
        return -1;
    }
    int yes =
        flag_given(submit, "yes") ? 1 : prompt_yes(question, "--yes", err);
    if (yes <= 0) {
        return yes < 0 ? -1 : err_exit(err, EXIT_DATA, "nothing was removed");
    }
    struct command_retire retire = {.command = saved.save.command};
    if (submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_COMMAND_RETIRE,
                                      .payload = &retire},
                   err) != 0) {
        return -1;
    }
    say("%s is removed. What it did stays on record.", name);
    return 0;
}

/*
 * cmd_version.c: command diff, restore: what changed between two versions of a
 * command, and an older one made the newest again.
 *
 * Files are taken from the envelopes that their authors signed. A restored one
 * is saved as any other, by who restores it: from then on it is their word.
 */
#include <string.h>

#include "producer/submit/keeping.h"
#include "producer/submit/saved.h"
#include "producer/submit/unified.h"

static int read_version(const char *text, int64_t *ret_version, struct err *err)
{
    char *end;
    long long version = strtoll(text, &end, 10);

    if (end == text || *end != '\0' || version < 1 || version > VERSION_MAX) {
        return err_exit(err, EXIT_USAGE,
                        "'%.60s' is no version: those count from 1 (submit "
                        "command versions)",
                        text);
    }
    *ret_version = version;
    return 0;
}

/* There may be a command of that name, and no such version. */
static int find_version(struct submit *submit, const char *name,
                        int64_t version, struct saved *ret_saved,
                        struct err *err)
{
    int done = saved_find_version(submit, name, version, ret_saved, err);

    return done == 0 || err->status != EXIT_NOT_FOUND
               ? done
               : err_exit(err, EXIT_NOT_FOUND,
                          "there is no version %lld of %s (submit command "
                          "versions %s)",
                          (long long)version, name, name);
}

static char *label_of(const struct saved *saved)
{
    _cleanup_free_ char *moment = time_text(saved->save.request.head.issued);

    return must_printf("%s version %lld\t%s by %s", saved->save.name,
                       (long long)saved->save.version, moment,
                       saved->author.email);
}

static const struct attachment *file_of(const struct list *files,
                                        const char *name)
{
    for (size_t i = 0; i < files->n; i++) {
        const struct attachment *file = &list_at(files, struct attachment, i);
        if (strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return NULL;
}

/* Of the files that come with it, only which of them differ. */
static int diff_files(const struct list *old, const struct list *new,
                      struct buf *diff)
{
    int failed = 0;

    for (size_t i = 0; i < old->n; i++) {
        const struct attachment *was = &list_at(old, struct attachment, i);
        if (file_of(new, was->name) == NULL) {
            failed |= buf_addf(diff, "File %s is gone\n", was->name);
        }
    }
    for (size_t i = 0; i < new->n; i++) {
        const struct attachment *is = &list_at(new, struct attachment, i);
        const struct attachment *was = file_of(old, is->name);
        if (was == NULL || !buf_equal(&was->data, &is->data) ||
            was->executable != is->executable) {
            failed |= buf_addf(diff, "File %s is %s\n", is->name,
                               was == NULL ? "new" : "another");
        }
    }
    return failed;
}

static int print_diff(const struct submit *submit, const struct saved *old,
                      const struct saved *new, struct err *err)
{
    _cleanup_free_ char *before = label_of(old);
    _cleanup_free_ char *after = label_of(new);
    _cleanup_buf_ struct buf diff = {0};

    if (unified_diff(&(struct unified_side){before, &old->save.script},
                     &(struct unified_side){after, &new->save.script},
                     &diff) != 0 ||
        diff_files(&old->save.files, &new->save.files, &diff) != 0) {
        return err_set(err, ERR_RETRY, "out of memory");
    }
    if (diff.len == 0) {
        say("versions %lld and %lld of %s are the same",
            (long long)old->save.version, (long long)new->save.version,
            new->save.name);
    }
    return print_shown(&submit->print, &diff, err);
}

/* V1, V2: as they are named; else the newest, and the one before it. */
static int find_both(struct submit *submit, const char *name,
                     struct saved *ret_old, struct saved *ret_new,
                     struct err *err)
{
    int64_t versions[2] = {0, 0};

    for (size_t i = 1; i < submit->n_args; i++) {
        if (read_version(submit->args[i], &versions[i - 1], err) != 0) {
            return -1;
        }
    }
    if (versions[1] != 0) {
        if (find_version(submit, name, versions[1], ret_new, err) != 0) {
            return -1;
        }
    } else if (saved_find(submit, name, ret_new, err) != 0) {
        return -1;
    }
    if (versions[0] == 0) {
        versions[0] = ret_new->save.version - 1;
    }
    return versions[0] == 0
               ? err_exit(err, EXIT_DATA,
                          "%s has one version: there is nothing to compare it "
                          "with",
                          name)
               : find_version(submit, name, versions[0], ret_old, err);
}

int cmd_command_diff(struct submit *submit, struct err *err)
{
    _cleanup_saved_ struct saved old = {0};
    _cleanup_saved_ struct saved new = {0};

    return find_both(submit, submit->args[0], &old, &new, err) != 0
               ? -1
               : print_diff(submit, &old, &new, err);
}

/* Read anew, as a file is: what its header means is said in one place. The
 * files that come with it move over. */
static int read_script(struct saved *old, struct command_save *ret_save,
                       struct err *err)
{
    const struct buf *script = &old->save.script;
    _cleanup_free_ char *what = must_printf("%s version %lld", old->save.name,
                                            (long long)old->save.version);

    if (command_read(what, script->data, script->len, ret_save, err) != 0) {
        err->status = EXIT_DATA;
        return -1;
    }
    struct list names = ret_save->files;
    ret_save->files = old->save.files;
    old->save.files = names;
    return 0;
}

int cmd_command_restore(struct submit *submit, struct err *err)
{
    _cleanup_saved_ struct saved old = {0};
    struct command_save save = {0};
    int64_t version;

    if (read_version(submit->args[1], &version, err) != 0 ||
        find_version(submit, submit->args[0], version, &old, err) != 0 ||
        read_script(&old, &save, err) != 0) {
        return -1;
    }
    int done = command_keep(submit, &save, err);
    table_done(&command_save_table, &save);
    return done;
}

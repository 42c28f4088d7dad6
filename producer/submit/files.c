/* files.c: see files.h. */
#include "producer/submit/files.h"

#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/file.h"
#include "trust/event.h"

#define FILE_MAX (1 << 20)

void files_done(struct files *files)
{
    /* The last one first: what is left by a kill in between is what was there
     * after one of the steps. */
    for (size_t i = files->written.n; !files->keep && i > 0; i--) {
        (void)unlink(list_at(&files->written, char *, i - 1));
    }
    texts_done(&files->written);
}

int files_absent(const char *path, const char *what, struct err *err)
{
    return file_exists(path) ? err_exit(err, EX_DATAERR,
                                        "%s is there already: %s", path, what)
                             : 0;
}

/* 0, and noted; -1. */
static int note(struct files *files, const char *path, int done)
{
    if (done == 0) {
        texts_add(&files->written, path);
    }
    return done;
}

int files_text(struct files *files, const char *path, const char *text,
               mode_t mode, struct err *err)
{
    return note(files, path,
                file_write(path, text, strlen(text), mode, false, err));
}

int files_root(struct files *files, const char *path, const struct key32 *key,
               struct err *err)
{
    return note(files, path, root_file_write(path, key, err));
}

int files_key(struct files *files, const char *path,
              const struct key_pair *keys, const char *password,
              struct err *err)
{
    return note(files, path, key_file_write(path, keys, password, false, err));
}

static bool is_root_init(const struct envelope *envelope)
{
    return strcmp(envelope->type, event_types[EVENT_ROOT_INIT].type) == 0;
}

int files_envelopes(struct files *files, const char *path,
                    const struct envelope *first, const struct list *others,
                    struct err *err)
{
    struct envelopes all = {0};
    _cleanup_buf_ struct buf json = {0};

    if (first != NULL) {
        envelopes_add(&all.list, first);
    }
    for (int last = 0; last < 2; last++) {
        for (size_t i = 0; i < others->n; i++) {
            const struct envelope *one = &list_at(others, struct envelope, i);
            if (is_root_init(one) == (last == 1)) {
                envelopes_add(&all.list, one);
            }
        }
    }
    int done = table_encode(&envelopes_table, &all, &json, err);
    envelopes_done(&all.list);
    return done != 0 || buf_adds(&json, "\n") != 0
               ? -1
               : files_text(files, path, buf_text(&json), 0600, err);
}

int envelopes_read(const char *path, struct list *ret_envelopes,
                   struct err *err)
{
    _cleanup_buf_ struct buf json = {0};
    struct envelopes envelopes;

    if (file_read(path, FILE_MAX, &json, err) != 0) {
        return -1;
    }
    if (table_decode(&envelopes_table, json.data, json.len, &envelopes, err)) {
        err->status = EX_DATAERR;
        return err_wrap(err, "%s", path);
    }
    *ret_envelopes = envelopes.list;
    return 0;
}

/*
 * files.h: files that a verb makes together: all of them, or none.
 *
 * Each is checked not to be there before the first is written; what was written
 * is removed again where a later one fails.
 */
#pragma once

#include "model/envelope.h"
#include "trust/keys.h"

struct files {
    struct list written; /* char *: paths */
    bool keep;
};

/* Removes what was written, unless told to keep it. */
void files_done(struct files *files);

#define _cleanup_files_ _cleanup_(files_done)

/* -1 (status 65): it is there already; `what` says what that means. */
int files_absent(const char *path, const char *what, struct err *err);

/* Each writes one, new. */
int files_text(struct files *files, const char *path, const char *text,
               mode_t mode, struct err *err);
int files_root(struct files *files, const char *path, const struct key32 *key,
               struct err *err);
int files_key(struct files *files, const char *path,
              const struct key_pair *keys, const char *password,
              struct err *err);

/* {"envelopes": […]}: this one first, then the others, root.init last. `first`
 * may be NULL. */
int files_envelopes(struct files *files, const char *path,
                    const struct envelope *first, const struct list *others,
                    struct err *err);

/* Reads such a file; ret_envelopes is the caller's: envelopes_done(). */
int envelopes_read(const char *path, struct list *ret_envelopes,
                   struct err *err);

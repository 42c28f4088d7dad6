/*
 * file.h: small files, whole.
 *
 * Writing is beside and renamed, so that a reader sees the old one or the new
 * one; the directory is synced too. Errors name the path and carry an exit
 * status: 66 can't be read, 74 can't be written.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the file's bytes; more than max of them, or none of that name, is an
 * error (status 66). There is a NUL behind them. */
int file_read(const char *path, size_t max, struct buf *out, struct err *err);

/* The same, for secrets: refused where others than its owner may read it. */
int file_read_private(const char *path, size_t max, struct buf *out,
                      struct err *err);

/* Makes the file with this mode. `replace` false: one that is there stays, and
 * it's an error. */
int file_write(const char *path, const void *bytes, size_t n, mode_t mode,
               bool replace, struct err *err);

/* Replaces the file without waiting for the disk: after a power cut it may be
 * an older one, or no good any more. For what can be learnt again. */
int file_put(const char *path, const void *bytes, size_t n, mode_t mode,
             struct err *err);

bool file_exists(const char *path);

/* Makes a directory and those above it (0700); there already is fine. */
int directory_make(const char *path, struct err *err);

/* So that a name in it is there after a power cut, too. -1: errno. */
int directory_sync(const char *path);

/* Where 0, 1 or 2 are closed, they become /dev/null: nothing that is opened
 * later, or comes from others, can be taken for one of them. */
void file_fill_standard(void);

static inline void cleanup_fclose(FILE **file)
{
    if (*file != NULL) {
        (void)fclose(*file);
    }
}
#define _cleanup_file_ _cleanup_(cleanup_fclose)

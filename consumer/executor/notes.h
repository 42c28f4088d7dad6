/*
 * notes.h: a file of the spawner's own, with a line for each thing that it must
 * not forget.
 *
 * A line is there before what it tells of is done. One that was cut (a crash, a
 * full disk) is the last, and nothing was done for it: it is dropped. A whole
 * line that says nothing is damage. When the file is opened it is written anew,
 * with what is still wanted of it; so it grows
 * until then, or until notes_renew().
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct notes_form {
    /* Takes one whole line, without its newline; -1: it says nothing. */
    int (*read)(void *arg, const char *line);
    /* All read: adds the lines that are still wanted; -1: out of memory. */
    int (*keep)(const void *arg, struct buf *kept);
};

/* The file's descriptor, to add to; it is made where there is none. -1, FATAL:
 * it can't be read or written, or is damaged. */
int notes_open(const char *path, const struct notes_form *form, void *arg,
               struct err *err);

/* Writes it anew, as when it is opened, without reading it. The descriptor is
 * changed; -1 in it: there is none, and nothing can be added until this works.
 */
int notes_renew(const char *path, const struct notes_form *form,
                const void *arg, int *fd, struct err *err);

/* Adds a line. `sync`: it is on the disk then. REJECT: it is not in it. */
int notes_add(int fd, const struct buf *line, bool sync, struct err *err);

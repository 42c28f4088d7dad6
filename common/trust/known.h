/*
 * known.h: the revocation log as the spawner knows it, in a file of its own.
 *
 * An entry counts once it was judged here, and from then on for ever: in this
 * process at once, and in a later one since nothing is answered for, or
 * started, before the file has it (known_sync()). The file is one line an entry
 * (revocation.h), and every line is judged again when it is read. Several
 * processes may have it open (submit's): each reads and writes under its lock.
 */
#pragma once

#include "trust/revocation.h"

struct known;

/* Reads the file, if it is there. NULL (FATAL): it can't be read, or a line of
 * it was changed; one that was cut off at the end is taken away. */
struct known *known_open(const struct roots *roots, const struct hash *init,
                         const char *path, struct err *err);

void known_free(struct known *known);

const struct standing *known_standing(const struct known *known);

/* Adds an entry, which counts from now on and is still to be written; known
 * already is fine. REJECT, RETRY: it is not to be added. */
int known_add(struct known *known, const struct revocation *entry,
              struct err *err);

/* What was added is in the file, and outlives this process. RETRY: the disk
 * does not take it, and it is still to be written. */
int known_write(struct known *known, struct err *err);

/* What was added is on the disk. FATAL: it is not; it is tried anew each time.
 */
int known_sync(struct known *known, struct err *err);

/*
 * versions.h: the highest version of each command that this host has seen.
 *
 * Which version a run is for nobody signs but the authorizer: who holds its key
 * (or an older copy of its database) could dispatch one that was replaced, with
 * the fault for which it was. So one that is older than the highest seen here
 * is refused, where that had been saved before the run was asked for. What was
 * asked for before goes on, however long it waits, and so does what is signed
 * for that very version: a schedule's, a pinned assignment's.
 *
 * No signature says when a save was decided. It was by its request's `expires`,
 * and when it was first seen here; the earlier of the two counts, and clocks
 * may differ: so no honest run is refused.
 *
 * A file of the spawner's own (notes.h), a line for each: "<that moment in ms>
 * <version> <command>". One line a command and, until it is opened next, one
 * for each version that was seen since.
 */
#pragma once

#include "trust/proof.h"

struct versions;

/* FATAL: it can't be read, or is damaged. */
struct versions *versions_open(const char *path, struct err *err);
void versions_free(struct versions *versions);

/* Whether what is ordered may be in this version, for what was seen up to now;
 * a higher one is noted, and on the disk then. REJECT: it is an older one, or
 * can't be noted. */
int versions_take(struct versions *versions, const struct order *order,
                  int64_t now, struct err *err);

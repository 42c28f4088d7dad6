/*
 * leftovers.h: what an earlier life of this executor left on this host.
 *
 * Keepers end what they keep when a spawner dies. Only where those were killed,
 * too, is there anything to be found: by its private directory, which bears the
 * execution's name, then by its group (cgroup.h), and by the execution's id in
 * its environment.
 */
#pragma once

#include "base/err.h"
#include "base/id.h"

/* Ends what there is, removes the directories, and comes back when nothing is
 * left; FATAL: something does not end. While no spawner lives. */
int leftovers_end(const char *directory, const char *cgroups, struct err *err);

/* KILLs what is left of one execution; returns how many there were. */
size_t leftovers_sweep(const char *cgroups, const struct id *execution);

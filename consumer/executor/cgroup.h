/*
 * cgroup.h: a group of the kernel's for each execution, where this process may
 * make one: cgroup v2, below its own (systemd: Delegate=yes). Nothing that is
 * in it gets out by forking, and all of it is killed at once (cgroup.kill, from
 * Linux 5.14 on). Where there is none, kin.h does it.
 *
 * Limits of an execution need a controller in our own group, and the kernel
 * gives one to those below only while a group has no process itself. So where
 * that group is ours alone, we move one down, into a group beside theirs:
 *     errand-executor.service/                   no process, controllers on
 *         errand-executor/                       both halves, and all keepers
 *         errand-<execution>/                    a child, and all that it makes
 */
#pragma once

#include <stdbool.h>

#include "base/id.h"

/* The directory below which groups can be made, and killed; NULL: nowhere. The
 * caller's to free. To be asked while this process is alone: it may move, and
 * what it forks is where it is. */
char *cgroup_base(void);

/* Why those groups have no such controller ("memory", "pids"); NULL: they do.
 * base may be NULL. */
const char *cgroup_lacks(const char *base, const char *controller);

/* A new one; its directory's descriptor, -1: none (base NULL, too). */
int cgroup_make(const char *base, const struct id *execution);

/* Writes to one of a group's files; false: it has none such, or won't. */
bool cgroup_put(int group, const char *file, const char *text);

/* This process, and what it is going to make. False: could not. */
bool cgroup_join(int group);

/* All that is in it. -1 is fine. */
void cgroup_kill(int group);

/* Kills what is left in it; true once it is gone, with groups that were made
 * in it. */
bool cgroup_end(const char *base, const struct id *execution);

/*
 * cgroup.h: a group of the kernel's for each execution, where this process may
 * make one: cgroup v2, below its own (systemd: Delegate=yes). Nothing that is
 * in it gets out by forking, and all of it is killed at once (cgroup.kill, from
 * Linux 5.14 on). Where there is none, kin.h does it.
 */
#pragma once

#include <stdbool.h>

#include "base/id.h"

/* The directory below which groups can be made, and killed; NULL: nowhere. The
 * caller's to free. */
char *cgroup_base(void);

/* A new one; its directory's descriptor, -1: none (base NULL, too). */
int cgroup_make(const char *base, const struct id *execution);

/* This process, and what it is going to make. False: could not. */
bool cgroup_join(int group);

/* All that is in it. -1 is fine. */
void cgroup_kill(int group);

/* Kills what an earlier life left in it; true once it is gone. */
bool cgroup_end(const char *base, const struct id *execution);

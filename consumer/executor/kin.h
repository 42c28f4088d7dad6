/*
 * kin.h: what descends from a process, whatever it did to get away.
 *
 * Who is left without a parent comes to the nearest process above that asked
 * for that (PR_SET_CHILD_SUBREAPER), so neither setsid() nor a double fork nor
 * another environment leads out of the tree. The kernel's own lists are read
 * (/proc/PID/task/TID/children).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/fields.h"

/* Appends the children (pid_t) of a process that there are at this moment. */
void kin_children(pid_t pid, struct list *ret_pids);

/* Stops all that descends from it, until nothing new is found; then KILLs them.
 * To be called again until nothing is left: what forks faster than this is slow
 * to die. Stopped first, since those neither fork nor make room for others. */
void kin_end(pid_t pid);

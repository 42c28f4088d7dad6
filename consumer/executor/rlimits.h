/*
 * rlimits.h: what a command may take, by its own signed limits (command.h), as
 * the kernel holds it: by the execution's group, for all of its processes
 * together, where there is one that can (cgroup.h); else by setrlimit(2), for
 * each of them (`processes`: for all of its user's).
 */
#pragma once

#include "model/command.h"

/* Gives the group (-1: none) those limits that it can hold; a bit for each. */
unsigned rlimits_in_group(int group, const struct command_save *command);

/* For this process and what it becomes, those that are not `held`. Where the
 * command says nothing, it stays as the executor's own. No core is ever dumped:
 * it could hold secrets. NULL, or which of them the host does not allow
 * (errno). Allocates nothing. */
const char *rlimits_set(const struct command_save *command, unsigned held);

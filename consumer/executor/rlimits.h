/*
 * rlimits.h: what a command may take, by its own signed limits (command.h), as
 * the kernel holds it: setrlimit(2).
 */
#pragma once

#include "model/command.h"

/* For this process and what it becomes. Where the command says nothing, it
 * stays as the executor's own. No core is ever dumped: it could hold secrets.
 * NULL, or which of them the host does not allow (errno). Allocates nothing. */
const char *rlimits_set(const struct command_save *command);

/*
 * keeping.h: a command file that was read becomes the next version.
 */
#pragma once

#include "producer/submit/submit.h"

/* Signs it as what follows the newest one, and says so; where that holds the
 * very same bytes, only that. */
int command_keep(struct submit *submit, struct command_save *save,
                 struct err *err);

/*
 * running.h: a run that is asked for: by `run`, and by `rerun`.
 */
#pragma once

#include "model/run.h"
#include "producer/submit/given.h"

/* From here on Ctrl-C says what is known of a run that may be accepted. */
void run_begin(void);

/* Checks what is asked by the authorizer's own code: the arguments, which it
 * takes out of `given`, and run->targets, each of the command's (none: all of
 * them); asks for secrets that were not given, and seals them; then asks for it
 * and follows it, unless told otherwise (--detach), or only shows it
 * (--dry-run). An exit status, or -1. */
int run_go(struct submit *submit, const struct command_answer *command,
           struct given *given, struct run_start *run, struct err *err);

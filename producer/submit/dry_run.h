/*
 * dry_run.h: what a run would be, told and not asked for.
 */
#pragma once

#include "model/run.h"
#include "producer/submit/given.h"

/* `run` was checked and has its targets. Nobody is asked anything: what the
 * executor would make of it is made here, by its own code. What is not there
 * before a run is accepted stands in parentheses. */
int dry_run_print(const struct submit *submit,
                  const struct command_answer *command,
                  const struct given *given, const struct run_start *run,
                  struct err *err);

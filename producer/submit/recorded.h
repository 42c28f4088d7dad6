/*
 * recorded.h: a run as the record has it.
 */
#pragma once

#include "producer/submit/submit.h"

/* The run that the first argument names (none: this person's last); where they
 * were told that it ended, it is waited for up to 5 s. */
int recorded_find(struct submit *submit, struct run_answer *ret_answer,
                  struct err *err);

/*
 * greet.h: what somebody is told who has just signed in.
 */
#pragma once

#include "model/answer.h"

/* One line, on stderr. */
void greet(const struct session_answer *answer);

/*
 * help.h: what submit tells about itself, made from the verbs' table.
 */
#pragma once

#include "producer/submit/submit.h"

/* All verbs; one; or, by an error of status 64, that there is none. */
int help_print(const struct submit *submit, char *const *words, size_t n,
               struct err *err);

/* Whether a verb is for this role; ROLE_NONE: who asks is not known. */
bool verb_is_for(const struct verb *verb, int role);

/*
 * given.h: what somebody gave of a command's parameters: arguments, and apart
 * from them, in locked memory, its secrets.
 */
#pragma once

#include "model/parameter.h"
#include "producer/submit/submit.h"

struct secret_value {
    char *name;
    char *text; /* secret_free() */
};

struct given {
    struct list arguments; /* struct pair */
    struct list secrets;   /* struct secret_value */
};

void given_done(struct given *given);
#define _cleanup_given_ _cleanup_(given_done)

/* What was given of this parameter is known by now. */
bool given_holds(const struct given *given, const char *name);

/* Keeps a copy of n bytes. -1 (status 65): not a value of this parameter's. */
int given_add_secret(struct given *given, const struct parameter *parameter,
                     const void *bytes, size_t n, struct err *err);

/* Asks for each secret that was not given yet, without echo; where nobody can
 * be asked, only what is required is missed (status 77). */
int given_ask_secrets(struct given *given, const struct list *parameters,
                      struct err *err);

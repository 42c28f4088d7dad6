/*
 * reasons.h: the words with which a result says why it is as it is.
 *
 * What comes in may be any bytes; what goes out is UTF-8, and short enough for
 * a result. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What a result says that it lacks. */
struct missing {
    int64_t kept;    /* bytes of output, from its beginning on; */
    int64_t dropped; /* so many more were not */
    bool no_room;    /* the disk had none for them; */
    bool torn;       /* and some are lost, nobody knows how many */
};

/* The words as a result can carry them: the caller's. */
char *reason_shown(const char *words);

/* The reason (NULL: none) and what is missing; NULL: there is nothing to say.
 * The caller's. */
char *reason_with_missing(const char *reason, const struct missing *missing);

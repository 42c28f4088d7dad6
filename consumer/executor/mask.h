/*
 * mask.h: bytes of a stream without the secrets in them. Pure.
 *
 * Each run of bytes that secrets cover becomes "***", as long or as often as
 * they may stand there, and however the stream was cut when it came. What may
 * be the beginning of one is held back until the next byte decides, or the end:
 * there, too, no beginning of SECRET_MASKED_MIN bytes is let out. Nothing is
 * held back for a time: what waited long enough would then be told.
 *
 * What is hidden is a secret as it is, and each of its lines of MASK_LINE_MIN
 * bytes; not what a script makes of it (base64, backwards, letter by letter
 * with others between them).
 */
#pragma once

#include "base/fields.h"

#define MASK_LINE_MIN 8

struct masked_word {
    const unsigned char *bytes; /* borrowed */
    size_t n;
};

/* Appends what is to be hidden of a secret (struct masked_word): the whole and
 * its lines, nothing of one that is too short. */
void mask_words_add(struct list *words, const void *secret, size_t n);

struct mask { /* all zero but for `words` */
    const struct list *words;
    struct buf held;
    size_t covered; /* of what is held, from its beginning */
    bool inside;    /* the last that was let out are stars */
};

/* Appends what can be let out of what came so far. -1: out of memory. */
int mask_add(struct mask *mask, const void *bytes, size_t n, struct buf *out);

/* The rest, when nothing more comes. */
int mask_end(struct mask *mask, struct buf *out);

/* Wipes what is held. */
void mask_done(struct mask *mask);

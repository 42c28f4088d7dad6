/*
 * forge.h: a chain of envelopes from a text that a fuzzer can change, signed as
 * it says, so that what is behind the signatures is reached.
 *
 * A line an envelope, the dispatch last: "SIGNERS TYPE PAYLOAD", such as
 * `A command.save {…}`. A signer is a letter, and each letter has a key. Within
 * a payload these stand for what is only known once others are signed:
 *     $kX  $bX   the key, and the box key, of letter X (base64)
 *     $uX        the id of the user whose first key that is
 *     $r         the root's hash, R being the root
 *     $hN        the hash of line N (1 to 9, a to o)
 *     $eN  $fN   the first and second attempt's execution at web-1, of run N
 *     $n         an id of its own
 *     $t $s $l   now; soon (50 s); later (an hour)
 *     "$P"       the list of all the lines before, as in a dispatch
 */
#pragma once

#include "trust/proof.h"

#define FORGE_NOW INT64_C(1795140000000)
#define FORGE_LINES 24

struct forge {
    struct roots roots; /* R's alone */
    struct list lines;  /* struct envelope: as far as they were written */
    struct hash hashes[FORGE_LINES];
    size_t ids; /* that were given out */
};

/* The key of a letter; the same each time, and never freed. */
const struct key_pair *forge_key(unsigned char letter);

void forge_init(struct forge *forge);
void forge_done(struct forge *forge);

/* Signs a text's lines behind those that are there; `kept` (may be NULL): the
 * letters whose keys nobody stole: E signs in their place. What is no line is
 * passed over. */
void forge_sign(struct forge *forge, const char *text, const char *kept);

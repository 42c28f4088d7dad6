/*
 * spoken.h: bytes as words that people read to each other.
 *
 * A word of a list of 2,048 stands for eleven bits, from the first byte's
 * highest on. For comparing over another channel (six words: 66 bits), not for
 * typing: nothing here reads them back.
 */
#pragma once

#include "base/buf.h"

/* n words, for the first 11 n bits of these bytes; the caller's to free. */
char *spoken_words(const unsigned char *bytes, size_t n);

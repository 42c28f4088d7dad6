/*
 * suggest.h: "did you mean": the known word that is closest to a mistyped one.
 *
 * Closeness is the number of letters that were put in, left out, replaced or
 * swapped with their neighbour (optimal string alignment). Two words are close
 * when that is at most 1 up to 3 letters, 2 up to 6, 3 beyond.
 */
#pragma once

#include <stddef.h>

/* The closest of n known words, the first of equals; NULL: none is close. */
const char *suggest(const char *word, const char *const *known, size_t n);

/*
 * key_words.h: a person's key as two people compare it over another channel.
 */
#pragma once

#include "model/request.h"

#define KEY_WORDS 6 /* 66 bits of the key's id */

/* "tower gravity scout …"; the caller's to free. */
char *key_words(const struct key32 *key);

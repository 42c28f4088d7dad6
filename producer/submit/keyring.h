/*
 * keyring.h: an unlocked key, for 15 minutes, in the kernel's keyring.
 *
 * As sudo does it: per user and profile, in the user's keyring, never on disk;
 * the kernel forgets it by itself. Where a container forbids keyrings, it is
 * never there.
 */
#pragma once

#include <stdbool.h>

#include "trust/keys.h"

#define KEYRING_LIFE 900 /* s */

/* NULL: it is not there (any more). The caller's. */
struct key_pair *keyring_get(const char *name);

/* False: it could not be kept. */
bool keyring_put(const char *name, const struct key_pair *keys);

void keyring_forget(const char *name);

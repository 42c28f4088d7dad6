/*
 * cards_seen.h: what this machine has seen of its person's cards and of billing
 * keys, in the profile's cards.json: so that nobody can tell it less later, by
 * keeping back the last steps or the newest key.
 */
#pragma once

#include "producer/submit/profile.h"

/* -1 (status 65): a key of a lower generation than one that was seen; else this
 * one is seen. */
int cards_seen_key(const struct profile *profile, int64_t generation,
                   struct err *err);

/* The same for the own steps: `steps` are the hashes of all of them. */
int cards_seen_steps(const struct profile *profile, const struct list *steps,
                     struct err *err);

/* This many steps there are now, and this is the last. */
int cards_seen_step(const struct profile *profile, int64_t number,
                    const struct hash *step, struct err *err);

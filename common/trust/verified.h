/*
 * verified.h: what was found of envelopes once, remembered by hash.
 *
 * A good signature stays good: what was verified once need not be again, by
 * whoever looks at many proofs that share most of their envelopes. Remembered
 * is a hash over envelope, signature and key; and what the same bytes said when
 * they were decoded. Never that somebody still stands, nor that an envelope is
 * in its place. A bounded number of either; what is forgotten is done again.
 */
#pragma once

#include "trust/event.h"

struct verified;

struct verified *verified_new(void);
void verified_free(struct verified *verified);

/* What is asked for and noted: this signature, of this envelope, by this key.
 */
struct hash verified_name(const struct hash *envelope,
                          const struct signature *signature,
                          const struct key32 *key);

/* NULL remembers nothing. */
bool verified_has(const struct verified *verified, const struct hash *name);
void verified_add(struct verified *verified, const struct hash *name);

/* The event of this very envelope, signatures and all; the caller's from here
 * on. NULL: none is there. */
struct event *verified_event_take(struct verified *verified,
                                  const struct envelope *envelope,
                                  const struct hash *hash);

/* Takes it over, for the next that asks; NULL frees it at once. */
void verified_keep_take(struct verified *verified, struct event *event);

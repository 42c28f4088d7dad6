/*
 * verified.h: which signatures were found good, remembered by hash.
 *
 * A good signature stays good: what was verified once need not be again, by
 * whoever looks at many proofs that share most of their envelopes. Remembered
 * is a hash over envelope, signature and key, and nothing else: never that
 * somebody still stands, nor that an envelope is in its place. A bounded
 * number; who is forgotten is verified again.
 */
#pragma once

#include "model/envelope.h"
#include "trust/keys.h"

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

/*
 * dsse.h: signing and checking envelopes: DSSE with Ed25519.
 *
 * https://github.com/secure-systems-lab/dsse, protocol.md: what is signed is
 * the pre-authentication encoding of (type, payload):
 *     "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload
 * An envelope's hash is SHA-256 over that, never over its JSON or signatures.
 * Signatures that are not canonical don't verify (libsodium sees to it).
 */
#pragma once

#include "model/envelope.h"
#include "trust/keys.h"

/* Appends the encoding. -1: out of memory. */
int dsse_encode(const char *type, const struct buf *payload, struct buf *out);

struct hash envelope_hash(const struct envelope *envelope);

/* Adds this key's signature. */
int envelope_sign(struct envelope *envelope, const struct key_pair *keys,
                  struct err *err);

/* True when the i-th signature is there, names this key and is good. */
bool envelope_signed_by(const struct envelope *envelope, size_t i,
                        const struct key32 *key);

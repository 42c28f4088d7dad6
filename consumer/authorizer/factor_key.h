/*
 * factor_key.h: the key under which PostgreSQL holds the second factors'
 * secrets: [authorizer] factor_key, a private file of its own outside the
 * database, the same for all authorizers of an installation.
 */
#pragma once

#include "io/postgres.h"
#include "model/mfa.h"
#include "service.h"

#define FACTOR_SEALED 60 /* bytes of a secret at rest: nonce, secret, MAC */

struct factor_key {
    unsigned char *key; /* in locked memory */
    struct hash id;     /* its SHA-256, stored beside what it encrypts */
};

/*
 * Reads the file that the configuration names (by default factor.key beside
 * the daemon's own key); makes it where it is not there, unless the database
 * holds secrets under another: FATAL, with what to do. NULL: err.
 */
struct factor_key *factor_key_open(const struct daemon *daemon,
                                   struct err *err);
void factor_key_free(struct factor_key *key);

/* Encrypts a secret for its person; and back: -1, REJECT: it is not of this
 * key, or of somebody else. */
void factor_encrypt(const struct factor_key *key, const struct id *user,
                    const unsigned char secret[static TOTP_SECRET],
                    unsigned char ret_sealed[static FACTOR_SEALED]);
int factor_decrypt(const struct factor_key *key, const struct id *user,
                   const struct buf *sealed,
                   unsigned char ret_secret[static TOTP_SECRET],
                   struct err *err);

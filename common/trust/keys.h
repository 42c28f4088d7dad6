/*
 * keys.h: secret keys, in locked memory and in files.
 *
 * A pair holds an Ed25519 key to sign with and an X25519 key to open boxes
 * with, each from a seed of 32 bytes in sodium_malloc()ed memory, wiped at the
 * end. A key file is JSON, mode 0600 (others are refused): daemons' and
 * sessions' hold the seeds in clear; a person's is locked: secretbox under
 * Argon2id of the password, with the parameters in the file. Files are written
 * beside and renamed.
 */
#pragma once

#include "model/envelope.h"

struct key_pair {
    struct key32 key; /* public halves */
    struct key32 box;
    unsigned char *secret; /* seeds: 32 bytes to sign, 32 to open */
};

/* What a password costs to try: crypto_pwhash's ops and bytes of memory. */
struct lock_cost {
    int64_t ops;
    int64_t memory;
};

extern const struct lock_cost lock_cost_default; /* 3 passes, 256 MiB */

/* Files below this floor are refused, unless the environment's
 * ERRAND_TEST_LOCK_COST=low says that this is a test stack. */
struct lock_cost lock_cost_now(void);

struct key_pair *key_pair_new(void);
struct key_pair *key_pair_from_seeds(const unsigned char seeds[static 64]);
/* The one-time key of an invitation, from the code's 16 bytes. */
struct key_pair *key_pair_from_invitation(const unsigned char seed[static 16]);
/* Wipes one half, for a process that needs only the other: no box is opened,
 * nothing signed with this pair any more. */
void key_pair_forget_box(struct key_pair *pair);
void key_pair_forget_key(struct key_pair *pair);
void key_pair_free(struct key_pair *pair);
static inline void key_pair_release(struct key_pair **pair)
{
    key_pair_free(*pair);
}
#define _cleanup_key_pair_ _cleanup_(key_pair_release)

/* password NULL: in clear. Refuses to replace a file (EEXIST) unless told to.
 */
int key_file_write(const char *path, const struct key_pair *pair,
                   const char *password, bool replace, struct err *err);

/* REJECT: other people may read it, no key file, wrong password, or it wants a
 * password and none was given (status 77). */
int key_file_read(const char *path, const char *password,
                  struct key_pair **ret_pair, struct err *err);

/* A root's public half, and the pins: one line of base64 a file. */
struct roots {
    struct list keys; /* struct key32 */
};
int root_file_write(const char *path, const struct key32 *key, struct err *err);
int roots_read(const struct list *paths, struct roots *ret_roots,
               struct err *err);
void roots_done(struct roots *roots);
/* The pinned key of that id; NULL: none. */
const struct key32 *roots_find(const struct roots *roots,
                               const struct hash *root);

/* Sealed boxes (crypto_box_seal). open: REJECT where it's not for this key. */
int box_seal(const struct key32 *to, const void *bytes, size_t n,
             struct buf *out);
int box_open(const struct key_pair *pair, const void *box, size_t n,
             struct buf *out, struct err *err);

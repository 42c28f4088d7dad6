/* keys.c: see keys.h. Key pairs and boxes; files are in key_file.c. */
#include "trust/keys.h"

#include <sodium.h>
#include <string.h>

struct key_pair *key_pair_from_seeds(const unsigned char seeds[static 64])
{
    struct key_pair *pair = must_calloc(1, sizeof(*pair));
    unsigned char secret[crypto_sign_SECRETKEYBYTES];

    pair->secret = sodium_malloc(64);
    if (pair->secret == NULL) {
        abort();
    }
    memcpy(pair->secret, seeds, 64);
    (void)crypto_sign_seed_keypair(pair->key.b, secret, pair->secret);
    sodium_memzero(secret, sizeof(secret));
    (void)crypto_scalarmult_base(pair->box.b, pair->secret + 32);
    (void)sodium_mprotect_readonly(pair->secret);
    return pair;
}

struct key_pair *key_pair_new(void)
{
    unsigned char seeds[64];

    randombytes_buf(seeds, sizeof(seeds));
    struct key_pair *pair = key_pair_from_seeds(seeds);
    sodium_memzero(seeds, sizeof(seeds));
    return pair;
}

struct key_pair *key_pair_from_invitation(const unsigned char seed[static 16])
{
    static const char what[][20] = {"errand.invitation", "errand.inv.box"};
    unsigned char seeds[64];

    for (size_t i = 0; i < ARRAY_SIZE(what); i++) {
        struct part parts[] = {{what[i], strlen(what[i])}, {seed, 16}};
        struct hash half = hash_tuple(parts, ARRAY_SIZE(parts));
        memcpy(seeds + 32 * i, half.b, sizeof(half.b));
        sodium_memzero(&half, sizeof(half));
    }
    struct key_pair *pair = key_pair_from_seeds(seeds);
    sodium_memzero(seeds, sizeof(seeds));
    return pair;
}

static void forget(struct key_pair *pair, size_t from)
{
    (void)sodium_mprotect_readwrite(pair->secret);
    sodium_memzero(pair->secret + from, 32);
    (void)sodium_mprotect_readonly(pair->secret);
}

void key_pair_forget_box(struct key_pair *pair)
{
    forget(pair, 32);
}

void key_pair_forget_key(struct key_pair *pair)
{
    forget(pair, 0);
}

void key_pair_free(struct key_pair *pair)
{
    if (pair != NULL) {
        sodium_free(pair->secret);
        free(pair);
    }
}

void roots_done(struct roots *roots)
{
    free(roots->keys.items);
    *roots = (struct roots){0};
}

const struct key32 *roots_find(const struct roots *roots,
                               const struct hash *root)
{
    for (size_t i = 0; i < roots->keys.n; i++) {
        const struct key32 *key = &list_at(&roots->keys, struct key32, i);
        struct hash id = key_id(key);
        if (hash_equal(&id, root)) {
            return key;
        }
    }
    return NULL;
}

int box_seal(const struct key32 *to, const void *bytes, size_t n,
             struct buf *out)
{
    if (buf_reserve(out, n + crypto_box_SEALBYTES) != 0 ||
        crypto_box_seal(out->data + out->len, bytes, n, to->b) != 0) {
        return -1;
    }
    out->len += n + crypto_box_SEALBYTES;
    out->data[out->len] = '\0';
    return 0;
}

int box_open(const struct key_pair *pair, const void *box, size_t n,
             struct buf *out, struct err *err)
{
    if (n < crypto_box_SEALBYTES ||
        buf_reserve(out, n - crypto_box_SEALBYTES) != 0 ||
        crypto_box_seal_open(out->data + out->len, box, n, pair->box.b,
                             pair->secret + 32) != 0) {
        return err_set(err, ERR_REJECT,
                       "a sealed box that is not for this "
                       "key, or was changed");
    }
    out->len += n - crypto_box_SEALBYTES;
    out->data[out->len] = '\0';
    return 0;
}

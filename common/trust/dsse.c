/* dsse.c: see dsse.h. */
#include "trust/dsse.h"

#include <sodium.h>
#include <string.h>

int dsse_encode(const char *type, const struct buf *payload, struct buf *out)
{
    if (buf_addf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, payload->len)) {
        return -1;
    }
    return buf_add(out, payload->data, payload->len);
}

struct hash envelope_hash(const struct envelope *envelope)
{
    _cleanup_buf_ struct buf bytes = {0};

    if (dsse_encode(envelope->type, &envelope->payload, &bytes) != 0) {
        abort(); /* an envelope is at most 1 MiB, and half a hash no hash */
    }
    return hash_of(bytes.data, bytes.len);
}

int envelope_sign(struct envelope *envelope, const struct key_pair *keys,
                  struct err *err)
{
    _cleanup_buf_ struct buf bytes = {0};
    unsigned char public[crypto_sign_PUBLICKEYBYTES];
    unsigned char secret[crypto_sign_SECRETKEYBYTES];

    if (dsse_encode(envelope->type, &envelope->payload, &bytes) != 0) {
        return err_set(err, ERR_RETRY, "sign %s: out of memory",
                       envelope->type);
    }
    struct signature *signature =
        list_grow(&envelope->signatures, sizeof(*signature));
    signature->key = key_id(&keys->key);
    (void)crypto_sign_seed_keypair(public, secret, keys->secret);
    (void)crypto_sign_detached(signature->b, NULL, bytes.data, bytes.len,
                               secret);
    sodium_memzero(secret, sizeof(secret));
    return 0;
}

bool envelope_signed_by(const struct envelope *envelope, size_t i,
                        const struct key32 *key)
{
    _cleanup_buf_ struct buf bytes = {0};
    struct hash id = key_id(key);

    if (i >= envelope->signatures.n ||
        dsse_encode(envelope->type, &envelope->payload, &bytes) != 0) {
        return false;
    }
    const struct signature *signature =
        &list_at(&envelope->signatures, struct signature, i);
    return hash_equal(&signature->key, &id) &&
           crypto_sign_verify_detached(signature->b, bytes.data, bytes.len,
                                       key->b) == 0;
}

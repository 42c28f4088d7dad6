/* id.c: see id.h. RFC 9562, section 5.7. */
#include "base/id.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"

/* Everything that uses libsodium links this file, so it is ready before main().
 * https://doc.libsodium.org/usage: sodium_init() comes before all else. */
__attribute__((constructor)) static void begin_sodium(void)
{
    if (sodium_init() < 0) {
        abort();
    }
}

struct id id_random(void)
{
    struct id id;

    randombytes_buf(id.b, sizeof(id.b));
    return id;
}

/* RFC 9562: the moment, the version and the variant in their places. */
static struct id stamped(struct id id, int64_t moment, int version)
{
    for (int i = 0; i < 6; i++) {
        id.b[i] = (unsigned char)(moment >> (40 - 8 * i));
    }
    id.b[6] = (unsigned char)((id.b[6] & 0x0f) | version << 4);
    id.b[8] = (id.b[8] & 0x3f) | 0x80;
    return id;
}

struct id id_new(int64_t now)
{
    return stamped(id_random(), now, 7);
}

struct id id_at(int64_t moment, const struct hash *hash)
{
    return stamped(id_of_hash(hash), moment, 8);
}

int64_t id_time(const struct id *id)
{
    int64_t ms = 0;

    for (int i = 0; i < 6; i++) {
        ms = ms << 8 | id->b[i];
    }
    return ms;
}

int id_version(const struct id *id)
{
    return id->b[6] >> 4;
}

void id_format(const struct id *id, char text[static ID_TEXT])
{
    char hex[33];

    hex_encode(id->b, sizeof(id->b), hex);
    (void)snprintf(text, ID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
                   hex + 12, hex + 16, hex + 20);
}

void hash_format(const struct hash *hash, char text[static HASH_TEXT])
{
    hex_encode(hash->b, sizeof(hash->b), text);
}

int id_parse(const char *text, struct id *ret_id)
{
    char hex[33];
    size_t n = 0;

    if (strlen(text) != ID_TEXT - 1) {
        return -1;
    }
    for (size_t i = 0; i < ID_TEXT - 1; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-') {
                return -1;
            }
        } else {
            hex[n++] = text[i];
        }
    }
    hex[n] = '\0';
    return hex_decode(hex, ret_id->b, sizeof(ret_id->b));
}

int hash_parse(const char *text, struct hash *ret_hash)
{
    return hex_decode(text, ret_hash->b, sizeof(ret_hash->b));
}

bool id_equal(const struct id *a, const struct id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool hash_equal(const struct hash *a, const struct hash *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool id_is_zero(const struct id *id)
{
    return sodium_is_zero(id->b, sizeof(id->b)) == 1;
}

bool hash_is_zero(const struct hash *hash)
{
    return sodium_is_zero(hash->b, sizeof(hash->b)) == 1;
}

struct hash hash_of(const void *bytes, size_t n)
{
    struct hash hash;

    (void)crypto_hash_sha256(hash.b, bytes, n);
    return hash;
}

struct hash hash_tuple(const struct part *parts, size_t n)
{
    crypto_hash_sha256_state state;
    struct hash hash;

    (void)crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < n; i++) {
        char length[24];
        int len = snprintf(length, sizeof(length), "%zu ", parts[i].len);
        (void)crypto_hash_sha256_update(&state, (unsigned char *)length,
                                        (size_t)len);
        (void)crypto_hash_sha256_update(&state, parts[i].bytes, parts[i].len);
    }
    (void)crypto_hash_sha256_final(&state, hash.b);
    return hash;
}

struct id id_of_hash(const struct hash *hash)
{
    struct id id;

    memcpy(id.b, hash->b, sizeof(id.b));
    return id;
}

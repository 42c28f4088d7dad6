/* factor_key.c: see factor_key.h. XChaCha20-Poly1305 with a random nonce; the
 * person's id is authenticated beside, so that no row can stand in for
 * another's. */
#include "consumer/authorizer/factor_key.h"

#include <sodium.h>
#include <string.h>
#include <sysexits.h>

#include "base/codec.h"
#include "base/file.h"

#define KEY_BYTES crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define MAC crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(NONCE + TOTP_SECRET + MAC == FACTOR_SEALED, "see factor_key.h");

static char *path_of(const struct daemon *daemon)
{
    const char *named =
        config_text(&daemon->config, "authorizer", "factor_key");
    const char *key = config_text(&daemon->config, "service", "key");
    const char *slash = strrchr(key, '/');

    return named != NULL ? must_strdup(named)
           : slash == NULL
               ? must_strdup("factor.key")
               : must_printf("%.*s/factor.key", (int)(slash - key), key);
}

static int make(const char *path, struct err *err)
{
    unsigned char key[KEY_BYTES];

    randombytes_buf(key, sizeof(key));
    char *text = base64_encode(key, sizeof(key));
    size_t len = strlen(text);
    text[len] = '\n'; /* in place of its NUL: no other copy is made */
    int done = file_write(path, text, len + 1, 0600, false, err);
    sodium_memzero(text, len + 1);
    sodium_memzero(key, sizeof(key));
    free(text);
    return done;
}

static int read_key(const char *path, struct factor_key *key, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (file_read_private(path, 100, &text, err) != 0) {
        return -1;
    }
    char *line = (char *)text.data;
    line[strcspn(line, "\r\n")] = '\0';
    int bad = base64_decode_fixed(line, key->key, KEY_BYTES);
    sodium_memzero(text.data, text.cap);
    key->id = hash_of(key->key, KEY_BYTES);
    return bad ? err_set(err, ERR_FATAL,
                         "%s: not a factor key: one line, the base64 of %d "
                         "bytes",
                         path, KEY_BYTES)
               : 0;
}

/* Whether secrets are stored, and whether under this key. */
static int look(const struct daemon *daemon, const struct hash *id,
                size_t *ret_others, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(daemon->postgres,
           "SELECT 1 AS one FROM factors WHERE secret IS NOT NULL "
           "AND secret_key_id <> $1 LIMIT 1",
           &rows, err, P_HASH(id)) != 0) {
        return -1;
    }
    *ret_others = rows_n(rows);
    return 0;
}

static int check_others(const struct daemon *daemon, const char *path,
                        const struct hash *id, struct err *err)
{
    size_t others = 0;

    if (look(daemon, id, &others, err) != 0) {
        return -1;
    }
    return others == 0
               ? 0
               : err_set(err, ERR_FATAL,
                         "[authorizer] factor_key: second factors are stored "
                         "under another key than %s: copy the file from the "
                         "authorizer that has it, or from its backup",
                         path);
}

struct factor_key *factor_key_open(const struct daemon *daemon, struct err *err)
{
    static const struct hash none;
    _cleanup_free_ char *path = path_of(daemon);

    if (!file_exists(path) &&
        (check_others(daemon, path, &none, err) != 0 || make(path, err) != 0)) {
        return NULL;
    }
    struct factor_key *key = must_calloc(1, sizeof(*key));
    key->key = sodium_malloc(KEY_BYTES);
    if (key->key == NULL) {
        abort();
    }
    if (read_key(path, key, err) != 0 ||
        check_others(daemon, path, &key->id, err) != 0) {
        factor_key_free(key);
        return NULL;
    }
    return key;
}

void factor_key_free(struct factor_key *key)
{
    if (key != NULL) {
        sodium_free(key->key);
        free(key);
    }
}

void factor_encrypt(const struct factor_key *key, const struct id *user,
                    const unsigned char secret[static TOTP_SECRET],
                    unsigned char ret_sealed[static FACTOR_SEALED])
{
    randombytes_buf(ret_sealed, NONCE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        ret_sealed + NONCE, NULL, secret, TOTP_SECRET, user->b, sizeof(user->b),
        NULL, ret_sealed, key->key);
}

int factor_decrypt(const struct factor_key *key, const struct id *user,
                   const struct buf *sealed,
                   unsigned char ret_secret[static TOTP_SECRET],
                   struct err *err)
{
    return sealed->len == FACTOR_SEALED &&
                   crypto_aead_xchacha20poly1305_ietf_decrypt(
                       ret_secret, NULL, NULL, sealed->data + NONCE,
                       FACTOR_SEALED - NONCE, user->b, sizeof(user->b),
                       sealed->data, key->key) == 0
               ? 0
               : err_set(err, ERR_REJECT,
                         "the stored secret can't be decrypted under this "
                         "authorizer's factor_key");
}

/* hook_keys.c: see hook_keys.h. */
#include "consumer/notifier/hook_keys.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "trust/sealed.h"

#define SECRET_PREFIX "whsec_"
#define SECRET_MIN 24 /* bytes, by the specification */
#define SECRET_MAX 64

struct hook_keys {
    char url[HOOK_FILE_MAX + 1];
    size_t n;
    struct secret {
        unsigned char b[SECRET_MAX];
        size_t len;
    } secrets[HOOK_SECRETS_MAX];
};

void hook_keys_free(struct hook_keys *keys)
{
    if (keys != NULL) {
        sodium_free(keys); /* wiped */
    }
}

static void keys_release(struct hook_keys **keys)
{
    hook_keys_free(*keys);
}

const char *hook_url(const struct hook_keys *keys)
{
    return keys->url;
}

static int read_url(const char *line, size_t len, struct hook_keys *keys,
                    struct err *err)
{
    bool plain = len > 0;

    for (size_t i = 0; i < len; i++) {
        plain = plain && line[i] > 0x20 && line[i] < 0x7f;
    }
    memcpy(keys->url, line, len);
    keys->url[len] = '\0';
    return plain && (strncmp(keys->url, "https://", 8) == 0 ||
                     strncmp(keys->url, "http://", 7) == 0)
               ? 0
               : err_set(err, ERR_REJECT,
                         "its first line is not a URL, https:// or http://");
}

static int read_secret(const char *line, size_t len, struct hook_keys *keys,
                       struct err *err)
{
    size_t prefix = strlen(SECRET_PREFIX);
    _cleanup_sealed_ struct buf bytes = {0};

    if (keys->n == HOOK_SECRETS_MAX) {
        return err_set(err, ERR_REJECT, "it has more than %d secrets",
                       HOOK_SECRETS_MAX);
    }
    if (buf_reserve(&bytes, HOOK_FILE_MAX) != 0) {
        return err_set(err, ERR_RETRY, "out of memory");
    }
    if (len <= prefix || memcmp(line, SECRET_PREFIX, prefix) != 0 ||
        base64_decode(line + prefix, len - prefix, &bytes) != 0 ||
        bytes.len < SECRET_MIN || bytes.len > SECRET_MAX) {
        return err_set(err, ERR_REJECT,
                       "its line %zu is not a secret: whsec_ and %d to %d "
                       "bytes in base64",
                       keys->n + 2, SECRET_MIN, SECRET_MAX);
    }
    struct secret *secret = &keys->secrets[keys->n++];
    memcpy(secret->b, bytes.data, bytes.len);
    secret->len = bytes.len;
    return 0;
}

struct hook_keys *hook_keys_read(const char *text, struct err *err)
{
    _cleanup_(keys_release) struct hook_keys *keys =
        sodium_malloc(sizeof(*keys));
    size_t number = 0;

    if (keys == NULL || strlen(text) > HOOK_FILE_MAX) {
        abort(); /* who read the file bounded it */
    }
    sodium_memzero(keys, sizeof(*keys));
    for (const char *line = text; *line != '\0'; number++) {
        size_t len = strcspn(line, "\n");
        if ((number == 0 ? read_url(line, len, keys, err)
                         : read_secret(line, len, keys, err)) != 0) {
            return NULL;
        }
        line += len + (line[len] == '\n');
    }
    if (keys->n == 0) {
        (void)err_set(err, ERR_REJECT,
                      number == 0 ? "it is empty: the URL belongs into its "
                                    "first line, a secret into the second"
                                  : "it has no secret: one belongs into its "
                                    "second line, whsec_ and base64");
        return NULL;
    }
    return take_ptr(keys);
}

static int add_signature(const struct secret *secret, const char *head,
                         const struct buf *body, struct buf *out)
{
    crypto_auth_hmacsha256_state state;
    unsigned char mac[crypto_auth_hmacsha256_BYTES];

    (void)crypto_auth_hmacsha256_init(&state, secret->b, secret->len);
    (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)head,
                                        strlen(head));
    (void)crypto_auth_hmacsha256_update(&state, body->data, body->len);
    (void)crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof(state));
    _cleanup_free_ char *text = base64_encode(mac, sizeof(mac));
    return text == NULL
               ? -1
               : buf_addf(out, "%sv1,%s", out->len == 0 ? "" : " ", text);
}

int hook_sign(const struct hook_keys *keys, const char *id, int64_t timestamp,
              const struct buf *body, struct buf *out)
{
    _cleanup_free_ char *head = must_printf("%s.%" PRId64 ".", id, timestamp);
    int failed = 0;

    for (size_t i = 0; i < keys->n; i++) {
        failed |= add_signature(&keys->secrets[i], head, body, out);
    }
    return failed;
}

/* codec.c: see codec.h. RFC 4648. */
#include "base/codec.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

#define CODE_MAX 128 /* bytes of a code, with its checksum */
#define CODE_CHECK 4

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

void hex_encode(const void *bytes, size_t n, char *text)
{
    (void)sodium_bin2hex(text, 2 * n + 1, bytes, n);
}

int hex_decode(const char *text, void *ret_bytes, size_t n)
{
    size_t len = strlen(text);
    unsigned char bytes[64];
    size_t got = 0;

    if (n > sizeof(bytes) || len != 2 * n ||
        strspn(text, "0123456789abcdef") != len ||
        sodium_hex2bin(bytes, n, text, len, NULL, &got, NULL) != 0 ||
        got != n) {
        return -1;
    }
    memcpy(ret_bytes, bytes, n);
    return 0;
}

char *base64_encode(const void *bytes, size_t n)
{
    size_t size = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(size);

    if (text != NULL) {
        (void)sodium_bin2base64(text, size, bytes, n,
                                sodium_base64_VARIANT_ORIGINAL);
    }
    return text;
}

/* libsodium 1.0.18 reads bytes from 0x80 on as if they were '/'. */
static bool is_ascii(const char *text, size_t len)
{
    unsigned char all = 0;

    for (size_t i = 0; i < len; i++) {
        all |= (unsigned char)text[i];
    }
    return all < 0x80;
}

int base64_decode(const char *text, size_t len, struct buf *out)
{
    size_t got = 0;
    const char *end = NULL;

    if (len % 4 != 0 || !is_ascii(text, len) ||
        buf_reserve(out, len / 4 * 3) != 0) {
        return -1;
    }
    unsigned char *to = out->data + out->len;
    /* libsodium refuses stray bits and wrong padding by itself. */
    if (sodium_base642bin(to, len / 4 * 3, text, len, NULL, &got, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != text + len) {
        return -1;
    }
    out->len += got;
    out->data[out->len] = '\0';
    return 0;
}

int base64_decode_fixed(const char *text, void *ret_bytes, size_t n)
{
    _cleanup_buf_ struct buf bytes = {0};

    if (base64_decode(text, strlen(text), &bytes) != 0 || bytes.len != n) {
        return -1;
    }
    memcpy(ret_bytes, bytes.data, n);
    sodium_memzero(bytes.data, bytes.len);
    return 0;
}

static void checksum(const void *bytes, size_t n, unsigned char *ret_check)
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    (void)crypto_hash_sha256(hash, bytes, n);
    memcpy(ret_check, hash, CODE_CHECK);
}

char *code_encode(const void *bytes, size_t n)
{
    unsigned char all[CODE_MAX];
    struct buf text = {0};
    unsigned bits = 0;
    unsigned have = 0;
    size_t letters = 0;

    memcpy(all, bytes, n);
    checksum(bytes, n, all + n);
    for (size_t i = 0; i < n + CODE_CHECK || have > 0;) {
        if (have < 5 && i < n + CODE_CHECK) {
            bits = (bits << 8 | all[i++]) & 0xffff;
            have += 8;
        } else if (have < 5) {
            bits <<= 5 - have;
            have = 5;
        }
        while (have >= 5) {
            have -= 5;
            (void)buf_adds(&text, letters > 0 && letters % 5 == 0 ? "-" : "");
            (void)buf_add(&text, &base32[bits >> have & 31], 1);
            letters++;
        }
    }
    sodium_memzero(all, sizeof(all));
    return buf_take(&text);
}

/* Reads base32 into at most size bytes; returns how many, or -1. */
static ssize_t base32_decode(const char *text, unsigned char *out, size_t size,
                             bool *ret_stray)
{
    unsigned bits = 0;
    unsigned have = 0;
    size_t n = 0;

    for (; *text != '\0'; text++) {
        if (*text == '-' || isspace((unsigned char)*text)) {
            continue;
        }
        const char *at = strchr(base32, tolower((unsigned char)*text));
        if (at == NULL) {
            return -1;
        }
        bits = (bits << 5 | (unsigned)(at - base32)) & 0xffff;
        have += 5;
        if (have >= 8 && n == size) {
            return -1;
        }
        if (have >= 8) {
            have -= 8;
            out[n++] = (unsigned char)(bits >> have);
        }
    }
    /* A whole letter too many would be another text of the same bytes. */
    *ret_stray = (bits & ((1U << have) - 1)) != 0;
    return have < 5 ? (ssize_t)n : -1;
}

int code_decode(const char *text, void *ret_bytes, size_t n, struct err *err)
{
    unsigned char all[CODE_MAX];
    unsigned char check[CODE_CHECK];
    bool stray = false; /* the last letter says more than the bytes can */
    ssize_t got = base32_decode(text, all, sizeof(all), &stray);

    if (got != (ssize_t)(n + CODE_CHECK)) {
        return err_set(err, ERR_REJECT,
                       "a code has %zu letters and digits; this one is "
                       "incomplete or holds something else",
                       ((n + CODE_CHECK) * 8 + 4) / 5);
    }
    checksum(all, n, check);
    if (stray || memcmp(check, all + n, CODE_CHECK) != 0) {
        return err_set(err, ERR_REJECT,
                       "the code is mistyped: its last "
                       "letters don't fit the rest");
    }
    memcpy(ret_bytes, all, n);
    sodium_memzero(all, sizeof(all));
    return 0;
}

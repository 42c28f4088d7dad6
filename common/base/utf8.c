/* utf8.c: see utf8.h. The table is that of RFC 3629, section 4. */
#include "base/utf8.h"

#include <string.h>

#include "base/cleanup.h"

/* By the first byte: how many follow, and the bounds of the second. */
static const struct lead {
    unsigned char first, last; /* of the first byte */
    unsigned char more;
    unsigned char low, high; /* of the second byte */
} leads[] = {
    {0x00, 0x7f, 0, 0x80, 0xbf}, {0xc2, 0xdf, 1, 0x80, 0xbf},
    {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf},
    {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf},
    {0xf4, 0xf4, 3, 0x80, 0x8f},
};

/* The length of the character that stands first; 0: none does. */
static size_t character(const unsigned char *at, size_t n)
{
    const struct lead *lead = leads;
    const struct lead *end = leads + ARRAY_SIZE(leads);

    while (lead < end && (at[0] < lead->first || at[0] > lead->last)) {
        lead++;
    }
    if (lead == end || lead->more >= n) {
        return 0;
    }
    for (size_t i = 1; i <= lead->more; i++) {
        unsigned char low = i == 1 ? lead->low : 0x80;
        unsigned char high = i == 1 ? lead->high : 0xbf;
        if (at[i] < low || at[i] > high) {
            return 0;
        }
    }
    return (size_t)lead->more + 1;
}

bool utf8_is_good(const void *bytes, size_t n)
{
    const unsigned char *at = bytes;

    while (n > 0) {
        size_t len = character(at, n);
        if (len == 0) {
            return false;
        }
        at += len;
        n -= len;
    }
    return true;
}

bool has_control(const char *text, const char *allowed)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if ((byte < 0x20 || byte == 0x7f) && strchr(allowed, byte) == NULL) {
            return true;
        }
    }
    return false;
}

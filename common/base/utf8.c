/* utf8.c: see utf8.h. The table is that of RFC 3629, section 4. */
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"

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

size_t utf8_first(const void *bytes, size_t n, uint32_t *ret_character)
{
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *at = bytes;
    size_t len = n == 0 ? 0 : character(at, n);

    if (len == 0) {
        return 0;
    }
    uint32_t value = at[0] & mask[len];
    for (size_t i = 1; i < len; i++) {
        value = value << 6 | (at[i] & 0x3f);
    }
    *ret_character = value;
    return len;
}

/* Unicode 15: C0 and C1, Default_Ignorable_Code_Point, Bidi_Control, Zl, Zp,
 * Co, noncharacters; each row ascending. */
static const struct range {
    uint32_t first, last;
} hidden[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},
    {0x034f, 0x034f},   {0x061c, 0x061c},   {0x115f, 0x1160},
    {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},
    {0x2028, 0x202e},   {0x2060, 0x206f},   {0x2800, 0x2800},
    {0x3164, 0x3164},   {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},
    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
    {0xfff0, 0xffff},   {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0x1fffe, 0x1ffff}, {0x2fffe, 0x2ffff}, {0x3fffe, 0x10ffff},
};

bool utf8_is_shown(uint32_t character)
{
    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
        if (character >= hidden[i].first && character <= hidden[i].last) {
            return false;
        }
    }
    return true;
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

size_t utf8_length(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

char *utf8_shown(const char *text)
{
    size_t n = strlen(text);
    char *shown = must_calloc(4 * n + 1, 1);
    char *to = shown;

    for (size_t len; n > 0; text += len, n -= len) {
        uint32_t character;
        len = utf8_first(text, n, &character);
        if (len > 0 && utf8_is_shown(character)) {
            memcpy(to, text, len);
            to += len;
        } else {
            len = 1;
            to += snprintf(to, 5, "\\x%02x", (unsigned char)*text);
        }
    }
    return shown;
}

/*
 * harmless.c: see harmless.h.
 *
 * The decoder is RFC 3629's, strict: no overlong forms, no surrogates, nothing
 * beyond U+10FFFF; a bad byte is shown and reading goes on with the next one.
 */
#include "producer/submit/harmless.h"

#include "base/err.h"

#include <stdint.h>
#include <string.h>

/* How many bytes a character has by its first one; 0: it can't be a first. */
static size_t utf8_length(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        return 3;
    }
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* True while these bytes may open a character. */
static bool utf8_opens(const unsigned char *part, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if ((part[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    if (n < 2) {
        return utf8_length(part[0]) > 0;
    }
    return !(part[0] == 0xe0 && part[1] < 0xa0) &&
           !(part[0] == 0xed && part[1] > 0x9f) &&
           !(part[0] == 0xf0 && part[1] < 0x90) &&
           !(part[0] == 0xf4 && part[1] > 0x8f);
}

static uint32_t utf8_value(const unsigned char *part, size_t n)
{
    static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t value = part[0] & first[n];

    for (size_t i = 1; i < n; i++) {
        value = value << 6 | (part[i] & 0x3f);
    }
    return value;
}

/* Directional marks, embeddings, overrides and isolates; line separators. */
static bool turns(uint32_t value)
{
    return value == 0x061c || value == 0x200e || value == 0x200f ||
           (value >= 0x2028 && value <= 0x202e) ||
           (value >= 0x2066 && value <= 0x2069);
}

static int show(struct buf *out, const unsigned char *part, size_t n)
{
    uint32_t value = utf8_value(part, n);

    if (value == '\n' || value == '\t') {
        return buf_add(out, part, n);
    }
    if (value < 0x20 || (value >= 0x7f && value < 0xa0)) {
        return buf_addf(out, "\\x%02x", (unsigned)value);
    }
    if (turns(value)) {
        return buf_addf(out, "\\u%04x", (unsigned)value);
    }
    return buf_add(out, part, n);
}

/* What is held is no character: shows it byte by byte. */
static int show_bad(struct harmless *state, struct buf *out)
{
    for (size_t i = 0; i < state->n; i++) {
        if (buf_addf(out, "\\x%02x", state->part[i]) < 0) {
            return -1;
        }
    }
    state->n = 0;
    return 0;
}

static int show_return(struct harmless *state, unsigned char next,
                       struct buf *out)
{
    if (!state->returned) {
        return 0;
    }
    state->returned = false;
    return next == '\n' ? 0 : buf_adds(out, "\n");
}

static int add_byte(struct harmless *state, unsigned char byte, struct buf *out)
{
    if (show_return(state, byte, out) < 0) {
        return -1;
    }
    state->part[state->n++] = byte;
    if (!utf8_opens(state->part, state->n)) {
        state->n--;
        if (state->n == 0) {
            return buf_addf(out, "\\x%02x", byte);
        }
        return show_bad(state, out) < 0 ? -1 : add_byte(state, byte, out);
    }
    if (state->n < utf8_length(state->part[0])) {
        return 0;
    }
    if (byte == '\r') {
        state->returned = true;
        state->n = 0;
        return 0;
    }
    size_t n = state->n;
    state->n = 0;
    return show(out, state->part, n);
}

int harmless_add(struct harmless *state, const void *bytes, size_t n,
                 struct buf *out)
{
    const unsigned char *b = bytes;

    for (size_t i = 0; i < n; i++) {
        if (add_byte(state, b[i], out) < 0) {
            return -1;
        }
    }
    return 0;
}

int harmless_end(struct harmless *state, struct buf *out)
{
    return show_return(state, 0, out) < 0 ? -1 : show_bad(state, out);
}

static int add_line_byte(struct harmless *state, unsigned char byte,
                         struct buf *out)
{
    if (byte == '\n' || byte == '\t' || byte == '\r') {
        return buf_addf(out, "\\x%02x", byte);
    }
    return add_byte(state, byte, out);
}

char *harmless_text(const char *text)
{
    _cleanup_buf_ struct buf out = {0};
    struct harmless state = {0};

    for (size_t i = 0; text[i] != '\0'; i++) {
        if (add_line_byte(&state, (unsigned char)text[i], &out) < 0) {
            abort();
        }
    }
    if (harmless_end(&state, &out) < 0) {
        abort();
    }
    return out.len > 0 ? buf_take(&out) : must_strdup("");
}

/* mask.c: see mask.h. */
#include "consumer/executor/mask.h"

#include <sodium.h>
#include <string.h>

#include "model/secret.h"

static const char stars[] = SECRET_SHOWN;

static void add_word(struct list *words, const unsigned char *bytes, size_t n,
                     size_t least)
{
    if (n >= least) {
        struct masked_word *word = list_grow(words, sizeof(*word));
        *word = (struct masked_word){bytes, n};
    }
}

void mask_words_add(struct list *words, const void *secret, size_t n)
{
    const unsigned char *at = secret;
    const unsigned char *end = at + n;
    const unsigned char *newline;

    add_word(words, at, n, SECRET_MASKED_MIN);
    for (; n > 0 && at < end; at = newline + 1) {
        newline = memchr(at, '\n', (size_t)(end - at));
        newline = newline == NULL ? end : newline;
        size_t len = (size_t)(newline - at);
        len -= len > 0 && at[len - 1] == '\r';
        if (len < n) { /* else the whole is one line */
            add_word(words, at, len, MASK_LINE_MIN);
        }
    }
}

/* How long the longest word is that stands at this place; ret_may: one that is
 * longer may begin there, of which this is all that came. */
static size_t longest(const struct mask *mask, size_t at, bool *ret_may)
{
    const unsigned char *bytes = mask->held.data + at;
    size_t left = mask->held.len - at;
    size_t best = 0;

    *ret_may = false;
    for (size_t i = 0; i < mask->words->n; i++) {
        const struct masked_word *word =
            &list_at(mask->words, struct masked_word, i);
        size_t n = word->n < left ? word->n : left;
        if (word->bytes[0] != bytes[0] || memcmp(word->bytes, bytes, n) != 0) {
            continue;
        }
        if (n < word->n) {
            *ret_may = true;
        } else if (n > best) {
            best = n;
        }
    }
    return best;
}

/* One byte, which is decided. */
static int let_out(struct mask *mask, size_t at, struct buf *out)
{
    if (at >= mask->covered) {
        mask->inside = false;
        return buf_add(out, mask->held.data + at, 1);
    }
    if (mask->inside) {
        return 0;
    }
    mask->inside = true;
    return buf_adds(out, stars);
}

static int go_on(struct mask *mask, bool ends, struct buf *out)
{
    size_t at = 0;

    for (; at < mask->held.len; at++) {
        bool may;
        size_t left = mask->held.len - at;
        size_t n = longest(mask, at, &may);
        if (may && !ends) {
            break;
        }
        n = may && left >= SECRET_MASKED_MIN ? left : n;
        if (n > 0 && at + n > mask->covered) {
            mask->covered = at + n;
        }
        if (let_out(mask, at, out) != 0) {
            return -1;
        }
    }
    buf_drop(&mask->held, at);
    mask->covered -= at < mask->covered ? at : mask->covered;
    return 0;
}

int mask_add(struct mask *mask, const void *bytes, size_t n, struct buf *out)
{
    return buf_add(&mask->held, bytes, n) != 0 ? -1 : go_on(mask, false, out);
}

int mask_end(struct mask *mask, struct buf *out)
{
    return go_on(mask, true, out);
}

void mask_done(struct mask *mask)
{
    if (mask->held.data != NULL) {
        sodium_memzero(mask->held.data, mask->held.cap);
    }
    buf_done(&mask->held);
}

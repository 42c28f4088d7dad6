/* suggest.c: see suggest.h. */
#include "base/suggest.h"

#include <string.h>

#define WORD_MAX 64 /* longer ones are no slips */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Three rows of the table are enough: a swap looks two rows back. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][WORD_MAX + 1];

    for (size_t j = 0; j <= m; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] =
                least(above[j - 1] + other, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
    }
    return rows[n % 3][m];
}

const char *suggest(const char *word, const char *const *known, size_t n)
{
    size_t len = strlen(word);
    size_t nearest = (len <= 3 ? 1 : len <= 6 ? 2 : 3) + 1;
    const char *found = NULL;

    if (len == 0 || len > WORD_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        size_t other = strlen(known[i]);
        size_t far =
            other > WORD_MAX ? nearest : distance(word, len, known[i], other);
        /* Nothing of the word left: that is no slip. */
        if (far < nearest && far < other) {
            nearest = far;
            found = known[i];
        }
    }
    return found;
}

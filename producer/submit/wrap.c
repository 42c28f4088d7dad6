/* wrap.c: see wrap.h. */
#include "producer/submit/wrap.h"

#include <string.h>
#include <wchar.h>

#include "base/err.h"
#include "base/utf8.h"

#define CLIPPED "..."

/* The columns of the character that stands first, and its bytes; what is no
 * character counts as one column for its byte. */
static size_t first_columns(const char *text, size_t bytes, size_t *ret_bytes)
{
    uint32_t character;
    size_t n = utf8_first(text, bytes, &character);
    int columns = n == 0 ? 1 : wcwidth((wchar_t)character);

    *ret_bytes = n == 0 ? 1 : n;
    return columns < 0 ? 1 : (size_t)columns;
}

size_t wrap_columns(const char *text, size_t bytes)
{
    size_t columns = 0;
    size_t n;

    for (size_t at = 0; at < bytes; at += n) {
        columns += first_columns(text + at, bytes - at, &n);
    }
    return columns;
}

char *wrap_clip(const char *text, size_t columns)
{
    size_t bytes = strlen(text);
    size_t room = columns - strlen(CLIPPED);
    size_t at = 0;
    size_t n;

    if (wrap_columns(text, bytes) <= columns) {
        return must_strdup(text);
    }
    for (size_t used = 0; at < bytes; at += n) {
        used += first_columns(text + at, bytes - at, &n);
        if (used > room) {
            break;
        }
    }
    return must_printf("%.*s" CLIPPED, (int)at, text);
}

/* The lines that a terminal makes of one. */
static size_t shown(size_t columns, size_t width)
{
    return columns == 0 ? 1 : (columns + width - 1) / width;
}

static void add_word(struct buf *out, const char *word, size_t len)
{
    size_t at = out->len;

    if (buf_add(out, word, len) == 0) {
        for (char *c = (char *)out->data + at; *c != '\0'; c++) {
            *c = *c == WRAP_JOIN ? ' ' : *c;
        }
    }
}

size_t wrap_add(struct buf *out, const char *first, const char *text,
                size_t indent, size_t width)
{
    size_t used = indent;
    size_t lines = 0;

    (void)buf_addf(out, "%-*s", (int)indent, first);
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        size_t columns = wrap_columns(text, len);
        bool opens = used == indent;
        if (!opens && used + 1 + columns > width) {
            lines += shown(used, width);
            (void)buf_addf(out, "\n%*s", (int)indent, "");
            used = indent;
            opens = true;
        }
        (void)buf_adds(out, opens ? "" : " ");
        add_word(out, text, len);
        used += columns + (opens ? 0 : 1);
        text += len;
        text += strspn(text, " ");
    }
    (void)buf_adds(out, "\n");
    return lines + shown(used, width);
}

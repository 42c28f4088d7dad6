/* csv.c: see csv.h. Pure. */
#include "producer/submit/csv.h"

#include <string.h>

#include "base/fields.h"

/* -12, +0.5: what a cell of ours may hold, and no formula. */
static bool is_number(const char *text)
{
    size_t sign = strspn(text, "+-");
    size_t digits = strspn(text + sign, "0123456789.");

    return sign <= 1 && digits > 0 && text[sign + digits] == '\0';
}

static bool is_formula(const char *text)
{
    return text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL &&
           !is_number(text);
}

static void put(struct buf *out, const char *bytes, size_t n)
{
    if (buf_add(out, bytes, n) != 0) {
        abort();
    }
}

static void put_quoted(struct buf *out, const char *text)
{
    put(out, "\"", 1);
    for (const char *c = text; *c != '\0'; c++) {
        put(out, c, 1);
        if (*c == '"') {
            put(out, c, 1);
        }
    }
    put(out, "\"", 1);
}

void csv_add(struct buf *out, const char *text, bool last)
{
    _cleanup_free_ char *safe =
        text == NULL ? must_strdup("")
                     : must_printf("%s%s", is_formula(text) ? "'" : "", text);

    if (strpbrk(safe, ",\"\r\n") != NULL) {
        put_quoted(out, safe);
    } else {
        put(out, safe, strlen(safe));
    }
    put(out, last ? "\r\n" : ",", last ? 2 : 1);
}

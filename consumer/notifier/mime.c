/* mime.c: see mime.h. */
#include "consumer/notifier/mime.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "base/codec.h"
#include "base/utf8.h"

#define LINE 76 /* bytes of a line without its CRLF */
#define ENCODED                                                  \
    45 /* bytes of a text in one encoded-word: 75 with its frame \
        */

int mime_date(struct buf *out, int64_t moment)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed",
                                   "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(moment / 1000);
    struct tm at;

    (void)gmtime_r(&seconds, &at);
    return buf_addf(out, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n",
                    days[at.tm_wday], at.tm_mday, months[at.tm_mon],
                    at.tm_year + 1900, at.tm_hour, at.tm_min, at.tm_sec);
}

/* As many whole characters as fit into so many bytes, at least one. */
static size_t characters(const char *text, size_t max)
{
    size_t len = strlen(text);
    size_t fit = 0;

    while (fit < len) {
        uint32_t character;
        size_t size = utf8_first(text + fit, len - fit, &character);
        size = size == 0 ? 1 : size;
        if (fit > 0 && fit + size > max) {
            break;
        }
        fit += size;
    }
    return fit;
}

/* A name of letters, digits and blanks stands as it is; every other is encoded,
 * whole: what isn't there can't be misread. */
static bool is_plain(const char *name)
{
    size_t len = strlen(name);

    for (const char *c = name; *c != '\0'; c++) {
        if (!isascii(*c) || (!isalnum((unsigned char)*c) && *c != ' ')) {
            return false;
        }
    }
    return len > 0 && len <= ENCODED && name[0] != ' ' && name[len - 1] != ' ';
}

static int add_encoded(struct buf *out, const char *name)
{
    while (*name != '\0') {
        size_t n = characters(name, ENCODED);
        _cleanup_free_ char *base64 = base64_encode(name, n);
        if (base64 == NULL || buf_addf(out, "=?utf-8?B?%s?=\r\n ", base64)) {
            return -1;
        }
        name += n;
    }
    return 0;
}

int mime_address(struct buf *out, const char *header, const char *name,
                 const char *address)
{
    if (name == NULL) {
        return buf_addf(out, "%s: %s\r\n", header, address);
    }
    bool plain = is_plain(name);
    bool fits = plain && strlen(header) + strlen(name) + strlen(address) <
                             LINE - strlen(":  <>");
    if (buf_addf(out, "%s: ", header) != 0 ||
        (plain ? buf_addf(out, "%s%s ", name, fits ? "" : "\r\n")
               : add_encoded(out, name)) != 0) {
        return -1;
    }
    return buf_addf(out, "<%s>\r\n", address);
}

/* One byte as it stands in a line that has so many bytes already. */
static int add_quoted(struct buf *out, unsigned char byte, bool literal,
                      size_t *column)
{
    size_t width = literal ? 1 : 3;

    if (*column + width > LINE - 1) {
        if (buf_adds(out, "=\r\n") != 0) {
            return -1;
        }
        *column = 0;
    }
    *column += width;
    return literal ? buf_add(out, &byte, 1) : buf_addf(out, "=%02X", byte);
}

int mime_quoted(struct buf *out, const char *text)
{
    size_t column = 0;
    int failed = 0;

    for (const char *c = text; *c != '\0' && !failed; c++) {
        unsigned char byte = (unsigned char)*c;
        bool last = c[1] == '\n' || c[1] == '\0';
        if (byte == '\n') {
            failed = buf_adds(out, "\r\n");
            column = 0;
            continue;
        }
        /* A dot that begins a line is SMTP's business, but not every relay
         * gets it right. */
        bool literal = (byte == ' ' && !last) ||
                       (byte > 0x20 && byte < 0x7f && byte != '=' &&
                        !(byte == '.' && column == 0));
        failed = add_quoted(out, byte, literal, &column);
    }
    return failed;
}

int html_escaped(struct buf *out, const char *text)
{
    int failed = 0;

    for (const char *c = text; *c != '\0' && !failed; c++) {
        const char *as = *c == '&'    ? "&amp;"
                         : *c == '<'  ? "&lt;"
                         : *c == '>'  ? "&gt;"
                         : *c == '"'  ? "&quot;"
                         : *c == '\'' ? "&#39;"
                                      : NULL;
        failed = as != NULL ? buf_adds(out, as) : buf_add(out, c, 1);
    }
    return failed;
}

/* body.c: see body.h. */
#include "consumer/notifier/body.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "consumer/notifier/mime.h"
#include "trust/sealed.h"

#define ROOM \
    16384 /* more than any letter: so no secret is left behind by growing */
#define COLUMNS 72

struct piece {
    bool block; /* lines as they are; else a paragraph */
    struct buf text;
};

void body_say(struct body *body, const char *fmt, ...)
{
    struct piece *piece = list_grow(&body->pieces, sizeof(*piece));
    char text[2000];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    body->failed |= buf_adds(&piece->text, text) != 0;
}

void body_done(struct body *body)
{
    for (size_t i = 0; i < body->pieces.n; i++) {
        sealed_wipe(&list_at(&body->pieces, struct piece, i).text);
    }
    free(body->pieces.items);
}

struct buf *body_block(struct body *body)
{
    struct piece *piece = list_grow(&body->pieces, sizeof(*piece));

    piece->block = true;
    return &piece->text;
}

/* A paragraph in lines of at most so many columns, broken at blanks. */
static int add_wrapped(struct buf *out, const char *text)
{
    size_t column = 0;
    int failed = 0;

    while (*text != '\0' && !failed) {
        size_t word = strcspn(text, " ");
        if (column > 0 && column + 1 + word > COLUMNS) {
            failed |= buf_adds(out, "\n");
            column = 0;
        }
        failed |=
            buf_addf(out, "%s%.*s", column > 0 ? " " : "", (int)word, text);
        column += word + (column > 0);
        text += word + strspn(text + word, " ");
    }
    return failed || buf_adds(out, "\n");
}

static int as_text(const struct body *body, struct buf *out)
{
    int failed = 0;

    for (size_t i = 0; i < body->pieces.n; i++) {
        const struct piece *piece = &list_at(&body->pieces, struct piece, i);
        const char *text = buf_text(&piece->text);
        failed |= i > 0 ? buf_adds(out, "\n") : 0;
        failed |= piece->block ? buf_adds(out, text) : add_wrapped(out, text);
    }
    return failed;
}

static int as_html(const struct body *body, struct buf *out)
{
    int failed = buf_adds(out, "<!DOCTYPE html>\n<html lang=\"en\"><body>\n");

    for (size_t i = 0; i < body->pieces.n; i++) {
        const struct piece *piece = &list_at(&body->pieces, struct piece, i);
        const char *tag = piece->block ? "pre" : "p";
        failed |= buf_addf(out, "<%s>", tag) ||
                  html_escaped(out, buf_text(&piece->text)) ||
                  buf_addf(out, "</%s>\n", tag);
    }
    return failed || buf_adds(out, "</body></html>\n");
}

static int add_part(struct buf *out, const char *boundary, const char *type,
                    const struct body *body,
                    int (*render)(const struct body *, struct buf *))
{
    _cleanup_sealed_ struct buf text = {0};

    return buf_reserve(&text, ROOM) != 0 || render(body, &text) ||
           buf_addf(out,
                    "--%s\r\nContent-Type: %s; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                    boundary, type) ||
           mime_quoted(out, buf_text(&text)) || buf_adds(out, "\r\n");
}

static int add_headers(struct buf *out, const struct heading *heading,
                       const char *id)
{
    return mime_address(out, "From", "Errand", heading->from) ||
           mime_address(out, "To", heading->to_name, heading->to) ||
           buf_addf(out, "Subject: %s\r\n", heading->subject) ||
           mime_date(out, heading->date) ||
           buf_addf(out, "Message-ID: <%s@%s>\r\n", id,
                    strchr(heading->from, '@') + 1) ||
           buf_adds(out, "Auto-Submitted: auto-generated\r\n"
                         "MIME-Version: 1.0\r\n");
}

int body_mail(const struct body *body, const struct heading *heading,
              struct buf *out)
{
    char id[ID_TEXT];
    char boundary[ID_TEXT + 2];

    id_format(&heading->id, id);
    (void)snprintf(boundary, sizeof(boundary), "=_%s", id);
    int failed = buf_reserve(out, 2 * ROOM) || add_headers(out, heading, id) ||
                 buf_addf(out,
                          "Content-Type: multipart/alternative;\r\n"
                          " boundary=\"%s\"\r\n\r\n",
                          boundary) ||
                 add_part(out, boundary, "text/plain", body, as_text) ||
                 add_part(out, boundary, "text/html", body, as_html) ||
                 buf_addf(out, "--%s--\r\n", boundary);
    return failed != 0 || body->failed ? -1 : 0;
}

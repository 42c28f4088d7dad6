/*
 * body.h: what stands in a mail, paragraph by paragraph, and the mail's bytes.
 *
 * Pure: the same heading and paragraphs make the same bytes, boundary and
 * Message-ID included. Multipart, text and HTML, both from one list. A mail may
 * hold a code: nothing of it is left behind in memory.
 */
#pragma once

#include "base/fields.h"

struct body {
    struct list pieces;
    bool failed; /* out of memory */
};

void body_done(struct body *body);
#define _cleanup_body_ _cleanup_(body_done)

/* A paragraph, which is broken into lines at blanks; at most 2,000 bytes. */
void body_say(struct body *body, const char *fmt, ...) _printf_(2, 3);

/* Lines that stay as they are, to be filled in before the next call. */
struct buf *body_block(struct body *body);

struct heading {
    const char *from; /* an address */
    const char *to;
    const char *to_name; /* NULL: the address alone */
    const char *subject; /* printable ASCII, short */
    int64_t date;
    struct id id; /* the mail's */
};

/* Appends the mail. -1: out of memory. */
int body_mail(const struct body *body, const struct heading *heading,
              struct buf *out);

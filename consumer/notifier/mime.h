/*
 * mime.h: texts as mail wants them: RFC 5322 (headers, dates, lines), RFC 2047
 * (names in headers) and RFC 2045 (quoted-printable).
 *
 * Pure. What comes out is ASCII in lines of at most 76 bytes that end in CRLF,
 * whatever goes in: so no text can end a header or a part. All of these append;
 * -1: out of memory.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/* "Date: Thu, 26 Nov 2026 03:40:45 +0000", in UTC and English. */
int mime_date(struct buf *out, int64_t moment);

/* "To: NAME <ADDRESS>", folded; name NULL: the address alone. The address is
 * one that email_normal() gave. */
int mime_address(struct buf *out, const char *header, const char *name,
                 const char *address);

/* A text in UTF-8 as quoted-printable; "\n" becomes CRLF. */
int mime_quoted(struct buf *out, const char *text);

/* The same text for HTML: what means something there is escaped. */
int html_escaped(struct buf *out, const char *text);

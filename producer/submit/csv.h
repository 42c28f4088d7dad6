/*
 * csv.h: a table for a spreadsheet (RFC 4180): commas, quotes where they are
 * needed, CRLF.
 *
 * A text that a spreadsheet would take for a formula (it begins with = + - @, a
 * tab or a carriage return, and is no number) gets an apostrophe before it, as
 * OWASP advises ("CSV Injection"): what somebody gave as a value must not
 * reckon on an administrator's machine. Programs that want the exact text take
 * JSON.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Appends one field (NULL: an empty one), and the end of the record behind its
 * last. */
void csv_add(struct buf *out, const char *text, bool last);

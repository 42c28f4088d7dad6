/*
 * harmless.h: other people's bytes on a terminal.
 *
 * A run's output is data: nothing in it may move a cursor, set a title or play
 * keys back. Printable UTF-8, newlines and tabs pass; a carriage return becomes
 * the end of a line; every other control (C0, DEL, C1), what turns the reading
 * direction round, and bytes that are no UTF-8 are shown as \xNN or \uNNNN.
 * Bytes come in pieces that may end within a character: the state carries it.
 */
#pragma once

#include "base/buf.h"

struct harmless {
    unsigned char part[4]; /* a character that is not whole yet */
    size_t n;
    bool returned; /* a carriage return was the last */
};

/* Appends what may be shown of these bytes. -1: out of memory. */
int harmless_add(struct harmless *state, const void *bytes, size_t n,
                 struct buf *out);

/* Appends what is left when no more comes. */
int harmless_end(struct harmless *state, struct buf *out);

/* The same for a text of one line, newlines and tabs shown too; the caller's
 * to free. */
char *harmless_text(const char *text);

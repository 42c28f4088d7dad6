/*
 * buf.h: bytes that grow.
 *
 * Owns its memory; all zero is an empty one. There is always a NUL behind the
 * last byte once something was added, so that text can be read as a string.
 * Growth may fail for want of memory, since input sizes it: then -1, and the
 * buffer is as it was.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct buf {
    unsigned char *data;
    size_t len;
    size_t cap;
};

#define _cleanup_buf_ _cleanup_(buf_done)

void buf_done(struct buf *buf);

/* Length zero; the memory stays. */
void buf_clear(struct buf *buf);

/* Makes room for n bytes beyond len. -1: out of memory. */
int buf_reserve(struct buf *buf, size_t n);

/* Each appends; -1: out of memory, nothing was appended. */
int buf_add(struct buf *buf, const void *bytes, size_t n);
int buf_adds(struct buf *buf, const char *text);
int buf_addf(struct buf *buf, const char *fmt, ...) _printf_(2, 3);

/* Takes n bytes off the front. */
void buf_drop(struct buf *buf, size_t n);

/* The bytes as a string, the caller's to free; the buffer is empty after. */
char *buf_take(struct buf *buf);

/* What is in it as a string that it keeps; "" when empty. */
const char *buf_text(const struct buf *buf);

bool buf_equal(const struct buf *a, const struct buf *b);

/* buf.c: see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void buf_done(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}

int buf_reserve(struct buf *buf, size_t n)
{
    if (n > SIZE_MAX / 2 - buf->len - 1) {
        return -1;
    }
    size_t want = buf->len + n + 1;

    if (want <= buf->cap) {
        return 0;
    }
    size_t cap = buf->cap < 64 ? 64 : buf->cap;
    while (cap < want) {
        cap *= 2;
    }
    unsigned char *data = realloc(buf->data, cap);
    if (data == NULL) {
        return -1;
    }
    buf->data = data;
    buf->cap = cap;
    return 0;
}

int buf_add(struct buf *buf, const void *bytes, size_t n)
{
    if (buf_reserve(buf, n) != 0) {
        return -1;
    }
    if (n > 0) {
        memcpy(buf->data + buf->len, bytes, n);
    }
    buf->len += n;
    buf->data[buf->len] = '\0';
    return 0;
}

int buf_adds(struct buf *buf, const char *text)
{
    return buf_add(buf, text, strlen(text));
}

int buf_addf(struct buf *buf, const char *fmt, ...)
{
    _cleanup_free_ char *text = NULL;
    va_list args;

    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0) {
        text = NULL;
        return -1;
    }
    return buf_add(buf, text, (size_t)n);
}

void buf_drop(struct buf *buf, size_t n)
{
    if (n == 0 || buf->data == NULL) {
        return;
    }
    memmove(buf->data, buf->data + n, buf->len - n + 1);
    buf->len -= n;
}

char *buf_take(struct buf *buf)
{
    if (buf->data == NULL && buf_reserve(buf, 0) == 0) {
        buf->data[0] = '\0';
    }
    char *text = (char *)buf->data;

    *buf = (struct buf){0};
    return text;
}

const char *buf_text(const struct buf *buf)
{
    return buf->data == NULL ? "" : (const char *)buf->data;
}

bool buf_equal(const struct buf *a, const struct buf *b)
{
    return a->len == b->len &&
           (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

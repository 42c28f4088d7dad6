/* err.c: see err.h. */
#include "base/err.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

_printf_(2, 0) static void set_text(struct err *err, const char *fmt,
                                    va_list args)
{
    (void)vsnprintf(err->text, sizeof(err->text), fmt, args);
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    set_text(err, fmt, args);
    va_end(args);
    err->kind = kind;
    err->status = 0;
    return -1;
}

int err_exit(struct err *err, int status, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    set_text(err, fmt, args);
    va_end(args);
    err->kind = status == EX_TEMPFAIL || status == EX_UNAVAILABLE ? ERR_RETRY
                                                                  : ERR_REJECT;
    err->status = status;
    return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
    char context[256];
    char text[sizeof(err->text)];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(context, sizeof(context), fmt, args);
    va_end(args);
    memcpy(text, err->text, sizeof(text));
    (void)snprintf(err->text, sizeof(err->text), "%s: %.*s", context,
                   (int)(sizeof(err->text) - strlen(context) - 3), text);
    return -1;
}

void err_clear(struct err *err)
{
    *err = (struct err){.kind = ERR_NONE};
}

void *must_calloc(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (p == NULL) {
        abort();
    }
    return p;
}

char *must_strdup(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL) {
        abort();
    }
    return copy;
}

char *must_vprintf(const char *fmt, va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, fmt, args) < 0) {
        abort();
    }
    return text;
}

char *must_printf(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    char *text = must_vprintf(fmt, args);
    va_end(args);
    return text;
}

/*
 * err.h: what went wrong, and what whoever called may do about it.
 *
 * Every function that can fail for a reason outside this program takes a
 * `struct err *` last and returns 0 or -1 (or a pointer or NULL). On failure
 * the text says what was tried on which thing; the kind says what helps:
 * RETRY: the same again, later; REJECT: this input is bad and stays bad;
 * FATAL: this process can't go on. common/ neither logs nor exits; an error is
 * told once, by whoever gives up. `status` is what a person's tool exits with
 * (sysexits.h), 0 where the kind says enough.
 */
#pragma once

#include <stdarg.h>

#include "base/cleanup.h"

enum err_kind { ERR_NONE, ERR_RETRY, ERR_REJECT, ERR_FATAL };

struct err {
    enum err_kind kind;
    int status;
    char text[600];
};

/* Sets kind and text; always returns -1, so that callers can return it. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
    _printf_(3, 4);

/* The same with the exit status (sysexits.h) that a person's tool ends with. */
int err_exit(struct err *err, int status, const char *fmt, ...) _printf_(3, 4);

/* Puts "<context>: " before the text that is there; always returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) _printf_(2, 3);

/* Back to "nothing went wrong". */
void err_clear(struct err *err);

/*
 * For small fixed sizes, where being out of memory is the end: calloc, strdup
 * and memdup that abort(). What input can size must not use them.
 */
void *must_calloc(size_t n, size_t size);
char *must_strdup(const char *text);
char *must_printf(const char *fmt, ...) _printf_(1, 2);
char *must_vprintf(const char *fmt, va_list args) _printf_(1, 0);

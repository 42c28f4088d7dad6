/*
 * utf8.h: is this text?
 *
 * RFC 3629, strictly: no overlong forms, no surrogates, nothing beyond
 * U+10FFFF. A NUL is a character like others here; who wants none looks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* True when these bytes are UTF-8 from the first to the last. */
bool utf8_is_good(const void *bytes, size_t n);

/* True when a text holds a control byte (below 0x20, or 0x7f) that is not
 * among the allowed ones. */
bool has_control(const char *text, const char *allowed);

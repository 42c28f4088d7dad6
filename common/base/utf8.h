/*
 * utf8.h: is this text?
 *
 * RFC 3629, strictly: no overlong forms, no surrogates, nothing beyond
 * U+10FFFF. A NUL is a character like others here; who wants none looks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when these bytes are UTF-8 from the first to the last. */
bool utf8_is_good(const void *bytes, size_t n);

/* The length of the character that stands first, and which; 0: none does. */
size_t utf8_first(const void *bytes, size_t n, uint32_t *ret_character);

/* False for what a reader does not see as itself: controls, spaces of no width,
 * directional marks, line separators, tags, private use, noncharacters. */
bool utf8_is_shown(uint32_t character);

/* What a reader sees of any text, as good UTF-8: each byte of everything else
 * is \xNN. The caller's to free. */
char *utf8_shown(const char *text);

/* The characters of good UTF-8. */
size_t utf8_length(const char *text);

/* True when a text holds a control byte (below 0x20, or 0x7f) that is not
 * among the allowed ones. */
bool has_control(const char *text, const char *allowed);

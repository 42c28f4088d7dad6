/*
 * wrap.h: texts as lines that fit a terminal.
 *
 * Columns are counted as terminals do: a wide character takes two, a combining
 * one none. A word that is longer than a line is left whole, so that it can be
 * copied.
 */
#pragma once

#include "base/buf.h"

/* In a text: a space at which no line is broken. */
#define WRAP_JOIN '\x1f'

/* Appends the words of a text (good UTF-8, of one paragraph) in lines of at
 * most `width` columns; the first opens with `first`, which fills its `indent`,
 * the others with `indent` spaces. How many lines a terminal of that width
 * shows for it. */
size_t wrap_add(struct buf *out, const char *first, const char *text,
                size_t indent, size_t width);

/* The columns that a text takes. */
size_t wrap_columns(const char *text, size_t bytes);

/* The text, or its beginning and "..." where it takes more columns than that;
 * the caller's to free. */
char *wrap_clip(const char *text, size_t columns);

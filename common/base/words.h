/*
 * words.h: enums whose values have names on the wire, in files and on screens.
 *
 * Value 0 means "none" and has no word; value i has the i-th. One table serves
 * reading, writing and the text of "expected one of …".
 */
#pragma once

#include <stddef.h>

struct words {
    size_t n;
    const char *const *list; /* list[0] is unused */
};

/* Defines `struct words NAME` from the words of the values 1, 2, … */
#define WORDS(name, ...)                                          \
    static const char *const name##_list[] = {NULL, __VA_ARGS__}; \
    const struct words name = {                                   \
        .n = sizeof(name##_list) / sizeof(name##_list[0]),        \
        .list = name##_list,                                      \
    }

/* The value of a word; 0 where there is none. */
int word_value(const struct words *words, const char *word);

/* The word of a value; "-" for 0 and for what is out of range. */
const char *word_text(const struct words *words, int value);

/* The same for people, "timed out"; the caller's to free. */
char *word_spoken(const struct words *words, int value);

/* "a, b or c", the caller's to free. */
char *words_join(const struct words *words);

/*
 * table.h: tables of cases in text files, for unit tests.
 *
 * A line is a case: `name | given | event | expected reason…`; the middle
 * columns are `key=value` words, the event's first word is its name. Blank
 * lines and those that begin with # are passed over.
 */
#pragma once

#include <stdint.h>

#define CELLS_MAX 12

struct cells {
    const char *first; /* the first word that has no =; "" */
    size_t n;
    const char *keys[CELLS_MAX];
    const char *values[CELLS_MAX];
};

struct line {
    int number;
    const char *name;
    struct cells given;
    struct cells event;
    const char *expected; /* the last column's first word … */
    const char *reason;   /* … and the rest; "" */
};

/* Calls for each case; fails the test on a line that is none. How many. */
int table_each(const char *path, void (*on_line)(const struct line *line));

/* The value of a key, or what stands for its absence. */
const char *cell_text(const struct cells *cells, const char *key,
                      const char *otherwise);
int64_t cell_number(const struct cells *cells, const char *key,
                    int64_t otherwise);

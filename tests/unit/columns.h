/*
 * columns.h: text tables whose cells are any bytes: columns parted by " |".
 *
 * Empty lines, '#' alone and those that begin with '# ' are passed over. In a
 * cell \n, \t, \r, \s (a space), \| and \xHH stand for bytes; "-" alone is an
 * empty one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define COLUMNS_MAX 24

struct columns {
    const char *path;
    FILE *file;
    size_t line;
    char text[16384];
    char *cells[COLUMNS_MAX]; /* NULL from n on */
    size_t n;
};

/* Opens a table, given from the top of the repository; fails the test. */
void columns_open(struct columns *columns, const char *path);

/* The next row; false, with the file closed, at the end. */
bool columns_next(struct columns *columns);

/* The next row whose first cell is this word. */
bool columns_next_of(struct columns *columns, const char *word);

/* The bytes of a cell that holds hex; fails the test. Returns how many. */
size_t unhex(const char *cell, unsigned char *out, size_t size);

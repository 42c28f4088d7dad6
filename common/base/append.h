/*
 * append.h: a line at the end of a file, whole or not at all.
 *
 * A full disk may take a part of a line, and then not even let go of it. What
 * stands behind the last newline is therefore no line, in nobody's eyes, and is
 * cut off before the next is added: nothing is ever glued to it. For a file
 * that others add to, too, hold its lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where the last whole line ends, of a file that can be read. -1: errno. */
off_t append_end(int fd);

/* Cuts what is behind `end`, and adds a line (or several) there; `sync`: it is
 * on the disk then. -1: errno, and it is not in the file, or is cut off by the
 * next. */
int append_line(int fd, off_t end, const void *line, size_t n, bool sync);

/* Room on the disk for n bytes behind `end`, which nothing but this file gets
 * then, until it is cut; the file stays as long as it is. Where there is
 * no such thing (a file system's, a filter's): 0, and nothing. -1: errno, the
 * disk's. */
int append_reserve(int fd, off_t end, off_t n);

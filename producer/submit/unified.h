/*
 * unified.h: what changed between two texts, line by line, as `diff -u` tells
 * it and `patch` takes it. Pure.
 *
 * Myers' greedy algorithm ("An O(ND) Difference Algorithm and Its Variations",
 * 1986), between what both texts begin and end with. Texts that differ in more
 * than UNIFIED_EDITS lines are told as one block that goes and one that comes:
 * still right, only longer.
 */
#pragma once

#include "base/buf.h"

#define UNIFIED_EDITS 1000

struct unified_side {
    const char *label; /* behind --- and +++; one line */
    const struct buf *text;
};

/* Appends nothing where the texts are the same. Lines go out as they are, byte
 * for byte. -1: out of memory. */
int unified_diff(const struct unified_side *old, const struct unified_side *new,
                 struct buf *out);

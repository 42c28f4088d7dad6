/*
 * pager.h: what is longer than the screen, for a person to go through: by
 * $PAGER, or less.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct pager {
    FILE *out;
    pid_t pid;
    void (*interrupt)(int); /* what Ctrl-C did before */
};

/* False: so many lines fit on the screen, or there is no pager ($PAGER is empty
 * or `cat`, or can't be started). Until it is closed Ctrl-C is the pager's. */
bool pager_open(struct pager *pager, size_t lines);

/* Waits until they have seen enough. False: it showed nothing (there is no such
 * program): what was written is still to be shown. */
bool pager_close(struct pager *pager);

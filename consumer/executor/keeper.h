/*
 * keeper.h: the process above one child, as long as anything of it is alive.
 *
 * A keeper is forked from the spawner, makes the child, and waits. What loses
 * its parent below it comes to it, so it sees the whole tree, and its own end
 * says that nothing of that is left. It ends the tree (TERM, grace, KILL) when
 * it is asked to (TERM), when the timeout passes, and at once (QUIT) when the
 * spawner is gone; what the child leaves behind it ends, too. Before it ends it
 * writes what became of the child into a pipe.
 */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "model/result.h"

#define KEEPER_ASK SIGTERM     /* to a keeper: end it, with grace */
#define KEEPER_AT_ONCE SIGQUIT /* end it without */

struct ending {
    int status; /* as of waitpid() */
    bool timed_out;
    bool asked; /* it was ended since somebody asked */
    struct usage usage;
};

struct keeping {
    pid_t parent;       /* whose end is the tree's end */
    int64_t timeout_at; /* by clock_steady() */
    int report;         /* to write the ending to */
    int group;          /* cgroup.h; -1: none */
    /* In the child, which it becomes: does not return. */
    void (*run)(const void *child, pid_t keeper);
    void (*leave)(
        void *child); /* what is the child's, or the spawner's, alone */
    void (*clean)(const void *child); /* once nothing of it is alive */
    void *child;
};

/* In the process that was forked to be it. The keeper's signals are blocked
 * since before that. */
_Noreturn void keeper_keep(const struct keeping *keeping);

/* Its signals, to be blocked before it is forked. */
void keeper_signals(sigset_t *ret_set);

/* What a keeper that has ended wrote; false: it was killed, and what it kept
 * has come to the spawner. */
bool keeper_report(int pipe, struct ending *ret_ending);

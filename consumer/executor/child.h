/*
 * child.h: one child: how it is made, and how nothing of it is left.
 *
 * A child runs as whom its command asks for and this host allows, below a
 * keeper (keeper.h), in a session and a process group of its own, with the
 * limits of its command, a private directory as its working directory, HOME and
 * TMPDIR, nothing on standard input, and an environment that is built anew:
 * nothing is inherited. Its script is sealed in memory and run from there, so
 * that nobody can change it, by the interpreter that its first line names and
 * this host allows. Values arrive as ERRAND_PARAM_<NAME>.
 */
#pragma once

#include "consumer/executor/keeper.h"
#include "consumer/executor/permitted.h"
#include "trust/proof.h"

#define EXIT_CANT_EXECUTE 126
#define EXIT_NOT_FOUND 127

struct child_plan {
    struct id execution;
    int64_t attempt;
    const char *target;
    const char *directory; /* below which its private one is made */
    const char *cgroups;   /* cgroup.h's base; NULL: none */
    const struct permitted *permitted;
    const struct order *order;
    int64_t timeout_at;    /* by the steady clock */
    int64_t start_by;      /* by it, too; and these two are */
    int64_t expires;       /* looked at last of all */
    struct list *secrets;  /* struct opened; and the keys that opened them: */
    struct key_pair *keys; /* what no keeper holds */
    int out;               /* to write its output to */
    int err;
    int link; /* the spawner's, which no keeper holds */
};

/* Makes the private directory, the keeper and the child. `ret_report` is for
 * keeper_report(), and the caller's. REJECT: could not, and nothing of it was
 * run. */
int child_start(const struct child_plan *plan, pid_t *ret_keeper,
                int *ret_report, struct err *err);

/* Removes the private directory, for so many ms, and its group. The last that
 * tries: what stays is told on standard error. */
void child_clean(const char *directory, const char *cgroups,
                 const struct id *execution, int64_t patience);

/*
 * child.h: one child: how it is made, and how nothing of it is left.
 *
 * A child has a session and a process group of its own, a private directory as
 * its working directory, HOME and TMPDIR, nothing on standard input, and an
 * environment that is built anew: nothing is inherited. Its script is sealed in
 * memory and run from there, so that nobody can change it; the interpreter is
 * the one that its first line names. Values arrive as ERRAND_PARAM_<NAME>.
 */
#pragma once

#include <sys/types.h>

#include "trust/proof.h"

#define EXIT_CANT_EXECUTE 126
#define EXIT_NOT_FOUND 127

struct child_plan {
    struct id execution;
    int64_t attempt;
    const char *target;
    const char *directory; /* below which its private one is made */
    const struct order *order;
    const struct list *secrets; /* struct opened */
    int64_t start_by;           /* by the steady clock: looked at last of all */
    int out;                    /* to write its output to */
    int err;
};

/* Makes the private directory and the child. REJECT: could not, and nothing of
 * it was run. */
int child_start(const struct child_plan *plan, pid_t *ret_pid, struct err *err);

/* Sends a signal to all of its group. */
void child_signal(pid_t pid, int signal);

/* KILLs whatever is left of an execution, in its group or out of it, that this
 * process may kill; true once nothing is left. */
bool child_gone(pid_t pid, const struct id *execution);

/* KILLs every process that bears the execution in its environment; returns how
 * many there were. For what an earlier life left running. */
int child_sweep(const struct id *execution);

/* Removes the private directory. */
void child_clean(const char *directory, const struct id *execution);

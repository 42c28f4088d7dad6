/*
 * masker.h: a process between a child with secrets and whoever tells its
 * output, which hides them (mask.h).
 *
 * The half of the executor that tells output must not know a secret, and the
 * one that knows it must not read output: so each execution that has secrets
 * gets a process of its own in between, made by the spawner like the child. It
 * holds these secrets and four pipes, and nothing else, and is confined as the
 * half that tells output is (confine.h). It ends when the
 * child's ends of its pipes are closed and all that came was passed on; by
 * TERM, when what came up to then was; and with its spawner.
 */
#pragma once

#include <sys/types.h>

#include "base/account.h"
#include "trust/keys.h"

struct masker_plan {
    const struct list *secrets; /* struct opened */
    struct key_pair *keys;      /* which it forgets */
    const struct account *user; /* as whom it runs; NULL: as we do */
    int out;                    /* where to write what it lets through */
    int err;
};

struct masker {
    pid_t pid; /* 0: none, since there is nothing to hide */
    int out;   /* for the child to write to; -1: none */
    int err;
};

/* Without secrets it makes none. REJECT: it can't be made. */
int masker_start(const struct masker_plan *plan, struct masker *ret_masker,
                 struct err *err);

/* Closes the ends that the child got. */
void masker_close(struct masker *masker);
#define _cleanup_masker_ _cleanup_(masker_close)

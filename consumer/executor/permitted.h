/*
 * permitted.h: what this host allows, by its own configuration: as whom
 * something runs here, and by which interpreters. A command that an
 * administrator signed can ask for nothing beyond it.
 *
 * It is read at start and at each SIGHUP, users' numbers and groups with it, by
 * the spawner itself: nothing in a message changes it. As an ordinary user, an
 * executor works for that user alone; as root, for those that it is told of,
 * and for root only if that is one of them.
 */
#pragma once

#include "base/account.h"
#include "io/config.h"
#include "model/command.h"

struct permitted {
    bool root;                      /* it could become somebody else */
    struct list accounts;           /* struct account; not root: itself alone */
    const struct account *standard; /* for who asks for nobody; or NULL */
    struct list interpreters;       /* char *: absolute paths */
    int64_t slots;                  /* executions at once */
};

struct interpreter { /* both borrowed */
    const char *path;
    char argument[256]; /* one, as the kernel has it; empty: none */
};

/* [run_as] and [interpreters]. -1: status 78, and names what is wrong. */
int permitted_read(const struct config *config, struct permitted *ret_permitted,
                   struct err *err);
void permitted_done(struct permitted *permitted);

/* As whom a command runs here; -1: REJECT. */
int permitted_account(const struct permitted *permitted, const char *run_as,
                      const struct account **ret_account, struct err *err);

/* By what: its first line's, if that is allowed. `#!/usr/bin/env NAME` is the
 * first one allowed that is called NAME: nothing is looked for in PATH. -1:
 * REJECT. */
int permitted_interpreter(const struct permitted *permitted,
                          const struct buf *script,
                          struct interpreter *ret_interpreter, struct err *err);

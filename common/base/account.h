/*
 * account.h: users of this host, and becoming one of them.
 *
 * A name is looked up once, with all its groups, before anything is taken from
 * strangers: becoming needs no name service any more, and can be done between
 * fork() and execve(). So a user whose numbers change is another one after a
 * restart, or a SIGHUP to who reads its configuration again then.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct account {
    char *name;
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* all of them, gid too */
    int n_groups;
};

/* REJECT, status 78: there is no such user, or it is another name of root.
 * RETRY, status 75: whoever knows (a name service) could not be asked. */
int account_find(const char *name, struct account *ret_account,
                 struct err *err);

/* Who this process is; under its number where that has no name. */
void account_self(struct account *ret_account);

void account_done(struct account *account);

/* What the descriptor is open on becomes its own; NULL: stays ours. */
bool account_give(const struct account *account, int fd);

/* Makes a file of its own in a directory where none is of that name yet; false:
 * errno says why, and there may be half of one. */
bool account_put(const struct account *account, int directory, const char *name,
                 mode_t mode, const struct buf *bytes);

/* Groups, then gid, then uid, for good; each is read back. NULL, or which of
 * them did not come true (errno may say why). Allocates nothing. */
const char *account_become(const struct account *account);

/* account.c: see account.h. */
#include "base/account.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define GROUPS_MAX 65536 /* NGROUPS_MAX of Linux */

static int read_groups(struct account *account, struct err *err)
{
    int n = 16;

    account->groups = must_calloc((size_t)n, sizeof(gid_t));
    while (getgrouplist(account->name, account->gid, account->groups, &n) < 0) {
        if (n > GROUPS_MAX) {
            return err_exit(err, EX_CONFIG, "user '%.80s': too many groups",
                            account->name);
        }
        free(account->groups);
        account->groups = must_calloc((size_t)n, sizeof(gid_t));
    }
    account->n_groups = n;
    return 0;
}

/* Each means that nobody has that name (getpwnam(3)). */
static bool is_nobody(int error)
{
    return error == 0 || error == ENOENT || error == ESRCH || error == EBADF ||
           error == EPERM;
}

int account_find(const char *name, struct account *ret_account, struct err *err)
{
    struct account account = {0};

    errno = 0;
    const struct passwd *found = getpwnam(name);
    if (found == NULL) {
        return is_nobody(errno)
                   ? err_exit(err, EX_CONFIG,
                              "user '%.80s': there is none of that name on "
                              "this host",
                              name)
                   : err_exit(err, EX_TEMPFAIL, "user '%.80s': %s", name,
                              strerror(errno));
    }
    if (found->pw_uid == 0 && strcmp(name, "root") != 0) {
        return err_exit(err, EX_CONFIG,
                        "user '%.80s' is another name of root: say root where "
                        "it is meant",
                        name);
    }
    account.name = must_strdup(name);
    account.uid = found->pw_uid;
    account.gid = found->pw_gid;
    if (read_groups(&account, err) != 0) {
        account_done(&account);
        return -1;
    }
    *ret_account = account;
    return 0;
}

void account_self(struct account *ret_account)
{
    const struct passwd *found = getpwuid(geteuid());

    *ret_account = (struct account){
        .name = found == NULL ? must_printf("%u", (unsigned)geteuid())
                              : must_strdup(found->pw_name),
        .uid = geteuid(),
        .gid = getegid()};
}

void account_done(struct account *account)
{
    free(account->name);
    free(account->groups);
    *account = (struct account){0};
}

bool account_give(const struct account *account, int fd)
{
    return account == NULL || fchown(fd, account->uid, account->gid) == 0;
}

bool account_put(const struct account *account, int directory, const char *name,
                 mode_t mode, const struct buf *bytes)
{
    _cleanup_close_ int fd =
        openat(directory, name,
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

    errno = fd < 0 ? errno : ENOSPC; /* what a write by half means */
    return fd >= 0 && fchmod(fd, mode) == 0 &&
           write(fd, buf_text(bytes), bytes->len) == (ssize_t)bytes->len &&
           account_give(account, fd);
}

static bool has_group(const struct account *account, gid_t gid)
{
    for (int i = 0; i < account->n_groups; i++) {
        if (account->groups[i] == gid) {
            return true;
        }
    }
    return false;
}

/* The kernel sorts them: as many, and each one of ours. */
static bool groups_are(const struct account *account)
{
    gid_t there[256];
    int n = getgroups(0, NULL);

    if (n != account->n_groups || n > (int)ARRAY_SIZE(there)) {
        return n == account->n_groups; /* so many: the number must do */
    }
    n = getgroups(n, there);
    for (int i = 0; i < n; i++) {
        if (!has_group(account, there[i])) {
            return false;
        }
    }
    return n == account->n_groups;
}

static bool gid_is(gid_t gid)
{
    gid_t real;
    gid_t effective;
    gid_t saved;

    return getresgid(&real, &effective, &saved) == 0 && real == gid &&
           effective == gid && saved == gid;
}

/* And no way back. */
static bool uid_is(uid_t uid)
{
    uid_t real;
    uid_t effective;
    uid_t saved;

    return getresuid(&real, &effective, &saved) == 0 && real == uid &&
           effective == uid && saved == uid &&
           (uid == 0 || setresuid(0, 0, 0) != 0);
}

const char *account_become(const struct account *account)
{
    size_t n = (size_t)account->n_groups;

    if (setgroups(n, account->groups) != 0 || !groups_are(account)) {
        return "its groups";
    }
    if (setresgid(account->gid, account->gid, account->gid) != 0 ||
        !gid_is(account->gid)) {
        return "its group";
    }
    if (setresuid(account->uid, account->uid, account->uid) != 0 ||
        !uid_is(account->uid)) {
        return "its user";
    }
    return NULL;
}

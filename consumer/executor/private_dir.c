/* private_dir.c: see private_dir.h. */
#include "consumer/executor/private_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "consumer/executor/given_files.h"
#include "model/attachment.h"

#define PATIENCE 1000 /* ms, for what was just made */

char *private_path(const char *directory, const struct id *execution)
{
    char id[ID_TEXT];

    id_format(execution, id);
    return must_printf("%s/%s", directory, id);
}

static int cant(const char *what, struct err *err)
{
    return err_set(err, ERR_REJECT, "%s: %s", what, strerror(errno));
}

/* Into the private directory, where nothing else is yet. Its name was signed;
 * it is looked at once more where it is used. */
static int put_file(int directory, const struct attachment *file,
                    const struct account *account, struct err *err)
{
    mode_t mode = file->executable ? 0700 : 0600;

    if (!attachment_name_is_good(file->name)) {
        return err_set(err, ERR_REJECT,
                       "a file that comes with it has a folder in its name");
    }
    return account_put(account, directory, file->name, mode, &file->data)
               ? 0
               : cant("a file that comes with it can't be put there", err);
}

static int fill(const char *path, const struct order *order,
                const struct account *account, struct err *err)
{
    const struct list *files = &order->command->files;
    _cleanup_close_ int fd =
        open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return cant(path, err);
    }
    for (size_t i = 0; i < files->n; i++) {
        if (put_file(fd, &list_at(files, struct attachment, i), account, err) !=
            0) {
            return -1;
        }
    }
    if (given_files_put(fd, order, account, err) != 0) {
        return -1;
    }
    /* Last: from here on somebody else may change what is in it. */
    return account_give(account, fd) ? 0 : cant(path, err);
}

int private_make(const char *path, const struct order *order,
                 const struct account *account, struct err *err)
{
    if (mkdir(path, 0700) != 0) {
        return cant(path, err);
    }
    if (fill(path, order, account, err) != 0) {
        private_remove(path, PATIENCE);
        return -1;
    }
    return 0;
}

/* Removing */

struct removal {
    int top;
    unsigned names; /* given to what came up to it */
    int64_t until;  /* by the steady clock */
};

static bool is_late(const struct removal *removal)
{
    return clock_steady() > removal->until;
}

/* For files alone, and for us alone: nobody can signal or trace us for it, as
 * they could if we became somebody else (setfsuid(2)). */
static bool act_as(uid_t uid, gid_t gid)
{
    (void)setfsgid(gid);
    (void)setfsuid(uid);
    return setfsgid((gid_t)-1) == (int)gid && setfsuid((uid_t)-1) == (int)uid;
}

/* A directory below: no link, and on no other mount. */
static int open_below(int directory, const char *name)
{
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
        .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH};
    int fd = (int)syscall(SYS_openat2, directory, name, &how, sizeof(how));

    if (fd < 0 && errno == EACCES) { /* closed to its owner */
        (void)!fchmodat(directory, name, 0700, 0);
        fd = (int)syscall(SYS_openat2, directory, name, &how, sizeof(how));
    }
    return fd;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Takes the descriptor. */
static DIR *list_take(int directory)
{
    DIR *entries = fdopendir(directory);

    if (entries == NULL && directory >= 0) {
        (void)close(directory);
    }
    return entries;
}

/* To move a directory is to write to it: it may be closed to its owner, too. */
static bool move_up(struct removal *removal, int directory, const char *name)
{
    char to[32];

    (void)snprintf(to, sizeof(to), ".errand-%u", removal->names++);
    if (renameat(directory, name, removal->top, to) == 0) {
        return true;
    }
    return errno == EACCES && fchmodat(directory, name, 0700, 0) == 0 &&
           renameat(directory, name, removal->top, to) == 0;
}

/* Empties a directory that stands in the top one: its files go, and its
 * directories move up. So no depth needs more descriptors, or stack. Returns
 * how many did. */
static size_t flatten_take(struct removal *removal, int directory)
{
    (void)fchmod(directory, 0700);
    DIR *entries = list_take(directory);
    size_t done = 0;

    for (struct dirent *d;
         entries && (d = readdir(entries)) != NULL && !is_late(removal);) {
        done += !is_dots(d->d_name) &&
                (unlinkat(dirfd(entries), d->d_name, 0) == 0 ||
                 move_up(removal, dirfd(entries), d->d_name));
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    return done;
}

static size_t remove_entry(struct removal *removal, const char *name)
{
    int top = removal->top;

    if (unlinkat(top, name, 0) == 0 || unlinkat(top, name, AT_REMOVEDIR) == 0) {
        return 1;
    }
    int below = open_below(top, name);
    size_t done = below < 0 ? 0 : flatten_take(removal, below);
    return done + (unlinkat(top, name, AT_REMOVEDIR) == 0);
}

/* How much was removed or brought up. */
static size_t remove_round(struct removal *removal)
{
    DIR *entries = list_take(openat(removal->top, ".", O_RDONLY | O_CLOEXEC));
    size_t done = 0;

    for (struct dirent *d;
         entries && (d = readdir(entries)) != NULL && !is_late(removal);) {
        done += is_dots(d->d_name) ? 0 : remove_entry(removal, d->d_name);
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    return done;
}

/* With no more rights than its owner's, who may have moved there what they
 * could not remove. True: some of it went. */
static bool remove_some(struct removal *removal)
{
    struct stat about;
    bool root = geteuid() == 0;

    if (fstat(removal->top, &about) != 0) {
        return false;
    }
    bool some = (!root || act_as(about.st_uid, about.st_gid)) &&
                remove_round(removal) > 0;
    return (!root || act_as(0, getegid())) && some;
}

void private_remove(const char *path, int64_t patience)
{
    if (rmdir(path) == 0 || errno == ENOENT) { /* usually it is empty */
        return;
    }
    _cleanup_close_ int top =
        open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct removal removal = {.top = top, .until = clock_steady() + patience};

    if (top < 0) {
        return;
    }
    (void)fchmod(top, 0700);
    while (!is_late(&removal) && remove_some(&removal) && rmdir(path) != 0) {
    }
}

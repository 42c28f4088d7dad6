/* private_dir.c: see private_dir.h. */
#include "consumer/executor/private_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "consumer/executor/given_files.h"
#include "model/attachment.h"

#define ROUNDS_MAX 1000000 /* a level each; somebody may go on filling it */

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
    _cleanup_close_ int fd =
        openat(directory, file->name,
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

    errno = fd < 0 ? errno : ENOSPC; /* what a write by half means */
    return fd >= 0 && fchmod(fd, mode) == 0 &&
                   write(fd, file->data.data, file->data.len) ==
                       (ssize_t)file->data.len &&
                   account_give(account, fd)
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
        private_remove(path);
        return -1;
    }
    return 0;
}

/* Removing */

/* A directory below: no link, and on no other mount. */
static int open_below(int directory, const char *name)
{
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
        .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH};
    int fd = (int)syscall(SYS_openat2, directory, name, &how, sizeof(how));

    if (fd < 0 && errno == EACCES && geteuid() != 0) { /* closed to its owner */
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

/* Empties a directory that stands in `top`: its files go, and its directories
 * move up to `top`. So no depth needs more descriptors, or stack. Returns how
 * many did. */
static size_t flatten_take(int top, int directory, unsigned *names)
{
    (void)fchmod(directory, 0700);
    DIR *entries = list_take(directory);
    size_t done = 0;

    for (struct dirent *d; entries && (d = readdir(entries)) != NULL;) {
        char name[32];
        (void)snprintf(name, sizeof(name), ".errand-%u", (*names)++);
        done += !is_dots(d->d_name) &&
                (unlinkat(dirfd(entries), d->d_name, 0) == 0 ||
                 renameat(dirfd(entries), d->d_name, top, name) == 0);
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    return done;
}

static size_t remove_entry(int top, const char *name, unsigned *names)
{
    if (unlinkat(top, name, 0) == 0 || unlinkat(top, name, AT_REMOVEDIR) == 0) {
        return 1;
    }
    int below = open_below(top, name);
    size_t done = below < 0 ? 0 : flatten_take(top, below, names);
    return done + (unlinkat(top, name, AT_REMOVEDIR) == 0);
}

/* How much was removed or brought up. */
static size_t remove_round(int top, unsigned *names)
{
    DIR *entries = list_take(openat(top, ".", O_RDONLY | O_CLOEXEC));
    size_t done = 0;

    for (struct dirent *d; entries && (d = readdir(entries)) != NULL;) {
        done += is_dots(d->d_name) ? 0 : remove_entry(top, d->d_name, names);
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    return done;
}

void private_remove(const char *path)
{
    _cleanup_close_ int top =
        open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    unsigned names = 0;

    if (top < 0) {
        return;
    }
    (void)fchmod(top, 0700);
    for (int round = 0; round < ROUNDS_MAX && rmdir(path) != 0; round++) {
        if (remove_round(top, &names) == 0) {
            return;
        }
    }
}

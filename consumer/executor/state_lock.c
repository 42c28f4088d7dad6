/* state_lock.c: see state_lock.h. */
#include "consumer/executor/state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/cleanup.h"

#define LOCK_AGAIN 20  /* ms between tries, */
#define LOCK_TRIES 100 /* and how many */

static char *lock_path(const char *directory)
{
    return must_printf("%s/lock", directory);
}

int state_lock(const char *directory, struct err *err)
{
    _cleanup_free_ char *path = lock_path(directory);
    _cleanup_close_ int lock =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (lock < 0) {
        return err_set(err, ERR_FATAL, "%s: %s", path, strerror(errno));
    }
    /* The spawner of a life that was killed needs a moment to end. */
    for (int tries = LOCK_TRIES; flock(lock, LOCK_EX | LOCK_NB) != 0;) {
        if (--tries > 0) {
            (void)poll(NULL, 0, LOCK_AGAIN);
            continue;
        }
        return err_set(err, ERR_FATAL,
                       "%s: another executor lives on this "
                       "state directory",
                       directory);
    }
    return take_fd(lock);
}

int state_lock_check(const char *directory, int lock, struct err *err)
{
    _cleanup_free_ char *path = lock_path(directory);
    struct stat held;
    struct stat wanted;

    return fstat(lock, &held) == 0 && stat(path, &wanted) == 0 &&
                   held.st_dev == wanted.st_dev &&
                   held.st_ino == wanted.st_ino &&
                   flock(lock, LOCK_EX | LOCK_NB) == 0
               ? 0
               : err_exit(err, EX_CONFIG,
                          "%s: not the lock that it was started with", path);
}

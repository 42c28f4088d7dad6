/* file.c: see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static int read_all(int fd, const char *path, size_t max, struct buf *out,
                    struct err *err)
{
    size_t before = out->len;

    for (;;) {
        if (buf_reserve(out, 65536) != 0) {
            return err_set(err, ERR_RETRY, "%s: out of memory", path);
        }
        ssize_t got = read(fd, out->data + out->len, 65536);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return err_exit(err, EX_NOINPUT, "%s: %s", path, strerror(errno));
        }
        out->len += (size_t)got;
        out->data[out->len] = '\0';
        if (got == 0) {
            return 0;
        }
        if (out->len - before > max) {
            return err_exit(err, EX_DATAERR, "%s: over %zu bytes", path, max);
        }
    }
}

static int read_file(const char *path, size_t max, mode_t refused,
                     struct buf *out, struct err *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat about;

    if (fd < 0 || fstat(fd, &about) != 0) {
        return err_exit(err, EX_NOINPUT, "%s: %s", path, strerror(errno));
    }
    if ((about.st_mode & refused) != 0) {
        return err_exit(err, EX_NOINPUT,
                        "%s: others may read or change this "
                        "secret; try: chmod 600 %s",
                        path, path);
    }
    return read_all(fd, path, max, out, err);
}

int file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
    return read_file(path, max, 0, out, err);
}

int file_read_private(const char *path, size_t max, struct buf *out,
                      struct err *err)
{
    return read_file(path, max, S_IRWXG | S_IRWXO, out, err);
}

static int write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t wrote = write(fd, bytes, n);
        if (wrote < 0 && errno != EINTR) {
            return -1;
        }
        if (wrote > 0) {
            bytes += wrote;
            n -= (size_t)wrote;
        }
    }
    return 0;
}

int directory_sync(const char *path)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -1 : fsync(fd);
}

static int sync_directory_of(const char *path)
{
    _cleanup_free_ char *copy = must_strdup(path);
    char *slash = strrchr(copy, '/');

    if (slash != NULL) {
        slash[slash == copy] = '\0';
    }
    return directory_sync(slash == NULL ? "." : copy);
}

int file_write(const char *path, const void *bytes, size_t n, mode_t mode,
               bool replace, struct err *err)
{
    _cleanup_free_ char *beside = must_printf("%s.new-%d", path, getpid());
    _cleanup_close_ int fd = open(
        beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    int failed = fd < 0 || fchmod(fd, mode) != 0 ||
                 write_all(fd, bytes, n) != 0 || fsync(fd) != 0;

    if (!failed && replace) {
        failed = rename(beside, path) != 0;
    } else if (!failed) {
        failed = link(beside, path) != 0;
    }
    if (failed || sync_directory_of(path) != 0) {
        (void)err_exit(err, EX_IOERR, "%s: %s", path,
                       errno == EEXIST ? "is there already; it stays as it is"
                                       : strerror(errno));
        (void)unlink(beside);
        return -1;
    }
    if (!replace) {
        (void)unlink(beside);
    }
    return 0;
}

int file_put(const char *path, const void *bytes, size_t n, mode_t mode,
             struct err *err)
{
    _cleanup_free_ char *beside = must_printf("%s.new-%d", path, getpid());
    _cleanup_close_ int fd = open(
        beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);

    if (fd < 0 || fchmod(fd, mode) != 0 || write_all(fd, bytes, n) != 0 ||
        rename(beside, path) != 0) {
        (void)err_exit(err, EX_IOERR, "%s: %s", path, strerror(errno));
        (void)unlink(beside);
        return -1;
    }
    return 0;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

int directory_make(const char *path, struct err *err)
{
    _cleanup_free_ char *copy = must_strdup(path);

    for (char *slash = copy + 1;; slash++) {
        if (*slash != '/' && *slash != '\0') {
            continue;
        }
        char was = *slash;
        *slash = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST) {
            return err_exit(err, EX_CANTCREAT, "%s: %s", copy, strerror(errno));
        }
        if (was == '\0') {
            return 0;
        }
        *slash = was;
    }
}

void file_fill_standard(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR | O_NOCTTY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    cleanup_close(&fd);
}

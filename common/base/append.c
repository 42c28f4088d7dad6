/* append.c: see append.h. */
#include "base/append.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 4096

/* Behind the last newline of a piece; 0: there is none. */
static size_t end_within(const char *piece, size_t n)
{
    const char *end = memrchr(piece, '\n', n);

    return end == NULL ? 0 : (size_t)(end + 1 - piece);
}

off_t append_end(int fd)
{
    char piece[PIECE];
    struct stat about;

    if (fstat(fd, &about) != 0) {
        return -1;
    }
    off_t at = about.st_size;
    size_t end = 0;
    size_t n = 1; /* it nearly always ends in one */
    for (; at > 0 && end == 0; n = at < PIECE ? (size_t)at : PIECE) {
        at -= (off_t)n;
        errno = EIO; /* what a read by half means */
        if (pread(fd, piece, n, at) != (ssize_t)n) {
            return -1;
        }
        end = end_within(piece, n);
    }
    return at + (off_t)end;
}

int append_line(int fd, off_t end, const void *line, size_t n, bool sync)
{
    struct stat about;

    if (end < 0 || fstat(fd, &about) != 0 ||
        (about.st_size > end && ftruncate(fd, end) != 0)) {
        return -1;
    }
    errno = ENOSPC; /* what a write by half means */
    if (pwrite(fd, line, n, end) == (ssize_t)n &&
        (!sync || fdatasync(fd) == 0)) {
        return 0;
    }
    int why = errno;
    (void)!ftruncate(fd, end);
    errno = why;
    return -1;
}

int append_reserve(int fd, off_t end, off_t n)
{
    int done = -1;

    errno = EINTR;
    while (done != 0 && errno == EINTR) {
        done = fallocate(fd, FALLOC_FL_KEEP_SIZE, end, n);
    }
    return done == 0 || (errno != ENOSPC && errno != EDQUOT && errno != EIO)
               ? 0
               : -1;
}

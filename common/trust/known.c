/* known.c: see known.h. */
#include "trust/known.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

#define FILE_MAX (512UL << 20)

struct known {
    const struct roots *roots;
    struct standing *standing;
    int fd;
    bool unsynced;
};

const struct standing *known_standing(const struct known *known)
{
    return known->standing;
}

static int read_line(struct known *known, const void *line, size_t n,
                     struct err *err)
{
    _cleanup_revocation_ struct revocation entry = {0};

    return revocation_decode(line, n, &entry, err) != 0 ||
                   revocation_admit(known->standing, known->roots, &entry,
                                    err) < 0
               ? -1
               : 0;
}

/* All whole lines; what is behind the last of them was never answered for. */
static int read_lines(struct known *known, const struct buf *text,
                      size_t *ret_whole, struct err *err)
{
    size_t at = 0;

    while (at < text->len) {
        const unsigned char *line = text->data + at;
        const unsigned char *end = memchr(line, '\n', text->len - at);
        if (end == NULL) {
            break;
        }
        if (read_line(known, line, (size_t)(end - line), err) != 0) {
            return -1;
        }
        at += (size_t)(end - line) + 1;
    }
    *ret_whole = at;
    return 0;
}

/* Under the lock: else what another process adds meanwhile would be cut off. */
static int load_locked(struct known *known, const char *path, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};
    size_t whole = 0;

    if (file_read(path, FILE_MAX, &text, err) != 0 ||
        read_lines(known, &text, &whole, err) != 0) {
        return err_wrap(err,
                        "%s: damaged; what was revoked is not known any "
                        "more: move it away, and it is read anew from the "
                        "revocation log",
                        path);
    }
    return whole == text.len || ftruncate(known->fd, (off_t)whole) == 0
               ? 0
               : err_set(err, ERR_FATAL, "%s: %s", path, strerror(errno));
}

static int load(struct known *known, const char *path, struct err *err)
{
    if (flock(known->fd, LOCK_EX) != 0) {
        return err_set(err, ERR_FATAL, "%s: %s", path, strerror(errno));
    }
    int failed = load_locked(known, path, err);
    (void)flock(known->fd, LOCK_UN);
    return failed;
}

void known_free(struct known *known)
{
    if (known != NULL) {
        cleanup_close(&known->fd);
        standing_free(known->standing);
        free(known);
    }
}

struct known *known_open(const struct roots *roots, const struct hash *init,
                         const char *path, struct err *err)
{
    struct known *known = must_calloc(1, sizeof(*known));

    known->roots = roots;
    known->standing = standing_new(init);
    known->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (known->fd < 0) {
        (void)err_set(err, ERR_FATAL, "%s: %s", path, strerror(errno));
    } else if (load(known, path, err) == 0) {
        return known;
    }
    known_free(known);
    return NULL;
}

static int keep(struct known *known, const struct revocation *entry,
                struct err *err)
{
    _cleanup_buf_ struct buf line = {0};

    if (revocation_encode(&entry->event->envelope, &entry->proof, &line, err) !=
            0 ||
        buf_adds(&line, "\n") != 0) {
        return err_set(err, ERR_FATAL, "out of memory");
    }
    ssize_t n = flock(known->fd, LOCK_EX) != 0
                    ? -1
                    : write(known->fd, line.data, line.len);
    (void)flock(known->fd, LOCK_UN);
    known->unsynced = true;
    return n == (ssize_t)line.len
               ? 0
               : err_set(err, ERR_FATAL, "the revocation log can't be kept: %s",
                         n >= 0 ? "disk full" : strerror(errno));
}

int known_add(struct known *known, const struct revocation *entry,
              struct err *err)
{
    int there = revocation_admit(known->standing, known->roots, entry, err);

    if (there != 0) {
        return there < 0 ? -1 : 0;
    }
    return keep(known, entry, err);
}

int known_sync(struct known *known, struct err *err)
{
    if (known->unsynced && fdatasync(known->fd) != 0) {
        return err_set(err, ERR_FATAL, "the revocation log can't be kept: %s",
                       strerror(errno));
    }
    known->unsynced = false;
    return 0;
}

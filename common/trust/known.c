/* known.c: see known.h. */
#include "trust/known.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/append.h"
#include "base/file.h"

#define FILE_MAX (512UL << 20)

struct known {
    const struct roots *roots;
    struct standing *standing;
    int fd;
    struct buf unkept; /* lines that are still to be written */
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

static int read_lines(struct known *known, const struct buf *text,
                      struct err *err)
{
    for (size_t at = 0; at < text->len;) {
        const unsigned char *line = text->data + at;
        const unsigned char *end = memchr(line, '\n', text->len - at);
        if (read_line(known, line, (size_t)(end - line), err) != 0) {
            return -1;
        }
        at += (size_t)(end - line) + 1;
    }
    return 0;
}

/* All whole lines; what is behind the last of them was never answered for, and
 * is cut off. Under the lock: else that could be what another process is
 * adding. */
static int take_lines(const struct known *known, const char *path,
                      struct buf *ret_text, struct err *err)
{
    if (file_read(path, FILE_MAX, ret_text, err) != 0) {
        return -1;
    }
    const unsigned char *end = memrchr(ret_text->data, '\n', ret_text->len);
    size_t whole = end == NULL ? 0 : (size_t)(end - ret_text->data) + 1;
    if (whole == ret_text->len) {
        return 0;
    }
    ret_text->len = whole;
    return ftruncate(known->fd, (off_t)whole) == 0
               ? 0
               : err_set(err, ERR_FATAL, "%s", strerror(errno));
}

/* Judged without the lock: others wait for it. */
static int load(struct known *known, const char *path, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (flock(known->fd, LOCK_EX) != 0) {
        return err_set(err, ERR_FATAL, "%s: %s", path, strerror(errno));
    }
    int failed = take_lines(known, path, &text, err);
    (void)flock(known->fd, LOCK_UN);
    return failed == 0 && read_lines(known, &text, err) == 0
               ? 0
               : err_wrap(err,
                          "%s: damaged; what was revoked is not known any "
                          "more: move it away, and it is read anew from the "
                          "revocation log",
                          path);
}

void known_free(struct known *known)
{
    if (known != NULL) {
        cleanup_close(&known->fd);
        buf_done(&known->unkept);
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

/* All or nothing: others add theirs behind it. Sets errno. */
static int add_lines(const struct known *known, const struct buf *lines)
{
    if (flock(known->fd, LOCK_EX) != 0) {
        return -1;
    }
    int done = append_line(known->fd, append_end(known->fd), lines->data,
                           lines->len, false);
    int why = errno;
    (void)flock(known->fd, LOCK_UN);
    errno = why;
    return done;
}

static int cant_keep(enum err_kind kind, struct err *err)
{
    return err_set(err, kind, "the revocation log can't be kept: %s",
                   strerror(errno));
}

int known_write(struct known *known, struct err *err)
{
    if (known->unkept.len == 0) {
        return 0;
    }
    if (add_lines(known, &known->unkept) != 0) {
        return cant_keep(ERR_RETRY, err);
    }
    buf_clear(&known->unkept);
    known->unsynced = true;
    return 0;
}

int known_add(struct known *known, const struct revocation *entry,
              struct err *err)
{
    int there = revocation_admit(known->standing, known->roots, entry, err);

    if (there != 0) {
        return there < 0 ? -1 : 0;
    }
    if (revocation_encode(&entry->event->envelope, &entry->proof,
                          &known->unkept, err) != 0 ||
        buf_adds(&known->unkept, "\n") != 0) {
        return err_set(err, ERR_FATAL, "out of memory");
    }
    return 0;
}

int known_sync(struct known *known, struct err *err)
{
    if (known_write(known, err) != 0) {
        err->kind = ERR_FATAL;
        return -1;
    }
    if (known->unsynced && fdatasync(known->fd) != 0) {
        return cant_keep(ERR_FATAL, err);
    }
    known->unsynced = false;
    return 0;
}

/* notes.c: see notes.h. */
#include "consumer/executor/notes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/append.h"
#include "base/file.h"

#define FILE_MAX (1UL << 30)

/* A power cut may leave zeros where the last line was to be. Elsewhere a NUL is
 * damage within a line, and no end of the file. */
static int read_lines(struct buf *text, const struct notes_form *form,
                      void *arg, struct err *err)
{
    char *line = (char *)text->data;
    size_t left = text->len;

    for (char *end; left > 0 && (end = memchr(line, '\n', left)) != NULL;
         left -= (size_t)(end + 1 - line), line = end + 1) {
        *end = '\0';
        if (strlen(line) != (size_t)(end - line) ||
            form->read(arg, line) != 0) {
            return err_set(err, ERR_FATAL, "damaged: '%.80s'", line);
        }
    }
    return 0;
}

/* With what is still wanted; its descriptor, or -1. */
static int write_anew(const char *path, const struct notes_form *form,
                      const void *arg, struct err *err)
{
    _cleanup_buf_ struct buf kept = {0};

    if (form->keep(arg, &kept) != 0) {
        return err_set(err, ERR_FATAL, "out of memory");
    }
    if (file_write(path, kept.data, kept.len, 0600, true, err) != 0) {
        return -1;
    }
    int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 ? fd : err_set(err, ERR_FATAL, "%s", strerror(errno));
}

static int open_anew(const char *path, const struct notes_form *form, void *arg,
                     struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    return (file_exists(path) && file_read(path, FILE_MAX, &text, err) != 0) ||
                   read_lines(&text, form, arg, err) != 0
               ? -1
               : write_anew(path, form, arg, err);
}

int notes_renew(const char *path, const struct notes_form *form,
                const void *arg, int *fd, struct err *err)
{
    int anew = write_anew(path, form, arg, err);

    cleanup_close(fd); /* it may be of no name any more */
    *fd = anew;
    if (anew < 0) {
        err->kind = ERR_REJECT;
        return -1;
    }
    return 0;
}

int notes_open(const char *path, const struct notes_form *form, void *arg,
               struct err *err)
{
    int fd = open_anew(path, form, arg, err);

    if (fd < 0) {
        (void)err_wrap(err, "%s", path);
        err->kind = ERR_FATAL;
    }
    return fd;
}

int notes_add(int fd, const struct buf *line, bool sync, struct err *err)
{
    return append_line(fd, append_end(fd), line->data, line->len, sync) == 0
               ? 0
               : err_set(err, ERR_REJECT, "note it: %s", strerror(errno));
}

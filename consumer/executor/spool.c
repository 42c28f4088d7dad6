/* spool.c: see spool.h. */
#include "consumer/executor/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/append.h"
#include "base/file.h"

static char *spool_path(const char *directory, const struct id *execution)
{
    char id[ID_TEXT];

    id_format(execution, id);
    return must_printf("%s/%s", directory, id);
}

int spool_add(const char *directory, const struct id *execution,
              const struct envelope *envelope, struct spooled *spooled,
              struct err *err)
{
    _cleanup_free_ char *path = spool_path(directory, execution);
    _cleanup_buf_ struct buf line = {0};
    _cleanup_close_ int fd =
        open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (envelope_encode(envelope, &line, err) != 0) {
        return -1;
    }
    off_t at = fd < 0 ? -1 : append_end(fd);
    if (buf_adds(&line, "\n") != 0 ||
        append_line(fd, at, line.data, line.len, false) != 0) {
        return err_set(err, ERR_RETRY, "%s: %s", path, strerror(errno));
    }
    spooled->last = at;
    spooled->end = at + (off_t)line.len;
    return 0;
}

void spool_let_go(const char *directory, const struct id *execution,
                  struct spooled *spooled)
{
    if (spooled->last <= spooled->from) {
        return;
    }
    _cleanup_free_ char *path = spool_path(directory, execution);
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        /* From the beginning: what failed before goes, too, and so does the
         * block in which the last hole ended. */
        (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                        spooled->last);
    }
    spooled->from = spooled->last;
}

/* Over what was let go of, which reads as zeros. */
static off_t skip_hole(FILE *file, off_t at)
{
    off_t data = lseek(fileno(file), at, SEEK_DATA);
    int c;

    at = data > at ? data : at;
    if (fseeko(file, at, SEEK_SET) != 0) {
        return -1;
    }
    while ((c = getc(file)) == '\0') {
        at++;
    }
    (void)ungetc(c, file);
    return at;
}

int spool_read(const char *directory, const struct id *execution, int64_t at,
               struct envelope *ret_envelope, int64_t *ret_next,
               struct err *err)
{
    _cleanup_free_ char *path = spool_path(directory, execution);
    _cleanup_file_ FILE *file = fopen(path, "re");
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    struct err torn = {0};

    if (file == NULL && errno == ENOENT) {
        return 0;
    }
    off_t from = file == NULL ? -1 : skip_hole(file, at);
    if (from < 0) {
        return err_set(err, ERR_RETRY, "%s: %s", path, strerror(errno));
    }
    ssize_t len = getline(&line, &size, file);
    if (len < 1 || line[len - 1] != '\n' ||
        envelope_decode(line, (size_t)len - 1, ret_envelope, &torn) != 0) {
        return 0; /* torn by a crash: it was not produced */
    }
    *ret_next = from + len;
    return 1;
}

void spool_remove(const char *directory, const struct id *execution)
{
    _cleanup_free_ char *path = spool_path(directory, execution);

    (void)unlink(path);
}

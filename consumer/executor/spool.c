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
              const struct envelope *envelope, struct err *err)
{
    _cleanup_free_ char *path = spool_path(directory, execution);
    _cleanup_buf_ struct buf line = {0};
    _cleanup_close_ int fd =
        open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (envelope_encode(envelope, &line, err) != 0) {
        return -1;
    }
    return fd >= 0 && buf_adds(&line, "\n") == 0 &&
                   append_line(fd, append_end(fd), line.data, line.len,
                               false) == 0
               ? 0
               : err_set(err, ERR_RETRY, "%s: %s", path, strerror(errno));
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
    if (file == NULL || fseeko(file, at, SEEK_SET) != 0) {
        return err_set(err, ERR_RETRY, "%s: %s", path, strerror(errno));
    }
    ssize_t len = getline(&line, &size, file);
    if (len < 1 || line[len - 1] != '\n' ||
        envelope_decode(line, (size_t)len - 1, ret_envelope, &torn) != 0) {
        return 0; /* torn by a crash: it was not produced */
    }
    *ret_next = at + len;
    return 1;
}

void spool_remove(const char *directory, const struct id *execution)
{
    _cleanup_free_ char *path = spool_path(directory, execution);

    (void)unlink(path);
}

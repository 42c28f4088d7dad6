/* spool.c: see spool.h. */
#include "consumer/executor/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define SPOOL_MAX (64U << 20)

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
        open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (envelope_encode(envelope, &line, err) != 0) {
        return -1;
    }
    off_t before = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    if (fd < 0 || buf_adds(&line, "\n") != 0 ||
        write(fd, line.data, line.len) != (ssize_t)line.len) {
        (void)err_set(err, ERR_RETRY, "%s: %s", path, strerror(errno));
        (void)!(fd < 0 ? 0 : ftruncate(fd, before));
        return -1;
    }
    return 0;
}

int spool_read(const char *directory, const struct id *execution,
               struct list *ret_envelopes, struct err *err)
{
    _cleanup_free_ char *path = spool_path(directory, execution);
    _cleanup_buf_ struct buf text = {0};
    size_t at = 0;

    if (!file_exists(path)) {
        return 0;
    }
    if (file_read(path, SPOOL_MAX, &text, err) != 0) {
        return -1;
    }
    while (at < text.len) {
        const char *line = (const char *)text.data + at;
        const char *end = memchr(line, '\n', text.len - at);
        struct envelope envelope = {0};
        struct err torn = {0};
        if (end == NULL ||
            envelope_decode(line, (size_t)(end - line), &envelope, &torn)) {
            return 0; /* torn by a crash: it was not produced */
        }
        struct envelope *to = list_grow(ret_envelopes, sizeof(*to));
        *to = envelope;
        at += (size_t)(end - line) + 1;
    }
    return 0;
}

void spool_remove(const char *directory, const struct id *execution)
{
    _cleanup_free_ char *path = spool_path(directory, execution);

    (void)unlink(path);
}

/* given_files.c: see given_files.h. */
#include "consumer/executor/given_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"

static int put(int folder, const char *name, const char *content,
               struct err *err)
{
    _cleanup_buf_ struct buf bytes = {0};
    _cleanup_close_ int fd =
        openat(folder, name,
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (base64_decode(content, strlen(content), &bytes) != 0) {
        return err_set(err, ERR_REJECT, "not base64");
    }
    ssize_t n = fd < 0 ? -1 : write(fd, buf_text(&bytes), bytes.len);
    return n == (ssize_t)bytes.len
               ? 0
               : err_set(err, ERR_REJECT, "it can't be put there: %s",
                         strerror(n < 0 ? errno : ENOSPC));
}

static int open_folder(int directory, struct err *err)
{
    int fd = mkdirat(directory, PARAMETER_FOLDER, 0700) != 0
                 ? -1
                 : openat(directory, PARAMETER_FOLDER,
                          O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd >= 0 ? fd
                   : err_set(err, ERR_REJECT, "%s: %s", PARAMETER_FOLDER,
                             strerror(errno));
}

int given_files_put(int directory, const struct order *order, struct err *err)
{
    const struct list *arguments = &order->run->arguments;
    _cleanup_close_ int folder = -1;

    for (size_t i = 0; i < arguments->n; i++) {
        const struct pair *one = &list_at(arguments, struct pair, i);
        const struct parameter *parameter =
            parameter_find(&order->command->parameters, one->name);
        if (parameter == NULL || parameter->type != PARAMETER_FILE) {
            continue;
        }
        if (folder < 0 && (folder = open_folder(directory, err)) < 0) {
            return -1;
        }
        if (put(folder, parameter->name, one->value, err) != 0) {
            return err_wrap(err, "%s", parameter->name);
        }
    }
    return 0;
}

/* given_files.c: see given_files.h. */
#include "consumer/executor/given_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"

static int put(int folder, const struct pair *file,
               const struct account *account, struct err *err)
{
    _cleanup_buf_ struct buf bytes = {0};

    if (base64_decode(file->value, strlen(file->value), &bytes) != 0) {
        return err_set(err, ERR_REJECT, "not base64");
    }
    return account_put(account, folder, file->name, 0600, &bytes)
               ? 0
               : err_set(err, ERR_REJECT, "it can't be put there: %s",
                         strerror(errno));
}

static int folder_failed(struct err *err)
{
    return err_set(err, ERR_REJECT, "%s: %s", PARAMETER_FOLDER,
                   strerror(errno));
}

static int open_folder(int directory, struct err *err)
{
    int fd = mkdirat(directory, PARAMETER_FOLDER, 0700) != 0
                 ? -1
                 : openat(directory, PARAMETER_FOLDER,
                          O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd >= 0 ? fd : folder_failed(err);
}

int given_files_put(int directory, const struct order *order,
                    const struct account *account, struct err *err)
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
        if (put(folder, one, account, err) != 0) {
            return err_wrap(err, "%s", parameter->name);
        }
    }
    return folder < 0 || account_give(account, folder) ? 0 : folder_failed(err);
}

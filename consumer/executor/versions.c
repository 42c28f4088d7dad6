/* versions.c: see versions.h. */
#include "consumer/executor/versions.h"

#include <stdlib.h>
#include <uthash.h>

#include "consumer/executor/notes.h"

struct seen {
    struct id command;
    int64_t version;
    int64_t saved; /* by this moment, at the latest */
    UT_hash_handle hh;
};

struct versions {
    int fd;
    struct seen *all;
};

static struct seen *find(const struct versions *versions,
                         const struct id *command)
{
    struct seen *seen = NULL;

    HASH_FIND(hh, versions->all, command->b, sizeof(command->b), seen);
    return seen;
}

static void keep(struct versions *versions, const struct seen *what)
{
    struct seen *seen = find(versions, &what->command);

    if (seen == NULL) {
        seen = must_calloc(1, sizeof(*seen));
        seen->command = what->command;
        HASH_ADD(hh, versions->all, command.b, sizeof(seen->command.b), seen);
    }
    seen->version = what->version;
    seen->saved = what->saved;
}

static int format(const struct seen *seen, struct buf *to)
{
    char id[ID_TEXT];

    id_format(&seen->command, id);
    return buf_addf(to, "%lld %lld %s\n", (long long)seen->saved,
                    (long long)seen->version, id);
}

static int read_one(void *arg, const char *line)
{
    struct versions *versions = arg;
    char *end = NULL;
    struct seen seen = {.saved = strtoll(line, &end, 10)};

    seen.version = strtoll(end, &end, 10);
    if (seen.saved <= 0 || seen.version <= 0 || *end != ' ' ||
        id_parse(end + 1, &seen.command) != 0) {
        return -1;
    }
    keep(versions, &seen); /* each is higher than what is before it */
    return 0;
}

static int keep_all(const void *arg, struct buf *kept)
{
    const struct versions *versions = arg;

    for (const struct seen *seen = versions->all; seen; seen = seen->hh.next) {
        if (format(seen, kept) != 0) {
            return -1;
        }
    }
    return 0;
}

struct versions *versions_open(const char *path, struct err *err)
{
    static const struct notes_form form = {read_one, keep_all};
    struct versions *versions = must_calloc(1, sizeof(*versions));

    versions->fd = notes_open(path, &form, versions, err);
    if (versions->fd < 0) {
        versions_free(versions);
        return NULL;
    }
    return versions;
}

void versions_free(struct versions *versions)
{
    struct seen *seen;
    struct seen *next;

    if (versions == NULL) {
        return;
    }
    HASH_ITER (hh, versions->all, seen, next) {
        HASH_DEL(versions->all, seen);
        free(seen);
    }
    cleanup_close(&versions->fd);
    free(versions);
}

static int note(struct versions *versions, const struct command_save *command,
                int64_t now, struct err *err)
{
    int64_t expires = command->request.expires;
    const struct seen seen = {.command = command->command,
                              .version = command->version,
                              .saved =
                                  expires > 0 && expires < now ? expires : now};
    _cleanup_buf_ struct buf line = {0};

    if (format(&seen, &line) != 0) {
        return err_set(err, ERR_REJECT, "note its version: out of memory");
    }
    if (notes_add(versions->fd, &line, true, err) != 0) {
        return -1;
    }
    keep(versions, &seen);
    return 0;
}

int versions_take(struct versions *versions, const struct order *order,
                  int64_t now, struct err *err)
{
    const struct command_save *command = order->command;
    const struct seen *seen = find(versions, &command->command);

    if (seen == NULL || seen->version < command->version) {
        return note(versions, command, now, err);
    }
    bool asked_before =
        order->run->request.head.issued <= seen->saved + CLOCK_SKEW;
    if (seen->version == command->version || order->pinned || asked_before) {
        return 0;
    }
    return err_set(err, ERR_REJECT,
                   "version %lld of %s: this host has seen version %lld, which "
                   "was saved before the run was asked for",
                   (long long)command->version, command->name,
                   (long long)seen->version);
}

/* started.c: see started.h. */
#include "consumer/executor/started.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/command.h"

#define SKEW 30000                          /* ms that clocks may differ */
#define KEPT (1000LL * (WAIT_MAX + 86400L)) /* ms: longer than a dispatch */
#define FILE_MAX (1UL << 30)
#define LINE_MAX_BYTES 64

struct one {
    struct id execution;
    UT_hash_handle hh;
};

struct started {
    int fd;
    int64_t last;
    struct one *all;
};

static struct one *find(const struct started *started,
                        const struct id *execution)
{
    struct one *one = NULL;

    HASH_FIND(hh, started->all, execution->b, sizeof(execution->b), one);
    return one;
}

static void keep(struct started *started, const struct id *execution,
                 int64_t at)
{
    struct one *one = must_calloc(1, sizeof(*one));

    one->execution = *execution;
    HASH_ADD(hh, started->all, execution.b, sizeof(one->execution.b), one);
    started->last = at > started->last ? at : started->last;
}

static int format(char line[static LINE_MAX_BYTES], const struct id *execution,
                  int64_t at)
{
    char id[ID_TEXT];

    id_format(execution, id);
    return snprintf(line, LINE_MAX_BYTES, "%lld %s\n", (long long)at, id);
}

/* One whole line; what is too old to matter goes no further than here. */
static int take_line(struct started *started, const char *line, int64_t now,
                     struct buf *kept, struct err *err)
{
    char *end = NULL;
    int64_t at = strtoll(line, &end, 10);
    _cleanup_free_ char *id =
        strndup(end + (*end == ' '), strcspn(end + (*end == ' '), "\n"));
    struct id execution;

    if (at <= 0 || id == NULL || id_parse(id, &execution) != 0) {
        return err_set(err, ERR_FATAL, "damaged");
    }
    if (at < now - KEPT || find(started, &execution) != NULL) {
        return 0;
    }
    char text[LINE_MAX_BYTES];
    keep(started, &execution, at);
    return buf_add(kept, text, (size_t)format(text, &execution, at));
}

/* A line that was cut (a crash) is the last one, and nothing was started. */
static int take_lines(struct started *started, const struct buf *text,
                      int64_t now, struct buf *kept, struct err *err)
{
    const char *line = buf_text(text);

    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        if (take_line(started, line, now, kept, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int read_file(struct started *started, const char *path, int64_t now,
                     struct err *err)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_buf_ struct buf kept = {0};

    if ((file_exists(path) && file_read(path, FILE_MAX, &text, err) != 0) ||
        take_lines(started, &text, now, &kept, err) != 0) {
        return -1;
    }
    if (started->last > now + SKEW) {
        return err_set(err, ERR_FATAL,
                       "the clock is behind what was started here last: set "
                       "it right, or what has expired could be started");
    }
    return file_write(path, kept.data, kept.len, 0600, true, err);
}

struct started *started_open(const char *path, int64_t now, struct err *err)
{
    struct started *started = must_calloc(1, sizeof(*started));

    if (read_file(started, path, now, err) != 0) {
        (void)err_wrap(err, "%s", path);
        err->kind = ERR_FATAL;
        return NULL; /* the process ends */
    }
    started->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (started->fd < 0) {
        (void)err_set(err, ERR_FATAL, "%s: %s", path, strerror(errno));
        return NULL;
    }
    return started;
}

int started_note(struct started *started, const struct id *execution,
                 int64_t now, struct err *err)
{
    char line[LINE_MAX_BYTES];
    int len = format(line, execution, now);
    struct stat about;

    if (find(started, execution) != NULL) {
        return err_set(err, ERR_REJECT, "it was started before, on this host");
    }
    if (now < started->last - SKEW) {
        return err_set(err, ERR_REJECT,
                       "this host's clock went back: set it right");
    }
    if (fstat(started->fd, &about) != 0) {
        return err_set(err, ERR_REJECT, "note it: %s", strerror(errno));
    }
    errno = ENOSPC; /* what a write by half means */
    if (write(started->fd, line, (size_t)len) != len) {
        (void)err_set(err, ERR_REJECT, "note it: %s", strerror(errno));
        (void)!ftruncate(started->fd, about.st_size);
        return -1;
    }
    keep(started, execution, now);
    return 0;
}

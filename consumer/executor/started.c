/* started.c: see started.h. */
#include "consumer/executor/started.h"

#include <stdlib.h>
#include <uthash.h>

#include "consumer/executor/notes.h"
#include "model/command.h"

#define KEPT (1000LL * (WAIT_MAX + 86400L)) /* ms: longer than a dispatch */
#define RENEW 86400000                      /* ms, at most, until it is, or */
#define RENEW_FROM 10000 /* twice as many, and so many more */

struct one {
    struct id execution;
    int64_t at;
    UT_hash_handle hh;
};

struct started {
    char *path;
    int fd;
    int64_t now;  /* when it was written anew, */
    size_t lines; /* and with how many, */
    size_t added; /* and how many since */
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
    one->at = at;
    HASH_ADD(hh, started->all, execution.b, sizeof(one->execution.b), one);
    started->last = at > started->last ? at : started->last;
}

/* What is too old to matter goes no further than here. */
static int read_one(void *arg, const char *line)
{
    struct started *started = arg;
    char *end = NULL;
    int64_t at = strtoll(line, &end, 10);
    struct id execution;

    if (at <= 0 || *end != ' ' || id_parse(end + 1, &execution) != 0) {
        return -1;
    }
    if (at >= started->now - KEPT && find(started, &execution) == NULL) {
        keep(started, &execution, at);
    }
    return 0;
}

static int format(const struct id *execution, int64_t at, struct buf *to)
{
    char id[ID_TEXT];

    id_format(execution, id);
    return buf_addf(to, "%lld %s\n", (long long)at, id);
}

static int keep_all(const void *arg, struct buf *kept)
{
    const struct started *started = arg;

    for (const struct one *one = started->all; one; one = one->hh.next) {
        if (format(&one->execution, one->at, kept) != 0) {
            return -1;
        }
    }
    return 0;
}

static const struct notes_form form = {read_one, keep_all};

struct started *started_open(const char *path, int64_t now, struct err *err)
{
    struct started *started = must_calloc(1, sizeof(*started));

    started->path = must_strdup(path);
    started->now = now;
    started->fd = notes_open(path, &form, started, err);
    if (started->fd < 0) {
        started_free(started);
        return NULL;
    }
    started->lines = HASH_COUNT(started->all);
    if (started->last > now + CLOCK_SKEW) {
        (void)err_set(err, ERR_FATAL,
                      "%s: the clock is behind what was started here last: set "
                      "it right, or what has expired could be started",
                      path);
        started_free(started);
        return NULL;
    }
    return started;
}

void started_free(struct started *started)
{
    struct one *one;
    struct one *next;

    HASH_ITER (hh, started->all, one, next) {
        HASH_DEL(started->all, one);
        free(one);
    }
    cleanup_close(&started->fd);
    free(started->path);
    free(started);
}

static bool has_grown(const struct started *started, int64_t now)
{
    return started->fd < 0 || now > started->now + RENEW ||
           started->added > started->lines + RENEW_FROM;
}

/* Without what is too old to matter. */
static int renew(struct started *started, int64_t now, struct err *err)
{
    struct one *one;
    struct one *next;

    HASH_ITER (hh, started->all, one, next) {
        if (one->at < now - KEPT) {
            HASH_DEL(started->all, one);
            free(one);
        }
    }
    if (notes_renew(started->path, &form, started, &started->fd, err) != 0) {
        return -1;
    }
    started->now = now;
    started->lines = HASH_COUNT(started->all);
    started->added = 0;
    return 0;
}

int started_note(struct started *started, const struct id *execution,
                 int64_t now, struct err *err)
{
    _cleanup_buf_ struct buf line = {0};

    if (find(started, execution) != NULL) {
        return err_set(err, ERR_REJECT, "it was started before, on this host");
    }
    if (now < started->last - CLOCK_SKEW) {
        return err_set(err, ERR_REJECT,
                       "this host's clock went back: set it right");
    }
    if (has_grown(started, now) && renew(started, now, err) != 0) {
        return -1;
    }
    if (format(execution, now, &line) != 0) {
        return err_set(err, ERR_REJECT, "note it: out of memory");
    }
    if (notes_add(started->fd, &line, false, err) != 0) {
        return -1;
    }
    keep(started, execution, now);
    started->added++;
    return 0;
}

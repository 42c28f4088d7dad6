/*
 * spout.c: see spout.h.
 */
#include "producer/submit/spout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "producer/submit/harmless.h"

#define LINE_HELD 65536 /* bytes; a longer line comes out in pieces */

struct stream_end {
    FILE *file;
    const char *name;
    bool harmless;
    struct harmless state;
    struct buf line; /* what waits for its end; only with a target */
};

struct spout {
    char *target;
    int only;                  /* enum stream; 0: both */
    struct stream_end ends[2]; /* by enum stream, less one */
};

static void end_init(struct stream_end *end, FILE *file, const char *name)
{
    *end = (struct stream_end){
        .file = file, .name = name, .harmless = isatty(fileno(file)) == 1};
}

struct spout *spout_new(const char *target)
{
    struct spout *spout = must_calloc(1, sizeof(*spout));

    spout->target = target != NULL ? must_strdup(target) : NULL;
    end_init(&spout->ends[0], stdout, "standard output");
    end_init(&spout->ends[1], stderr, "standard error");
    return spout;
}

void spout_raw(struct spout *spout)
{
    spout->ends[0].harmless = false;
    spout->ends[1].harmless = false;
}

void spout_only(struct spout *spout, enum stream stream)
{
    spout->only = stream;
}

void spout_free(struct spout *spout)
{
    if (spout == NULL) {
        return;
    }
    buf_done(&spout->ends[0].line);
    buf_done(&spout->ends[1].line);
    free(spout->target);
    free(spout);
}

static int end_write(struct stream_end *end, const void *bytes, size_t n,
                     struct err *err)
{
    if (fwrite(bytes, 1, n, end->file) != n || fflush(end->file) != 0) {
        return err_exit(err, EX_IOERR, "can't write to %s: %s", end->name,
                        strerror(errno));
    }
    return 0;
}

static int memory_err(struct err *err)
{
    return err_set(err, ERR_RETRY, "out of memory for a run's output");
}

static int line_write(const struct spout *spout, struct stream_end *end,
                      const void *bytes, size_t n, struct err *err)
{
    _cleanup_buf_ struct buf line = {0};

    if (buf_addf(&line, "%s: ", spout->target) < 0 ||
        buf_add(&line, bytes, n) < 0 || buf_adds(&line, "\n") < 0) {
        return memory_err(err);
    }
    return end_write(end, line.data, line.len, err);
}

/* All whole lines that are held come out, and what is too long to be held. */
static int lines_write(const struct spout *spout, struct stream_end *end,
                       struct err *err)
{
    for (;;) {
        const unsigned char *held = end->line.data;
        const unsigned char *stop =
            end->line.len > 0 ? memchr(held, '\n', end->line.len) : NULL;
        if (stop == NULL && end->line.len < LINE_HELD) {
            return 0;
        }
        size_t n = stop != NULL ? (size_t)(stop - held) : end->line.len;
        if (line_write(spout, end, held, n, err) < 0) {
            return -1;
        }
        buf_drop(&end->line, stop != NULL ? n + 1 : n);
    }
}

static int end_add(const struct spout *spout, struct stream_end *end,
                   const void *bytes, size_t n, struct err *err)
{
    if (spout->target == NULL) {
        return end_write(end, bytes, n, err);
    }
    if (buf_add(&end->line, bytes, n) < 0) {
        return memory_err(err);
    }
    return lines_write(spout, end, err);
}

int spout_add(struct spout *spout, const struct chunk *chunk, struct err *err)
{
    _cleanup_buf_ struct buf shown = {0};
    struct stream_end *end = &spout->ends[chunk->stream == STREAM_STDERR];

    if (spout->only != 0 && spout->only != (int)chunk->stream) {
        return 0;
    }
    if (!end->harmless) {
        return end_add(spout, end, chunk->data.data, chunk->data.len, err);
    }
    if (harmless_add(&end->state, chunk->data.data, chunk->data.len, &shown) <
        0) {
        return memory_err(err);
    }
    return end_add(spout, end, shown.data, shown.len, err);
}

static int end_finish(const struct spout *spout, struct stream_end *end,
                      struct err *err)
{
    _cleanup_buf_ struct buf shown = {0};

    if (harmless_end(&end->state, &shown) < 0) {
        return memory_err(err);
    }
    if (shown.len > 0 && end_add(spout, end, shown.data, shown.len, err) < 0) {
        return -1;
    }
    if (end->line.len == 0) {
        return 0;
    }
    if (line_write(spout, end, end->line.data, end->line.len, err) < 0) {
        return -1;
    }
    buf_clear(&end->line);
    return 0;
}

int spout_end(struct spout *spout, struct err *err)
{
    if (end_finish(spout, &spout->ends[0], err) < 0) {
        return -1;
    }
    return end_finish(spout, &spout->ends[1], err);
}

/* output.c: see output.h. */
#include "consumer/executor/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define READ_AT_ONCE (2 * CHUNK_MAX) /* of each stream, while others wait */
#define WAITING_MAX ((size_t)4 * CHUNK_MAX)
#define MADE_SLOWER 1000 /* so many chunks make the wait this much longer: */
#define OUTPUT_WAIT_MAX 2000 /* once more OUTPUT_WAIT, up to so many ms */

int output_open(struct output *output, int64_t limit, int ret_ends[static 2],
                struct err *err)
{
    int out[2] = {-1, -1};
    int error[2] = {-1, -1};

    *output = (struct output){.fds = {-1, -1}, .limit = limit};
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0) {
        (void)err_set(err, ERR_RETRY, "pipe: %s", strerror(errno));
        cleanup_close(&out[0]);
        cleanup_close(&out[1]);
        return -1;
    }
    output->fds[0] = out[0];
    output->fds[1] = error[0];
    (void)fcntl(out[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(error[0], F_SETFL, O_NONBLOCK);
    ret_ends[0] = out[1];
    ret_ends[1] = error[1];
    return 0;
}

void output_done(struct output *output)
{
    while (output_first(output) != NULL) {
        output_drop_first(output);
    }
    for (int i = 0; i < 2; i++) {
        cleanup_close(&output->fds[i]);
        output->fds[i] = -1;
    }
}

/* The chunk that the next bytes of this stream belong to; NULL: there were too
 * many. */
static struct chunk *chunk_for(struct output *output, int stream)
{
    struct list *chunks = &output->chunks;

    if (chunks->n > 0) {
        struct chunk *last = &list_at(chunks, struct chunk, chunks->n - 1);
        if (last->stream == stream && last->data.len < CHUNK_MAX) {
            return last;
        }
    }
    if (output->made >= OUTPUT_CHUNKS) {
        return NULL;
    }
    struct chunk *chunk = list_grow(chunks, sizeof(*chunk));
    chunk->stream = stream;
    output->made++;
    return chunk;
}

/* How many of n bytes may still be kept: none after those that were not. */
static size_t room(const struct output *output, size_t n)
{
    size_t left = (size_t)(output->limit - output->kept);

    if (output->dropped > 0 || output->given_up) {
        return 0;
    }
    return n < left ? n : left;
}

static void keep(struct output *output, int stream, const char *bytes, size_t n,
                 int64_t now)
{
    size_t kept = 0;

    if (output->waiting == 0) {
        output->since = now;
    }
    for (size_t wanted = room(output, n); kept < wanted;) {
        struct chunk *chunk = chunk_for(output, stream);
        if (chunk == NULL) {
            break;
        }
        size_t fits = CHUNK_MAX - chunk->data.len;
        fits = fits < wanted - kept ? fits : wanted - kept;
        if (buf_add(&chunk->data, bytes + kept, fits) != 0) {
            abort();
        }
        kept += fits;
    }
    output->kept += (int64_t)kept;
    output->waiting += kept;
    output->dropped += (int64_t)(n - kept);
}

/* True where there may be more. */
static bool read_some(struct output *output, int i, int64_t now)
{
    char bytes[16384];
    ssize_t got = read(output->fds[i], bytes, sizeof(bytes));

    if (got > 0) {
        keep(output, STREAM_STDOUT + i, bytes, (size_t)got, now);
        return true;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        (void)close(output->fds[i]);
        output->fds[i] = -1;
    }
    return false;
}

void output_read(struct output *output, int64_t now)
{
    bool more = true;

    for (int n = 0; more && n < READ_AT_ONCE / 16384; n++) {
        if (output_is_full(output)) {
            break; /* what tells it has to come first */
        }
        more = false;
        for (int i = 0; i < 2; i++) {
            more |= output->fds[i] >= 0 && read_some(output, i, now);
        }
    }
    output->more = more;
}

bool output_is_full(const struct output *output)
{
    return output->waiting >= WAITING_MAX;
}

int64_t output_due_at(const struct output *output)
{
    int64_t wait = OUTPUT_WAIT + OUTPUT_WAIT * output->made / MADE_SLOWER;

    return output->since + (wait < OUTPUT_WAIT_MAX ? wait : OUTPUT_WAIT_MAX);
}

bool output_due(const struct output *output, int64_t now)
{
    return output->waiting >= CHUNK_MAX ||
           (output->waiting > 0 && now >= output_due_at(output));
}

const struct chunk *output_first(const struct output *output)
{
    return output->chunks.n == 0 ? NULL
                                 : &list_at(&output->chunks, struct chunk, 0);
}

void output_drop_first(struct output *output)
{
    struct list *chunks = &output->chunks;
    struct chunk *first = chunks->items;

    output->waiting -= first->data.len;
    buf_done(&first->data);
    chunks->n--;
    memmove(first, first + 1, chunks->n * sizeof(*first));
    if (chunks->n == 0) {
        free(chunks->items);
        *chunks = (struct list){0};
    }
}

void output_give_up(struct output *output)
{
    output->kept -= (int64_t)output->waiting;
    output->dropped += (int64_t)output->waiting;
    output->given_up = true;
    while (output_first(output) != NULL) {
        output_drop_first(output);
    }
}

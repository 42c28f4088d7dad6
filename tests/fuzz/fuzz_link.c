/*
 * fuzz_link.c: any bytes, with any descriptors, as what one half of an executor
 * says to the other.
 *
 * In: a byte that says who reads, and in how many pieces the rest comes; one
 * for the descriptors that come with the first; then the bytes. Each message
 * that is taken is one of those for its reader, and what the spawner would do
 * with its body is done up to where a child would be made. Whatever came, no
 * descriptor stays open.
 */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "consumer/executor/link.h"
#include "trust/revocation.h"

#define FDS_MAX 5
#define AT_ONCE 60000 /* bytes that a socket takes without a reader */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t open_descriptors(void)
{
    DIR *all = opendir("/proc/self/fd");
    size_t n = 0;

    assert(all != NULL);
    while (readdir(all) != NULL) {
        n++;
    }
    (void)closedir(all);
    return n;
}

/* The first bytes, and so many descriptors: pipes to write to, or something
 * else where that bit is set. */
static void send_with(int to, const uint8_t *data, size_t size, uint8_t which)
{
    size_t n = which % (FDS_MAX + 1);
    int pipe_fds[2];
    int fds[FDS_MAX];
    union {
        char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control = {.space = {0}};
    struct iovec part = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};

    int done = pipe2(pipe_fds, O_CLOEXEC);
    assert(done == 0);
    (void)done;
    for (size_t i = 0; i < n; i++) {
        fds[i] = (which & 0x80) != 0 && i == 1   ? to
                 : (which & 0x40) != 0 && i == 0 ? pipe_fds[0]
                                                 : pipe_fds[1];
    }
    if (n > 0) {
        msg.msg_control = control.space;
        msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    }
    (void)sendmsg(to, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);
}

static void say(int to, const uint8_t *data, size_t size, uint8_t how,
                uint8_t which)
{
    size_t pieces = 1 + how % 4;

    size = size < AT_ONCE ? size : AT_ONCE;
    for (size_t i = 0; i < pieces; i++) {
        size_t from = size * i / pieces;
        size_t n = size * (i + 1) / pieces - from;
        /* Descriptors with one that is no first piece, too. */
        bool with = i == (how / 4U) % 2;
        send_with(to, data + from, n, with ? which : 0);
    }
    (void)shutdown(to, SHUT_WR);
}

static void try_start(const struct link_message *message,
                      const struct roots *roots)
{
    struct err err = {0};
    struct order order;
    _cleanup_event_ struct event *event =
        link_take_dispatch(&message->body, &err);
    _cleanup_proof_ struct proof *proof = proof_new(roots, NULL, NULL);
    int allowed = event == NULL
                      ? -1
                      : proof_dispatch(proof, event, "web-1", 0, &order, &err);
    assert(allowed != 0 && err.text[0] != '\0');
    (void)allowed;
}

static void try_entry(const struct link_message *message,
                      const struct roots *roots)
{
    struct hash init = hash_of("", 0);
    _cleanup_standing_ struct standing *standing = standing_new(&init);
    _cleanup_revocation_ struct revocation entry = {0};
    struct err err = {0};

    int added = revocation_decode(message->body.data, message->body.len, &entry,
                                  &err) != 0
                    ? -1
                    : revocation_admit(standing, roots, &entry, &err);
    assert(added != 0 && standing_seq(standing) == 0);
    (void)added;
}

static void check(const struct link_message *message, enum link_reader reader)
{
    const struct roots roots = {0};
    bool starts = message->head.kind == LINK_START;

    assert((reader == LINK_SPAWNER) == (message->head.kind <= LINK_RELOAD));
    assert(message->body.len == message->head.length);
    assert(buf_text(&message->body)[message->body.len] == '\0');
    assert(starts == (message->out >= 0) && starts == (message->err >= 0));
    if (starts) {
        assert((fcntl(message->out, F_GETFD) & FD_CLOEXEC) != 0);
        assert((fcntl(message->err, F_GETFL) & O_ACCMODE) == O_WRONLY);
        try_start(message, &roots);
    } else if (message->head.kind == LINK_ENTRY) {
        try_entry(message, &roots);
    }
}

static void hear(int from, enum link_reader reader)
{
    for (int got = 1; got > 0;) {
        _cleanup_message_ struct link_message message = {.out = -1, .err = -1};
        struct err err = {0};
        got = link_receive(from, reader, &message, &err);
        assert(got >= 0 || (err.kind == ERR_FATAL && err.text[0] != '\0'));
        assert(got > 0 || (message.out < 0 && message.body.len == 0));
        if (got > 0) {
            check(&message, reader);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    int ends[2];

    if (size < 2) {
        return 0;
    }
    size_t before = open_descriptors();
    int done = link_pair(ends, &err);
    assert(done == 0);
    (void)done;
    say(ends[0], data + 2, size - 2, data[0], data[1]);
    hear(ends[1], (data[0] & 0x80) != 0 ? LINK_EXECUTOR : LINK_SPAWNER);
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert(open_descriptors() == before);
    return 0;
}

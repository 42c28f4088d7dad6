/* link.c: see link.h. */
#include "consumer/executor/link.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FDS 2

struct link_message link_message_of(enum link_kind kind,
                                    const struct id *execution)
{
    return (struct link_message){
        .head = {.kind = kind, .execution = *execution}, .out = -1, .err = -1};
}

void link_message_done(struct link_message *message)
{
    buf_done(&message->body);
    cleanup_close(&message->out);
    cleanup_close(&message->err);
    message->out = -1;
    message->err = -1;
}

int link_pair(int ret_fds[static 2], struct err *err)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_fds) != 0) {
        return err_set(err, ERR_FATAL, "socketpair: %s", strerror(errno));
    }
    return 0;
}

static int gone(struct err *err, const char *what)
{
    return err_set(err, ERR_FATAL, "the executor's other half: %s", what);
}

static int send_all(int fd, const void *bytes, size_t n, struct err *err)
{
    const char *at = bytes;

    while (n > 0) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return gone(err, strerror(errno));
        }
        if (sent > 0) {
            at += sent;
            n -= (size_t)sent;
        }
    }
    return 0;
}

/* The head goes in one piece, with the descriptors where there are any. */
static int send_head(int fd, const struct link_message *message,
                     struct err *err)
{
    struct link_head head = message->head;
    struct iovec part = {.iov_base = &head, .iov_len = sizeof(head)};
    union {
        char space[CMSG_SPACE(FDS * sizeof(int))];
        struct cmsghdr align;
    } control = {.space = {0}};
    struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
    int fds[FDS] = {message->out, message->err};

    if (head.kind == LINK_START) {
        msg.msg_control = control.space;
        msg.msg_controllen = sizeof(control.space);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(fds));
        memcpy(CMSG_DATA(c), fds, sizeof(fds));
    }
    for (;;) {
        ssize_t sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
        if (sent == (ssize_t)sizeof(head)) {
            return 0;
        }
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return gone(err, strerror(errno));
        }
        return send_all(fd, (char *)&head + sent, sizeof(head) - (size_t)sent,
                        err);
    }
}

int link_send(int fd, const struct link_message *message, struct err *err)
{
    if (message->body.len != message->head.length ||
        message->body.len > LINK_BODY_MAX) {
        return err_set(err, ERR_REJECT,
                       "a message of %zu bytes is too large "
                       "for the spawner",
                       message->body.len);
    }
    return send_head(fd, message, err) != 0
               ? -1
               : send_all(fd, message->body.data, message->body.len, err);
}

/* False: others than a message may bring. Those are not kept open, either. */
static bool take_fds(struct msghdr *msg, struct link_message *message)
{
    bool good = (msg->msg_flags & MSG_CTRUNC) == 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        bool rights = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS;
        size_t n = rights ? c->cmsg_len - CMSG_LEN(0) : 0;
        int fds[FDS] = {-1, -1};
        memcpy(fds, CMSG_DATA(c), n); /* there is room for no more than two */
        message->out = fds[0];
        message->err = fds[1];
        good = good && n == sizeof(fds);
    }
    return good;
}

/* n bytes: 1; nothing at all, since it closed: 0. */
static int receive_all(int fd, void *bytes, size_t n, struct err *err)
{
    char *at = bytes;
    size_t got = 0;

    while (got < n) {
        ssize_t more = recv(fd, at + got, n - got, 0);
        if (more < 0 && errno == EINTR) {
            continue;
        }
        if (more < 0) {
            return gone(err, strerror(errno));
        }
        if (more == 0) {
            return got == 0 ? 0 : gone(err, "closed within a message");
        }
        got += (size_t)more;
    }
    return 1;
}

static int receive_head(int fd, struct link_message *message, struct err *err)
{
    struct iovec part = {.iov_base = &message->head,
                         .iov_len = sizeof(message->head)};
    union {
        char space[CMSG_SPACE(FDS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr msg = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = control.space,
                         .msg_controllen = sizeof(control.space)};
    ssize_t got;

    do {
        got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == ECONNRESET || errno == EPIPE)) {
        return 0;
    }
    if (got <= 0) {
        return got == 0 ? 0 : gone(err, strerror(errno));
    }
    if (!take_fds(&msg, message)) {
        return gone(err, "descriptors that no message has");
    }
    return receive_all(fd, (char *)&message->head + got,
                       sizeof(message->head) - (size_t)got, err) < 0
               ? -1
               : 1;
}

int link_put_dispatch(const struct envelope *dispatch, struct buf *body,
                      struct err *err)
{
    const struct signature *signature = dispatch->signatures.items;

    if (dispatch->signatures.n != 1) {
        return err_set(err, ERR_REJECT, "not a dispatch: its signatures");
    }
    return buf_add(body, signature, sizeof(*signature)) != 0 ||
                   buf_add(body, dispatch->payload.data,
                           dispatch->payload.len) != 0
               ? err_set(err, ERR_REJECT, "hand it over: out of memory")
               : 0;
}

struct event *link_take_dispatch(const struct buf *body, struct err *err)
{
    struct envelope dispatch = {0};
    struct signature *signature;

    if (body->len < sizeof(*signature)) {
        (void)err_set(err, ERR_REJECT, "not a dispatch: no signature");
        return NULL;
    }
    signature = list_grow(&dispatch.signatures, sizeof(*signature));
    memcpy(signature, body->data, sizeof(*signature));
    dispatch.type = must_strdup(event_types[EVENT_DISPATCH].type);
    if (buf_add(&dispatch.payload, body->data + sizeof(*signature),
                body->len - sizeof(*signature)) != 0) {
        envelope_done(&dispatch);
        (void)err_set(err, ERR_REJECT, "take it: out of memory");
        return NULL;
    }
    return event_new_take(&dispatch, err);
}

/* What there is, who reads it, and what it brings. */
static const struct shape {
    enum link_reader reader;
    bool fds;
    uint32_t body_max;
} shapes[] = {
    [LINK_START] = {LINK_SPAWNER, true, LINK_BODY_MAX},
    [LINK_END] = {LINK_SPAWNER, false, 0},
    [LINK_ENTRY] = {LINK_SPAWNER, false, LINK_BODY_MAX},
    [LINK_RELOAD] = {LINK_SPAWNER, false, 0},
    [LINK_READY] = {LINK_EXECUTOR, false, LINK_VERSION_MAX},
    [LINK_REFUSED] = {LINK_EXECUTOR, false, sizeof(struct err)},
    [LINK_STARTED] = {LINK_EXECUTOR, false, 0},
    [LINK_EXITED] = {LINK_EXECUTOR, false, 0},
    [LINK_RELOADED] = {LINK_EXECUTOR, false, LINK_RELOADED_MAX},
    [LINK_KEPT] = {LINK_EXECUTOR, false, sizeof(struct err)},
};

/* The writing end of a pipe, and nothing else that the other half can open: no
 * terminal, no socket, no file. */
static bool is_output(int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 && S_ISFIFO(about.st_mode) &&
           (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
}

static bool is_one(const struct link_message *message, enum link_reader reader)
{
    const struct link_head *head = &message->head;

    if (head->kind < LINK_START || head->kind >= ARRAY_SIZE(shapes)) {
        return false;
    }
    const struct shape *shape = &shapes[head->kind];
    return shape->reader == reader && head->length <= shape->body_max &&
           (shape->fds ? is_output(message->out) && is_output(message->err)
                       : message->out < 0);
}

int link_receive(int fd, enum link_reader reader,
                 struct link_message *ret_message, struct err *err)
{
    _cleanup_message_ struct link_message message = {.out = -1, .err = -1};
    int got = receive_head(fd, &message, err);

    if (got <= 0) {
        return got;
    }
    const struct link_head *head = &message.head;
    if (!is_one(&message, reader)) {
        return gone(err, "a message that is none");
    }
    if (buf_reserve(&message.body, head->length) != 0) {
        return gone(err, "out of memory");
    }
    if (head->length > 0 &&
        receive_all(fd, message.body.data, head->length, err) != 1) {
        return err->text[0] == '\0' ? gone(err, "closed within a message") : -1;
    }
    message.body.len = head->length;
    message.body.data[head->length] = '\0';
    *ret_message = message;
    message = (struct link_message){.out = -1, .err = -1};
    return 1;
}

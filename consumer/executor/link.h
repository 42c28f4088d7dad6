/*
 * link.h: what the two halves of an executor say to each other, over a socket
 * pair: a fixed head, then a body of the length that the head names.
 *
 * To the spawner: START (body: the signature of a dispatch, its key's id before
 * it, and then the signed bytes as they are; two descriptors to write standard
 * output and error to), END (end it now, no body), ENTRY
 * (body: an entry of the revocation log with its proof; see revocation.h) and
 * RELOAD (read the configuration again, no body). From the spawner: first one
 * READY (body: its version), once nothing of an earlier life is alive; one
 * REFUSED (body: why), or one STARTED and later one EXITED (no body); and to
 * each RELOAD one RELOADED (body: the file's bytes, which are good) or KEPT
 * (body: why nothing changes). A message that is anything else, or that the
 * reader itself would send, ends the process that reads it: the other half is
 * then not what it should be.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "consumer/executor/keeper.h"
#include "trust/event.h"

#define LINK_BODY_MAX (2U << 20)
#define LINK_RELOADED_MAX (64U << 10) /* an empty socket takes it at once */
#define LINK_VERSION_MAX 64
#define CLAIM_TO_START 10000 /* ms from a claim to its START, at most */

enum link_kind {
    LINK_START = 1,
    LINK_END,
    LINK_ENTRY,
    LINK_RELOAD,
    LINK_READY,
    LINK_REFUSED,
    LINK_STARTED,
    LINK_EXITED,
    LINK_RELOADED,
    LINK_KEPT,
};

enum link_reader { LINK_SPAWNER, LINK_EXECUTOR };

struct link_head {
    uint32_t length; /* of the body */
    uint32_t kind;
    struct id execution;
    int64_t start_by; /* START: by the steady clock; not started later */
    /* EXITED: */
    int32_t exit;       /* as in the shell */
    int32_t signal;     /* that ended it; 0: none */
    uint32_t core;      /* 1 where it would have dumped one */
    uint32_t timed_out; /* 1 where its timeout ended it */
    uint32_t ended;     /* 1 where an END did */
    uint32_t lost; /* 1 where its keeper was killed, and the tree with it */
    uint32_t torn; /* 1 where some of its output is lost: its masker's end */
    struct usage usage;
};

struct link_message {
    struct link_head head;
    struct buf body;
    int out; /* START: descriptors, else -1 */
    int err;
};

#define _cleanup_message_ _cleanup_(link_message_done)

/* One of that kind, without descriptors: 0 would be somebody's. */
struct link_message link_message_of(enum link_kind kind,
                                    const struct id *execution);
void link_message_done(struct link_message *message);

/* The body of a START, and back: a dispatch that nobody has checked yet, or
 * NULL: REJECT. */
int link_put_dispatch(const struct envelope *dispatch, struct buf *body,
                      struct err *err);
struct event *link_take_dispatch(const struct buf *body, struct err *err);

/* Both ends, close-on-exec. */
int link_pair(int ret_fds[static 2], struct err *err);

/* Writes a whole message, waiting where the other half is slow; the message's
 * descriptors are passed and stay open here. FATAL: the other half is gone. */
int link_send(int fd, const struct link_message *message, struct err *err);

/* Reads a whole message of those that go to this reader: 1; the other half has
 * closed: 0; -1: FATAL. */
int link_receive(int fd, enum link_reader reader,
                 struct link_message *ret_message, struct err *err);

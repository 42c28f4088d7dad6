/*
 * rpc_private.h: what rpc.c (connection, sending, waiting), rpc_reply.c
 * (opening, believing, joining) and rpc_told.c (what is known) share. Theirs
 * alone.
 */
#pragma once

#include "rpc.h"

#define ATTEMPTS_MAX 16 /* of one execution, see execution_id() */

/* Who signs replies, once their chain was checked. */
struct speaker {
    struct hash by;
    struct key32 key;
    enum service_kind kind; /* authorizer or executor */
    char *target;           /* an executor's */
    int64_t until;          /* 0: no end */
};

/* One execution of a followed run: how far its results came. */
struct followed {
    struct id execution;
    int64_t number; /* of the last one; -1: none yet */
};

/* A request that was sent. */
struct call {
    struct id id;
    char key[ID_TEXT];
    struct hash hash;
    struct hash root;     /* zero: it named none */
    bool reads;           /* asking again does no harm */
    struct list targets;  /* char *: a followed run's */
    struct list followed; /* struct followed */
    /* The authorizer's answer, joined as far as it came. */
    struct hash by;
    int64_t issued;
    int64_t part; /* the next one */
    bool whole;
    int status;
    bool sign_in;
    char *text;
    struct buf body;
};

struct rpc {
    struct list kafka;
    struct roots roots;
    bool learning;
    struct id half;
    struct kafka_reader *reader;
    struct kafka_writer *writer;
    int64_t partition;
    int64_t wait;         /* ms for any answer */
    struct key_pair *box; /* one-time: of this process */
    int64_t seq;
    struct hash log;
    struct checkpoints checkpoints;
    void (*strange)(const struct checkpoint *seen,
                    const struct checkpoint *now);
    void (*late)(void *arg, const char *what);
    void *arg;
    const struct standing *standing; /* NULL: nothing is known of the log */
    struct list speakers;            /* struct speaker */
    struct call call;                /* the one that is waited for */
    struct call run;     /* the run that is followed; its key "" : none */
    struct list results; /* struct event *: of that run, not yet handed out */
    struct err undelivered; /* why the request was not taken by the broker */
    bool delivered;
};

void call_done(struct call *call);

/* Takes in one record of errand.replies; what is not for us, or can't be
 * believed, is passed over. */
void rpc_take_record(struct rpc *rpc, const struct record *record);

/*
 * reply.h: what is answered to a request, by the authorizer and, where
 * run.start says `follow`, by executors.
 *
 * A reply's record value is {"box": base64(sealed DSSE envelope)}, sealed to
 * the request's reply key; its record key is the request's id. A body is cut
 * into parts, numbered from 0 for each sender; the last says so. Joined, the
 * parts are one JSON document: by verb one of answer.h, or, from an executor,
 * the DSSE envelope of a result.
 */
#pragma once

#include "model/audit.h"

#define REPLY_PART_MAX (256 * 1024)

/* The same words for both, wherever somebody is told: which of them it is,
 * nobody shall learn. */
#define NOT_FOUND_TEXT "no such thing, or not yours"

enum reply_status {
    REPLY_NONE,
    REPLY_ACCEPTED,  /* decided, stored, and it changed something */
    REPLY_OK,        /* a read's answer */
    REPLY_RESULT,    /* an executor's: a result of a run that is followed */
    REPLY_INVALID,   /* the request's content is bad; the text says how */
    REPLY_NOT_FOUND, /* NOT_FOUND_TEXT */
    REPLY_DENIED,    /* not signed in, or not a verb of this role */
    REPLY_STALE,     /* too old to be decided */
    REPLY_CONFLICT,  /* something came between; the text says what */
    REPLY_ID_IN_USE, /* this id came with other bytes before */
    REPLY_BEHIND,    /* signed for another place of the revocation log */
    REPLY_CODE,      /* a good code of the second factor is wanted */
    REPLY_SET_UP,    /* a second factor must be set up first */
};

extern const struct words reply_status_words;

struct reply { /* authorizer, or that target's executor */
    struct head head;
    struct id to;        /* the request's id */
    struct hash request; /* the request's envelope */
    int64_t part;
    bool last;
    int64_t seq;
    struct hash log; /* "head": the revocation log's */
    int status;
    char *text;              /* in words, where refused; may be NULL */
    bool sign_in;            /* a new session may help */
    struct buf body;         /* this part of it; may be empty */
    struct list proof;       /* struct envelope: in a sender's first part */
    struct checkpoint audit; /* the authorizer's, in its first part: its end of
                                the request's partition; rows 0: none */
    struct key32 root_key; /* to invitation.show alone: the root's public half,
                              to be compared with the code's, then pinned */
};

struct sealed_reply {
    struct buf box;
};

extern const struct table reply_table;
extern const struct table sealed_reply_table;

/*
 * audit.h: the audit log: every request that was decided, as a row of a chain,
 * one chain for each partition of errand.requests.
 *
 * A row's hash is that of a tuple (base/id.h) of these parts, in this order:
 *   "errand.audit.row", partition, number, previous, request id, the request's
 *   envelope's hash, verb, signer's key id, user id, command, decision, status,
 *   reason, text, hash of the reply's body, size, issued, decided, offset
 * Numbers and moments (ms) are in decimal; ids and hashes are raw; what is
 * absent is an empty part; `previous` of the first row is 32 zero bytes.
 *
 * A checkpoint is the authorizer's word on how many rows a chain had, and what
 * the last one's hash was. It is signed as an event, and stands in each reply.
 */
#pragma once

#include "model/envelope.h"

#define AUDIT_KEPT_MAX (64 * 1024) /* bytes of a payload that is kept */

struct audit_row {
    int64_t partition; /* of errand.requests */
    int64_t number;    /* from 1 */
    struct hash previous;
    struct hash hash;    /* the row's */
    struct id id;        /* the request's */
    struct hash request; /* its envelope's hash */
    char *verb;
    struct hash key;   /* the first signer's */
    struct id user;    /* zero: nobody who is known here */
    char *command;     /* a name; NULL: about none */
    char *decision;    /* accepted, refused */
    char *status;      /* a word of reply_status */
    char *reason;      /* why it was refused, in full; NULL */
    char *text;        /* what the asker was told of it; NULL */
    struct hash reply; /* of the stored body; zero: none */
    int64_t size;      /* bytes of the payload */
    int64_t issued;
    int64_t decided;
    int64_t offset;      /* of the request's record */
    struct buf envelope; /* as it is stored, DSSE JSON; empty: it is not */
    struct hash invite;  /* a hint, not in the hash: where an invitation's key
                            signed, the user.invite that names it */
};

struct hash audit_row_hash(const struct audit_row *row);

/* True where a row of this size and decision may lack its envelope. */
bool audit_row_is_cut(const struct audit_row *row);

struct checkpoint {
    int64_t partition;
    int64_t rows;
    struct hash head; /* the last row's hash */
};

/* The newest checkpoint of each partition that somebody saw. */
struct checkpoints {
    struct list list; /* struct checkpoint */
};

enum checkpoint_news {
    CHECKPOINT_FINE,
    CHECKPOINT_BACK,   /* fewer rows than were seen before */
    CHECKPOINT_FORKED, /* as many, and other ones */
};

/* The one of a partition; NULL: none was seen. */
const struct checkpoint *checkpoints_find(const struct checkpoints *seen,
                                          int64_t partition);

/* Takes one in. What is not fine changes nothing: the older word is kept. */
enum checkpoint_news checkpoints_take(struct checkpoints *seen,
                                      const struct checkpoint *now);

struct audit_checkpoint { /* the event: authorizer */
    struct head head;
    struct checkpoint at;
};

/* The same rows give the same event's id. */
struct id checkpoint_id(const struct hash *root, const struct checkpoint *at);

/* What the log shows, the newest first: audit.list. Absent filters pass. */
struct audit_list {
    struct request request;
    char *email;
    char *verb;
    char *command;
    int64_t since;    /* decided then or later */
    int outcome;      /* enum audit_outcome; 0: either */
    struct id before; /* requests with lower ids than this one; zero: newest */
    int64_t limit;    /* 1 to 100 */
};

enum audit_outcome { AUDIT_ACCEPTED = 1, AUDIT_REFUSED };
extern const struct words audit_outcome_words;

/* A page of whole rows, for who checks the chains: audit.rows. Behind the last
 * row, a page of cuts. */
struct audit_rows {
    struct request request;
    int64_t partition; /* rows behind this … */
    int64_t after;     /* … one, by (partition, number) */
    struct hash cut;   /* cuts behind this one; zero: from the first */
};

struct audit_entry {
    struct id id;
    int64_t partition;
    int64_t number; /* 0: from before there was a chain */
    int64_t issued;
    int64_t decided;
    char *email; /* NULL: not known */
    char *verb;
    char *about;   /* an address; NULL: about nobody else */
    char *command; /* NULL: none, or not theirs to see */
    int outcome;
    char *status;
    char *reason; /* administrators: in full; others: what they were told */
    struct hash request;
    struct hash key;
};

struct audit_answer {
    struct list entries; /* struct audit_entry, the newest first */
    bool more;
};

struct audit_page {
    struct list rows;      /* struct audit_row, by partition and number */
    struct list envelopes; /* the chains of their signers, and each authorizer's
                              enrolment: struct envelope */
    struct list cuts;      /* where there are no rows: audit.cuts, the oldest
                              first; their policies' chains are among the
                              envelopes */
    bool more;
};

extern const struct table checkpoint_table;
extern const struct table checkpoints_table;
extern const struct table audit_checkpoint_table;
extern const struct table audit_list_table;
extern const struct table audit_rows_table;
extern const struct table audit_answer_table;
extern const struct table audit_page_table;

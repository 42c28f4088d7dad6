/*
 * executor.h: what the parts of the Kafka-facing half share.
 *
 * An execution is held from its claim until its `finished` is delivered:
 *     CLAIMING    a claim was sent, and has not been read back
 *     STARTING    the claim is ours, START is in the ledger; the spawner was
 *                 asked
 *     RUNNING     there is a child
 *     ENDED       `finished` is made, and on its way
 *     RECOVERING  an earlier life's, and what it had told is told again
 */
#pragma once

#include <uthash.h>

#include "consumer/executor/burials.h"
#include "consumer/executor/claim_log.h"
#include "consumer/executor/ledger.h"
#include "consumer/executor/link.h"
#include "consumer/executor/output.h"
#include "consumer/executor/spool.h"
#include "model/target.h"
#include "revocation_log.h"
#include "service.h"

enum phase {
    PHASE_CLAIMING,
    PHASE_STARTING,
    PHASE_RUNNING,
    PHASE_ENDED,
    PHASE_RECOVERING,
};

#define CLAIM_TAG (1ULL << 63) /* with the serial: tags its claim */
#define REPLY_TAG (1ULL << 62) /* and its replies */
#define HELLO_TAG (1ULL << 61) /* alone: a hello */
#define DEAD_TAG (1ULL << 60)  /* with a burial's number: tags that */
#define BACKLOG 32     /* undelivered records of one; then its child waits */
#define BACKLOG_ALL 64 /* of all together; each may have one at least */
#define SPOOL_MOST (4LL << 20) /* bytes of one on the disk while it runs, */
#define SPOOL_EACH (8LL << 20) /* and with what its pipes hold at its end */

struct asker { /* where a followed run's results go, too */
    bool follows;
    struct id run;
    struct hash request;
    struct reply_to reply;
    int64_t seq; /* of the dispatch: what it was decided under */
    struct hash log;
    int64_t part;
};

struct execution {
    struct id id;
    struct id incarnation; /* that won the claim: an heir speaks for it */
    enum phase phase;
    uint64_t serial; /* tags its records */
    struct asker asker;

    struct envelope dispatch;
    int64_t dispatch_offset;
    int64_t expires;
    int64_t output_limit; /* bytes, as its command says */

    struct record claim; /* the bytes that were sent */
    int64_t claimed;     /* clock_steady() when first sent, */
    int64_t claim_sent;  /* and when last; */
    bool claim_waits;    /* that one is still on its way to the broker */
    int64_t claim_offset;

    struct output output;
    int64_t started; /* clock_steady() */
    bool said_started;
    bool cancelled;
    bool exited;          /* the spawner has said how */
    int64_t number;       /* of the next result */
    struct hash previous; /* the last one's envelope */
    int64_t chunks;       /* told so far */
    size_t undelivered;   /* of its records, */
    size_t replies;       /* and of those to its asker, */
    int64_t replied;      /* of which one was delivered then: clock_steady() */
    bool torn;         /* some of its output is lost, nobody knows how much; */
    bool told_missing; /* and `finished` says what is missing */
    struct execution_finished finished; /* what is going to be told */
    struct spooled spooled; /* RECOVERING: told again up to its `end` */
    struct envelope unsent; /* `finished`, until all before is delivered */
    int64_t again; /* what the disk or the writer refused is tried then; */
    int64_t refused_since; /* its end since then; 0: it is not */
    UT_hash_handle hh;
};

struct executor {
    struct daemon *daemon;
    struct id incarnation;
    const char *target;
    int64_t slots;
    int64_t heartbeat; /* ms; */
    int64_t disk_wait; /* ms that what has ended waits for a full disk */
    char *own;         /* this half's directory, */
    char *spool;       /* and one in it */
    struct ledger *ledger;
    struct claim_log *claims;
    char *claims_topic;
    struct kafka_reader *dispatches;
    char *dispatch_topic;
    int64_t position; /* next dispatch to be read */
    int64_t kept_position;
    struct standing *standing;          /* what the revocation log says, */
    struct revocation_log *revocations; /* and its reader */
    struct verified *verified;          /* of dispatches' proofs */
    int64_t stands_at;   /* the log's seq at which this host stood; -1: none */
    struct record early; /* a dispatch that was decided under an entry which is
                            not known here, */
    int64_t early_since; /* and since when it waits (clock_steady()) */
    struct record held;  /* one for errand.dead that could not be sent yet, */
    struct err held_why; /* and why it goes there; */
    bool held_told;      /* it was logged that it can't */
    struct burials burials; /* sent there */
    int lock;               /* on the state directory */
    int link;               /* to the spawner */
    int epoll;
    struct execution *all;
    struct list owed; /* struct debt: earlier lives' claims */
    uint64_t serials;
    size_t share;       /* of BACKLOG_ALL, for each of them */
    int64_t said_hello; /* clock_steady() */
    bool hello_waits;   /* it is still on its way to the broker */
    bool held_up;       /* one of them could not go on; it was logged */
    int64_t looked;     /* clock_steady() when the claim log was last read */
    bool full;          /* the disk: see room.c; also until then */
    int64_t full_until; /* (clock_steady()) */
    bool more;          /* intake stopped before it had seen everything */
    bool begun;         /* readers are in place */
    bool recovered;     /* earlier lives' debts are told */
    bool stopping;      /* nothing more is claimed, */
    bool hurried;       /* nor started */
    struct err failed;  /* what a callback could not return */
};

struct debt { /* a first claim of an earlier life that the ledger knows no more
                 of */
    struct id execution;
    struct id incarnation;
    int64_t claim;
};

/* halves.c: what this host is told to be */
int halves_check(struct daemon *daemon, struct err *err);
/* Makes the directories and the spawner, and takes from this half what it does
 * not need. */
int halves_make(struct executor *executor, struct err *err);
/* --check-host: what this host has for it, and what it lacks. */
int halves_tell(struct daemon *daemon, struct err *err);

/* executions.c: all that are held */
struct execution *execution_find(const struct executor *executor,
                                 const struct id *id);
struct execution *execution_new(struct executor *executor, const struct id *id,
                                const struct id *incarnation);
void execution_free(struct executor *executor, struct execution *execution);
size_t executions_active(const struct executor *executor); /* slots in use */

/* execution.c: one execution's way */
/* Its claim was read back first. */
int on_won(struct executor *executor, struct execution *execution,
           int64_t offset, int64_t appended, struct err *err);
/* A message of the spawner's is there; 0, or FATAL. */
int on_spawner(struct executor *executor, struct err *err);
/* Output, time, deliveries: whatever is due. Who can't go on now is tried again
 * soon, and holds up no other. */
int executions_advance(struct executor *executor, int64_t now, struct err *err);
/* ms until something of them is due; at most `most`. */
int64_t executions_due(const struct executor *executor, int64_t now,
                       int64_t most);
void execution_end(struct executor *executor, struct execution *execution);

/* tell.c: results, hello */
int tell_started(struct executor *executor, struct execution *execution,
                 struct err *err);
int tell_chunk(struct executor *executor, struct execution *execution,
               const struct chunk *chunk, struct err *err);
/* Signs execution->finished and notes EXIT; it is sent by tell_unsent() when
 * all before it is delivered. */
int tell_finished(struct executor *executor, struct execution *execution,
                  struct err *err);
int tell_unsent(struct executor *executor, struct execution *execution,
                struct err *err);
int tell_again(struct executor *executor, struct execution *execution,
               const struct envelope *envelope, struct err *err);
int tell_hello(struct executor *executor, struct err *err);

/* intake.c: dispatches -> claims */
int intake_begin(struct executor *executor, struct err *err);
int intake_read(struct executor *executor, struct err *err);
int intake_claim_again(struct executor *executor, int64_t now, struct err *err);
void intake_keep_position(struct executor *executor);
claim_log_seen on_claim;

/* revoked.c: the revocation log, on its way to the spawner */
int revoked_begin(struct executor *executor, struct err *err);
int revoked_read(struct executor *executor, struct err *err);

/* FATAL: by what was read, this host is no executor any more, or its target is
 * gone. */
int revoked_check(struct executor *executor, struct err *err);

/* room.c: the disk. A write failed; and: there is room for one execution more.
 */
void room_lacks(struct executor *executor);
bool room_is_there(struct executor *executor);

/* reload.c: a configuration that changed */
void settings_take(struct executor *executor); /* from daemon->config */
int reload_ask(struct executor *executor, struct err *err);
void on_reloaded(struct executor *executor, const struct link_message *message);

/* recovery.c: what earlier lives owe */
void recover(struct executor *executor);
/* The next step of one that is RECOVERING. */
int recover_more(struct executor *executor, struct execution *execution,
                 struct err *err);

/*
 * decision.h: one request on its way to its decision: what every handler gets,
 * and how it says what was decided.
 *
 * A handler looks (in PostgreSQL, in the proof), then either refuses, or
 * answers, stores the request (asking_store) and writes its rows: in this
 * order, since rows refer to their request and its envelope. Handlers and their
 * steps return 0 to go on, 1 where it is decided (refused), -1 where it could
 * not be decided (the database; the whole transaction is done again): so steps
 * are chained by `a(…) ?: b(…)`. ASIDE is for what must not be decided under
 * its id: it goes to errand.dead with the error, and leaves no row; nothing may
 * have been written before.
 */
#pragma once

#include "consumer/authorizer/chains.h"
#include "consumer/authorizer/source.h"
#include "io/postgres.h"
#include "model/answer.h"
#include "model/record.h"
#include "model/reply.h"
#include "model/user.h"
#include "service.h"
#include "trust/proof.h"

#define ASIDE 2            /* a step's answer beside 0, 1 and -1 */
#define ROWS_MAX 1000      /* of a list in an answer */
#define SILENT_AFTER 15000 /* ms without a word of any executor of a target */

struct factor_key;
struct verb;
struct revocations;

/* A target's two topics, which must be there before what follows is sent. */
struct place {
    char *target;
    int64_t generation;
    int64_t max_wait; /* s */
    bool changed;     /* what they keep may be less than that needs */
};

/* A dispatch that was decided now or before. */
struct order_out {
    struct envelope envelope;
    struct id execution;
    char *target;
    int64_t generation;
};

/* An invitation whose code somebody tried to use a second time. */
struct reuse {
    struct id user; /* zero: none was */
    struct hash invite;
};

/* A fact that the verb alone doesn't tell. */
struct fact_told {
    int kind; /* enum event_kind; 0: the verb tells it all */
    struct id run;
    struct id command;
    char *detail; /* may be NULL */
};

struct decision {
    int status;           /* enum reply_status */
    char *text;           /* what the asker is told in words; may be NULL */
    char *reason;         /* why it was refused, in full */
    bool sign_in;         /* a new session may help the asker */
    struct buf body;      /* the answer */
    int64_t at;           /* when it was decided */
    bool stored;          /* its row is in requests */
    struct list orders;   /* struct order_out */
    struct list places;   /* struct place */
    struct list closings; /* struct record: claims that close what waits */
    struct reuse reuse;   /* which this request is the first to do */
    char *command;        /* the name of the one it was about; may be NULL */
    struct fact_told told;
};

struct asking {
    const struct daemon *daemon;
    struct source *source;
    struct chains *chains;
    struct revocations *revocations;
    const struct factor_key *factor_key;
    const struct record *record;
    const struct event *request;
    const struct verb *verb;
    struct proof *proof;
    struct signer signer;
    struct err late; /* the signer is known, but their time is over */
    int state;       /* the signer's enum user_state */
    int mfa;         /* and enum mfa_state */
    int64_t until;   /* SESSION: until when it counts here */
    int64_t now;
    struct decision decision;
};

/* Releases all but what is borrowed. */
void asking_done(struct asking *asking);

/* Refuses, and tells the asker why; always 1. */
int asking_refuse(struct asking *asking, enum reply_status status,
                  const char *fmt, ...) _printf_(3, 4);

/* Refuses for want of a session that is in force; always 1. */
int asking_sign_in(struct asking *asking, const char *why);

/* Refuses as if there were no such thing: the reason is for requests alone,
 * what is told is always the same; always 1. */
int asking_hide(struct asking *asking, const char *fmt, ...) _printf_(2, 3);

/* Puts the request aside, for this reason; always ASIDE. */
int asking_aside(struct err *err, const char *why);

/* Refuses with a reason for requests, and hides it unless the asker is an
 * administrator in force (who sees everything anyway). */
int asking_refuse_or_hide(struct asking *asking, const char *reason);

/* Answers with this struct of that table, and releases it; 0, or -1. */
int asking_answer_take(struct asking *asking, const struct table *table,
                       void *answer, struct err *err);

/* Answers a change with what it made. */
int asking_made(struct asking *asking, const struct hash *hash,
                const struct id *id, int64_t version, struct err *err);

/* For the audit log: which command it was about, as far as that is known. */
void asking_about(struct asking *asking, const char *command);

/* Inserts the request's row, the next of its partition's chain, and, for a
 * change that is accepted, its envelope; does nothing the second time. */
int asking_store(struct asking *asking, struct err *err);

/* What the revocation log says by now. */
const struct standing *asking_standing(const struct asking *asking);

/* An administrator in force asks. */
bool asking_by_administrator(const struct asking *asking);

/* What follows from the decision, besides the answer. */
void asking_order_take(struct asking *asking, struct envelope *envelope,
                       const struct id *execution, const char *target,
                       int64_t generation);
void asking_place(struct asking *asking, const char *target, int64_t generation,
                  int64_t max_wait);

/* "{a,b}": names, and hashes, as PostgreSQL's array; the caller's to free. */
char *names_array(const struct list *names);
char *hashes_array(const struct list *hashes);

/* Notes an invitation, the request's, by its one-time key. */
int invitation_store(struct asking *asking, const struct id *user,
                     const struct hash *key, struct err *err);

/*
 * run.h: a run on its way: run.start, run.cancel, the dispatch, the claim
 * (design: "A run's way through the house").
 *
 * One run has one execution for each target; an execution's id is derived from
 * the run, the target and the attempt, so that nobody can multiply a run.
 */
#pragma once

#include "model/envelope.h"
#include "model/secret.h"

#define RUN_TARGETS_MAX 64

struct run_start { /* session key */
    struct request request;
    struct id command;
    char *name;            /* what the asker calls it; NULL: by id alone */
    struct list arguments; /* struct pair */
    struct list boxes;     /* struct secret_box: its secrets */
    struct list targets;   /* char *, names */
    int64_t deadline;      /* moment after which nothing of it may start */
    bool follow;           /* executors tell the asker, too */
};

struct run_cancel { /* session key */
    struct request request;
    struct id run;
    struct list targets; /* char *, names; none: all of the run's */
};

struct dispatch { /* authorizer */
    struct head head;
    int64_t expires;
    struct id execution;
    struct hash run;     /* run.start's envelope */
    struct hash command; /* command.save's envelope */
    char *target;
    int64_t attempt;   /* from 1 */
    int64_t seq;       /* of the revocation log that it was decided under */
    struct hash log;   /* that log's head */
    struct list proof; /* struct envelope */
};

/* How a run that has not ended is. */
enum run_state {
    RUN_NONE,
    RUN_PENDING, /* it waits for approval */
    RUN_WAITING, /* nothing of it has begun */
    RUN_RUNNING,
};

enum closing { CLOSING_NONE, CLOSING_EXPIRED, CLOSING_CANCELLED };

struct claim { /* executor; a closing one: authorizer or scheduler */
    struct head head;
    struct id execution;
    struct id incarnation; /* all zero in a closing claim */
    int closing;
    struct list proof; /* struct envelope: a cancelling authorizer's chain */
};

extern const struct words run_state_words;
extern const struct words closing_words;
extern const struct table run_start_table;
extern const struct table run_cancel_table;
extern const struct table dispatch_table;
extern const struct table claim_table;

/* What is kept and told of a run's arguments (struct pair): of a file its size
 * and its digest, of a secret that there was one. */
void run_recorded(const struct list *parameters, const struct run_start *run,
                  struct list *ret_pairs);

/* What names a run in its executions' ids: the hash of its run.start's
 * envelope; of a tick the hash of ("errand.run.tick", its id). Whoever holds a
 * scheduler's key can sign the same tick again, at another moment: that is the
 * same run. */
struct hash run_key(const struct id *run, const struct hash *hash, bool ticked);

/* Of a run by its id, its run_key(), and a target. It begins with the run's
 * milliseconds: so all that is kept of a run lies in one month
 * (schema/README.md). */
struct id execution_id(const struct id *run, const struct hash *key,
                       const char *target, int64_t attempt);

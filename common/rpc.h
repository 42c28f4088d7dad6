/*
 * rpc.h: asking: a signed request out, its replies in; for submit.
 *
 * A call fixes its place in errand.replies as a number before it sends
 * anything, so that no reply can be missed. Each reply is opened with the
 * process's one-time box key, and believed only if it is for this very request,
 * signed by an authorizer (or, in a followed run, by an executor of a target
 * that the run names) whose chain in the reply goes up to a pinned root, its
 * enrolment still in force, and its `seq` not lower than one seen before. What
 * doesn't pass is passed over: anybody may write to the topic.
 */
#pragma once

#include "io/kafka.h"
#include "model/answer.h"
#include "model/reply.h"
#include "trust/proof.h"

struct rpc;

#define RPC_LATE 2000    /* ms after which it says what it waits for */
#define RPC_AGAIN 5000   /* ms after which it sends the same bytes once more */
#define RPC_BROKER 10000 /* ms that it tries to reach a broker */
#define RPC_WAIT 30000   /* ms that it waits for any answer, unless told */

/* Connects nothing yet. `kafka`: struct pair. Both are copied. */
struct rpc *rpc_new(const struct list *kafka, const struct roots *roots,
                    struct err *err);
void rpc_free(struct rpc *rpc);

/* How long it waits for any answer from now on, in ms. */
void rpc_set_wait(struct rpc *rpc, int64_t ms);

/* The highest (seq, head) that a reply named; and the start value, from the
 * profile, below which replies are refused. */
void rpc_seen(const struct rpc *rpc, int64_t *ret_seq, struct hash *ret_head);
void rpc_set_seen(struct rpc *rpc, int64_t seq, const struct hash *head);

/* The audit log's newest checkpoints that replies named (model/audit.h);
 * borrowed, for the profile's to be taken in and to be kept. One that goes back
 * or forks refuses nothing: `strange` is called with what was seen before. */
struct checkpoints *rpc_checkpoints(struct rpc *rpc);
void rpc_on_strange(struct rpc *rpc,
                    void (*strange)(const struct checkpoint *seen,
                                    const struct checkpoint *now));
/* What is known of the revocation log, borrowed: who was revoked there is not
 * believed. NULL, as at first: nothing. rpc_speaks(): the enrolment of the
 * authorizer that answered last. */
void rpc_set_standing(struct rpc *rpc, const struct standing *standing);
const struct hash *rpc_speaks(const struct rpc *rpc);

/*
 * For who follows an invitation and pins no root yet (`roots` is empty): takes
 * the key that a reply to invitation.show brings, if its hash begins with this
 * half, from the invitation's code, and the reply's own chain goes up to it.
 * rpc_root(): that key, once such a reply came; NULL before.
 */
void rpc_learn_root(struct rpc *rpc, const struct id *half);
const struct key32 *rpc_root(const struct rpc *rpc);

/* The words that came with the last answer ("unchanged"); NULL: none. */
const char *rpc_text(const struct rpc *rpc);

/* The last answer's enum reply_status (REPLY_NONE: there was none), and whether
 * a new session may help. */
int rpc_status(const struct rpc *rpc);
bool rpc_sign_in(const struct rpc *rpc);

/* Called once in a call when its answer is late (2 s), with what is waited for,
 * in words; may be NULL. */
void rpc_on_late(struct rpc *rpc, void (*late)(void *arg, const char *what),
                 void *arg);

struct rpc_call {
    enum event_kind kind;
    void *payload; /* its head's `by` and `root` are set by the caller; id,
                      issued, expires and reply are filled in by rpc_ask(),
                      unless the id is set already */
    const struct key_pair *first;
    const struct key_pair *second; /* NULL for kinds with one signer */
    struct hash *ret_hash;         /* of the request's envelope; may be NULL */
    /* Called with what is about to be sent; -1: it is not. May be NULL. */
    int (*before)(void *arg, const struct envelope *envelope, struct err *err);
    void *arg;
};

/* Status 69: no broker; 75: no answer in time (says whether it may have been
 * accepted, and how to ask again); refusals carry the exit status of their
 * reply_status (invalid 65, not_found 67, denied 77, stale and conflict 65, …)
 * and the authorizer's words. ret_answer (table `answer`; both may be NULL) is
 * the caller's. */
int rpc_ask(struct rpc *rpc, const struct rpc_call *call,
            const struct table *answer, void *ret_answer, struct err *err);

/* For a run that is followed: after rpc_ask(), one result after the other, as
 * an event (started, output, finished) of a verified executor, each once and in
 * its execution's order; ret_event is the caller's. 0: one came; 1: nothing
 * within timeout_ms, or `wake_fd` (-1: none) became readable; -1: the broker is
 * lost. */
int rpc_next(struct rpc *rpc, int timeout_ms, int wake_fd,
             struct event **ret_event, struct err *err);

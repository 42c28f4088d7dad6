/*
 * execution.c: one execution's way from a claim that was won to a `finished`
 * that was delivered. See executor.h for its phases.
 */
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "consumer/executor/executor.h"
#include "consumer/executor/reasons.h"

#define INLINE_MAX 16384    /* bytes of output that `finished` may carry, */
#define INLINE_CHUNKS 8     /* in so many chunks */
#define RECOVER_AGAIN 10    /* ms */
#define REFUSED_AGAIN 500   /* ms, where the disk or the writer refused */
#define REPLY_PATIENCE 2000 /* ms that a child waits for those to its asker */
#define LAST_READS 32       /* of up to 256 KiB: a pipe holds 1 MiB at most */
#define LET_GO (1LL << 20)  /* bytes that were delivered, at once */

/* Notes how it ended; it is told when the disk takes it. */
static void conclude(struct execution *execution, enum outcome outcome,
                     bool started, const char *reason)
{
    struct execution_finished *finished = &execution->finished;

    finished->outcome = outcome;
    finished->started = started;
    free(finished->reason);
    finished->reason = reason == NULL ? NULL : reason_shown(reason);
    execution->exited = true;
}

/* What was read up to now, into pieces that `finished` carries. */
static void inline_output(struct execution *execution)
{
    const struct chunk *chunk;

    while ((chunk = output_first(&execution->output)) != NULL) {
        struct chunk *to = list_grow(&execution->finished.output, sizeof(*to));
        to->stream = chunk->stream;
        if (buf_add(&to->data, chunk->data.data, chunk->data.len) != 0) {
            abort(); /* INLINE_MAX bytes in all */
        }
        output_drop_first(&execution->output);
    }
}

static int tell_waiting(struct executor *executor, struct execution *execution,
                        struct err *err)
{
    const struct chunk *chunk;

    if (!execution->said_started &&
        tell_started(executor, execution, err) != 0) {
        return -1;
    }
    while ((chunk = output_first(&execution->output)) != NULL) {
        if (tell_chunk(executor, execution, chunk, err) != 0) {
            return -1;
        }
        output_drop_first(&execution->output);
    }
    return 0;
}

/* A short run with little output is told in one `finished`. */
static bool fits_inline(const struct execution *execution)
{
    return !execution->said_started && execution->chunks == 0 &&
           execution->output.waiting <= INLINE_MAX &&
           execution->output.chunks.n <= INLINE_CHUNKS;
}

/* What its pipes held when it ended: more than that is written by somebody who
 * got away, and may never end. */
static int read_rest(struct executor *executor, struct execution *execution,
                     int64_t now, struct err *err)
{
    struct output *output = &execution->output;

    for (int n = 0; n < LAST_READS; n++) {
        output_read(output, now);
        if (!output->more) {
            return 0; /* nobody who is alive holds the other end */
        }
        if (tell_waiting(executor, execution, err) != 0) {
            return -1;
        }
    }
    execution->torn = true;
    return 0;
}

/* So whoever reads it knows: of how it ended, and of the output itself. */
static void say_missing(struct execution *execution)
{
    struct execution_finished *finished = &execution->finished;
    struct missing missing = {.kept = execution->output.kept,
                              .dropped = execution->output.dropped,
                              .no_room = execution->output.given_up,
                              .torn = execution->torn};

    if (execution->told_missing) {
        return;
    }
    execution->told_missing = true;
    char *reason = reason_with_missing(finished->reason, &missing);
    free(finished->reason);
    finished->reason = reason;
}

/* The disk does not take the rest of its output. How it ended has room of its
 * own, and need not wait for ever; nor for the next life, which knows less. */
static bool waited_enough(const struct executor *executor,
                          const struct execution *execution, int64_t now)
{
    return execution->refused_since != 0 &&
           (executor->hurried ||
            now - execution->refused_since >= executor->disk_wait);
}

static int finish(struct executor *executor, struct execution *execution,
                  int64_t now, struct err *err)
{
    if (waited_enough(executor, execution, now)) {
        output_give_up(&execution->output);
    }
    if (read_rest(executor, execution, now, err) != 0) {
        return -1;
    }
    if (fits_inline(execution)) {
        inline_output(execution);
    } else if (tell_waiting(executor, execution, err) != 0) {
        return -1;
    }
    say_missing(execution);
    return tell_finished(executor, execution, err);
}

static void watch_output(struct executor *executor, struct execution *execution)
{
    for (int i = 0; i < 2; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET};
        (void)epoll_ctl(executor->epoll, EPOLL_CTL_ADD,
                        execution->output.fds[i], &event);
    }
}

/* START goes to the ledger, then to the spawner. What this host lacks is told,
 * and keeps nothing else from its start. */
static int start(struct executor *executor, struct execution *execution,
                 int64_t start_by, struct err *err)
{
    _cleanup_message_ struct link_message message =
        link_message_of(LINK_START, &execution->id);
    int ends[2] = {-1, -1};
    struct err why = {0};

    int failed =
        output_open(&execution->output, execution->output_limit, ends, &why);
    message.head.start_by = start_by;
    message.out = ends[0];
    message.err = ends[1];
    if (failed ||
        link_put_dispatch(&execution->dispatch, &message.body, &why) ||
        ledger_start(executor->ledger, &execution->id, execution->claim_offset,
                     &why) != 0) {
        output_done(&execution->output);
        conclude(execution, OUTCOME_INTERRUPTED, false, why.text);
        if (!failed) {
            room_lacks(executor);
        }
        return 0;
    }
    execution->finished.started = true;
    watch_output(executor, execution);
    message.head.length = (uint32_t)message.body.len;
    return link_send(executor->link, &message, err);
}

/* How long ago it was claimed, at least. By both clocks: a claim may have
 * waited for the broker before it was appended, and the broker's clock may go
 * before ours; but while we were stopped ourselves, it may have lain there. */
static int64_t claim_age(const struct executor *executor,
                         const struct execution *execution, int64_t appended)
{
    int64_t steady = clock_steady();
    int64_t held = steady - execution->claimed;
    int64_t lain = clock_now() - appended;
    int64_t stopped = steady - executor->looked;

    lain = lain > stopped ? lain : stopped;
    return held < lain ? held : lain;
}

int on_won(struct executor *executor, struct execution *execution,
           int64_t offset, int64_t appended, struct err *err)
{
    int64_t now = clock_now();
    int64_t left = CLAIM_TO_START - claim_age(executor, execution, appended);

    execution->claim_offset = offset;
    execution->phase = PHASE_STARTING;
    if ((appended > now ? appended : now) > execution->expires) {
        conclude(execution, OUTCOME_EXPIRED, false,
                 "it expired before its "
                 "claim was read back");
        return 0;
    }
    if (left < 0) {
        conclude(execution, OUTCOME_INTERRUPTED, false,
                 "too long passed since it was claimed");
        return 0;
    }
    if (executor->hurried) {
        conclude(execution, OUTCOME_INTERRUPTED, false,
                 "the executor was stopped");
        return 0;
    }
    return start(executor, execution, clock_steady() + left, err);
}

static void on_exited(struct execution *execution, const struct link_head *head)
{
    enum outcome outcome = OUTCOME_FAILED;
    const char *reason = NULL;

    if (head->lost != 0) {
        outcome = OUTCOME_INTERRUPTED;
        reason = "what kept it was killed, so it was ended";
    } else if (head->timed_out != 0) {
        outcome = OUTCOME_TIMED_OUT;
        reason = "its timeout passed";
    } else if (head->ended != 0 && execution->cancelled) {
        outcome = OUTCOME_CANCELLED;
    } else if (head->ended != 0) {
        outcome = OUTCOME_INTERRUPTED;
        reason = "the executor was stopped while it ran";
    } else if (head->exit == 0) {
        outcome = OUTCOME_SUCCEEDED;
    }
    conclude(execution, outcome, true, reason);
    execution->torn = head->torn != 0;
    execution->finished.exit = head->exit & 0xff;
    execution->finished.signal = head->signal;
    execution->finished.core = head->core != 0;
    execution->finished.usage = head->usage;
}

static void on_message(struct execution *execution,
                       const struct link_message *message)
{
    switch (message->head.kind) {
    case LINK_STARTED:
        execution->phase = PHASE_RUNNING;
        execution->started = clock_steady();
        break;
    case LINK_REFUSED:
        conclude(execution, OUTCOME_INTERRUPTED, false,
                 buf_text(&message->body));
        break;
    default:
        on_exited(execution, &message->head);
    }
}

int on_spawner(struct executor *executor, struct err *err)
{
    _cleanup_message_ struct link_message message = {.out = -1, .err = -1};
    int got = link_receive(executor->link, LINK_EXECUTOR, &message, err);

    if (got == 0) {
        return err_set(err, ERR_FATAL, "the spawner has ended");
    }
    if (got < 0) {
        return -1;
    }
    if (message.head.kind >= LINK_RELOADED) {
        on_reloaded(executor, &message);
        return 0;
    }
    struct execution *execution =
        execution_find(executor, &message.head.execution);
    if (execution != NULL && message.head.kind >= LINK_REFUSED) {
        on_message(execution, &message);
    }
    return 0;
}

void execution_end(struct executor *executor, struct execution *execution)
{
    struct link_message message = link_message_of(LINK_END, &execution->id);
    struct err ignored = {0};

    /* A spawner that is gone is noticed where its messages are read. */
    (void)link_send(executor->link, &message, &ignored);
}

/* As long as what was told before arrives, and the spool is within its bound:
 * also where it is followed, but not for ever, since its asker can do without.
 * What may not be told yet is read all the same, up to a bound: who writes
 * little goes on. */
static bool may_tell(const struct executor *executor,
                     const struct execution *execution, int64_t now)
{
    return execution->undelivered < executor->share &&
           spooled_held(&execution->spooled) < SPOOL_MOST &&
           (execution->replies < executor->share ||
            now - execution->replied > REPLY_PATIENCE);
}

static int advance_running(struct executor *executor,
                           struct execution *execution, int64_t now,
                           struct err *err)
{
    output_read(&execution->output, now);
    bool young = now - execution->started < OUTPUT_WAIT &&
                 execution->output.waiting <= INLINE_MAX;
    if (young || !may_tell(executor, execution, now) ||
        (execution->said_started && !output_due(&execution->output, now))) {
        return 0;
    }
    return tell_waiting(executor, execution, err);
}

/* Everything is delivered: nobody owes anything about it any more. */
static void forget(struct executor *executor, struct execution *execution)
{
    struct err ignored = {0};

    /* SENT that is lost is a result that is sent again, byte for byte. */
    spool_remove(executor->spool, &execution->id);
    (void)ledger_sent(executor->ledger, &execution->id, &ignored);
    execution_free(executor, execution);
}

static int advance_ended(struct executor *executor, struct execution *execution,
                         struct err *err)
{
    if (execution->undelivered > 0) {
        return 0;
    }
    if (execution->unsent.type != NULL) {
        return tell_unsent(executor, execution, err);
    }
    forget(executor, execution);
    return 0;
}

/* Of what was delivered, now and then; of all that can be, where others wait
 * for room. */
static void let_go(const struct executor *executor, struct execution *execution,
                   int64_t now)
{
    bool much = spooled_held(&execution->spooled) >= LET_GO;

    if (execution->undelivered == 0 && (much || now < executor->full_until)) {
        spool_let_go(executor->spool, &execution->id, &execution->spooled);
    }
}

static int advance(struct executor *executor, struct execution *execution,
                   int64_t now, struct err *err)
{
    let_go(executor, execution, now);
    if (execution->phase == PHASE_RECOVERING &&
        recover_more(executor, execution, err) != 0) {
        return -1;
    }
    if (execution->phase == PHASE_ENDED) {
        return advance_ended(executor, execution, err);
    }
    if (execution->exited && finish(executor, execution, now, err) != 0) {
        return -1;
    }
    if (execution->phase == PHASE_RUNNING) {
        return advance_running(executor, execution, now, err);
    }
    return execution->phase == PHASE_ENDED
               ? advance_ended(executor, execution, err)
               : 0;
}

/* How many undelivered records each of them may have. */
static size_t share_of(size_t n)
{
    size_t share = n == 0 ? BACKLOG : BACKLOG_ALL / n;

    return share == 0 ? 1 : share < BACKLOG ? share : BACKLOG;
}

/* One line when the first can't go on, one when all do again. */
static void note_held_up(struct executor *executor, bool held_up,
                         const struct err *why)
{
    const struct log *log = &executor->daemon->log;

    if (held_up && !executor->held_up) {
        log_warning(log, "what runs can't be told: tried again", L_ERR(why));
    } else if (!held_up && executor->held_up) {
        log_info(log, "what runs is told again");
    }
    executor->held_up = held_up;
}

int executions_advance(struct executor *executor, int64_t now, struct err *err)
{
    struct execution *execution;
    struct execution *next;
    bool held_up = false;

    executor->share = share_of(HASH_COUNT(executor->all));
    HASH_ITER (hh, executor->all, execution, next) {
        if (now < execution->again) {
            held_up = true;
            continue;
        }
        execution->again = 0;
        if (advance(executor, execution, now, err) == 0) {
            continue; /* it may be gone */
        }
        if (err->kind != ERR_RETRY) {
            return -1;
        }
        execution->again = now + REFUSED_AGAIN;
        if (execution->exited && execution->refused_since == 0) {
            execution->refused_since = now;
        }
        held_up = true;
    }
    note_held_up(executor, held_up, err);
    return 0;
}

int64_t executions_due(const struct executor *executor, int64_t now,
                       int64_t most)
{
    int64_t due = most;

    for (struct execution *e = executor->all; e != NULL; e = e->hh.next) {
        int64_t at = now + most;
        if (e->again > now) {
            at = e->again;
        } else if (e->output.more && !output_is_full(&e->output)) {
            at = now;
        } else if (e->phase == PHASE_RECOVERING) {
            at = now + RECOVER_AGAIN;
        } else if (e->phase == PHASE_RUNNING && !e->said_started) {
            at = e->started + OUTPUT_WAIT;
        } else if (e->phase == PHASE_RUNNING && e->output.waiting > 0 &&
                   may_tell(executor, e, now)) {
            at = output_due_at(&e->output);
        }
        due = at - now < due ? at - now : due;
    }
    return due < 0 ? 0 : due;
}

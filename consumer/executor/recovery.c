/*
 * recovery.c: what earlier lives of this executor owe, told once after a start,
 * from the ledger that this host holds and for no other.
 *
 * EXIT without SENT: the same results again, byte for byte. START without EXIT:
 * what was left of it is ended by now (leftovers.h), and it is `interrupted`. A
 * first claim of an earlier life, of which the ledger knows nothing: it never
 * began, and is `interrupted`.
 */
#include "consumer/executor/executor.h"

static void conclude(struct execution *execution, bool started,
                     const char *reason)
{
    execution->phase = PHASE_STARTING;
    execution->exited = true;
    execution->finished.outcome = OUTCOME_INTERRUPTED;
    execution->finished.started = started;
    execution->finished.reason = must_strdup(reason);
}

/* Where the chain goes on in its spool: what was delivered may be gone from it.
 * False: nobody can say. */
static bool take_up(struct execution *execution,
                    const struct envelope *envelope)
{
    struct execution_output output;
    struct err ignored = {0};

    if (execution->said_started || event_kind(envelope->type) != EVENT_OUTPUT) {
        return true;
    }
    if (event_decode(EVENT_OUTPUT, envelope, &output, &ignored) != 0) {
        return false;
    }
    int64_t number = output.result.number;
    table_done(&execution_output_table, &output);
    if (number < 1) {
        return false; /* that is `started` */
    }
    execution->number = number;
    execution->chunks = number - 1;
    return true;
}

/* Sends again what was spooled, at the pace of its delivery, and takes the
 * chain up where it ended. 1: there is more. */
static int tell_spooled(struct executor *executor, struct execution *execution,
                        struct err *err)
{
    while (execution->undelivered < executor->share) {
        _cleanup_envelope_ struct envelope envelope = {0};
        int64_t next = 0;
        int got = spool_read(executor->spool, &execution->id,
                             execution->spooled.end, &envelope, &next, err);
        if (got <= 0 || !take_up(execution, &envelope)) {
            return got < 0 ? -1 : 0;
        }
        if (tell_again(executor, execution, &envelope, err) != 0) {
            return -1;
        }
        execution->spooled.end = next;
        execution->chunks += event_kind(envelope.type) == EVENT_OUTPUT;
        execution->number++;
        execution->previous = envelope_hash(&envelope);
        execution->said_started = true;
    }
    return 1;
}

int recover_more(struct executor *executor, struct execution *execution,
                 struct err *err)
{
    const struct entry *entry = ledger_find(executor->ledger, &execution->id);

    int more = tell_spooled(executor, execution, err);
    if (more != 0) {
        return more < 0 ? -1 : 0;
    }
    if (entry->exited) {
        execution->phase = PHASE_ENDED;
        execution->unsent = envelope_dup(&entry->finished);
        return 0;
    }
    conclude(execution, true,
             entry->same_boot
                 ? "the executor was killed while it ran; the end of "
                   "its output may be missing"
                 : "the host was started anew while it ran; the "
                   "end of its output may be missing");
    return 0;
}

static void recover_ledger(struct executor *executor)
{
    const struct entry *entry = NULL;

    while ((entry = ledger_next(executor->ledger, entry)) != NULL) {
        if (!entry->sent && (entry->started || entry->exited) &&
            execution_find(executor, &entry->execution) == NULL) {
            struct execution *execution =
                execution_new(executor, &entry->execution, &entry->incarnation);
            execution->phase = PHASE_RECOVERING;
            execution->claim_offset = entry->claim;
        }
    }
}

void recover(struct executor *executor)
{
    if (!executor->recovered) {
        recover_ledger(executor);
    }
    executor->recovered = true;
    for (size_t i = 0; i < executor->owed.n; i++) {
        const struct debt *debt = &list_at(&executor->owed, struct debt, i);
        if (ledger_find(executor->ledger, &debt->execution) == NULL &&
            execution_find(executor, &debt->execution) == NULL) {
            struct execution *execution =
                execution_new(executor, &debt->execution, &debt->incarnation);
            execution->claim_offset = debt->claim;
            conclude(execution, false,
                     "the executor was killed before it was started");
        }
    }
    free(executor->owed.items);
    executor->owed = (struct list){0};
}

/*
 * recovery.c: what earlier lives of this executor owe, told once after a start,
 * from the ledger that this host holds and for no other.
 *
 * EXIT without SENT: the same results again, byte for byte. START without EXIT:
 * what is left of it is ended, and it is `interrupted`. A first claim of an
 * earlier life, of which the ledger knows nothing: it never began, and is
 * `interrupted`.
 */
#include <poll.h>

#include "consumer/executor/child.h"
#include "consumer/executor/executor.h"
#include "consumer/executor/spool.h"

#define SWEEP_AGAIN 10 /* ms */

static void conclude(struct execution *execution, bool started,
                     const char *reason)
{
    execution->phase = PHASE_STARTING;
    execution->exited = true;
    execution->finished.outcome = OUTCOME_INTERRUPTED;
    execution->finished.started = started;
    execution->finished.reason = must_strdup(reason);
}

/* Sends again what was spooled, and takes the chain up where it ended. */
static int tell_spooled(struct executor *executor, struct execution *execution,
                        struct err *err)
{
    _cleanup_envelopes_ struct list spooled = {0};

    if (spool_read(executor->spool, &execution->id, &spooled, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < spooled.n; i++) {
        const struct envelope *envelope =
            &list_at(&spooled, struct envelope, i);
        execution->chunks += event_kind(envelope->type) == EVENT_OUTPUT;
        execution->number++;
        execution->previous = envelope_hash(envelope);
        execution->said_started = true;
        if (tell_again(executor, execution, envelope, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void end_leftovers(const struct id *execution)
{
    while (child_sweep(execution) > 0) {
        (void)poll(NULL, 0, SWEEP_AGAIN);
    }
}

static int recover_one(struct executor *executor, const struct entry *entry,
                       struct err *err)
{
    struct execution *execution =
        execution_new(executor, &entry->execution, &entry->incarnation);

    execution->claim_offset = entry->claim;
    if (tell_spooled(executor, execution, err) != 0) {
        return -1;
    }
    if (entry->exited) {
        execution->phase = PHASE_ENDED;
        execution->unsent = envelope_dup(&entry->finished);
        return 0;
    }
    end_leftovers(&entry->execution);
    child_clean(executor->children, &entry->execution);
    conclude(execution, true,
             entry->same_boot ? "the executor was killed while it ran"
                              : "the host was started anew while it ran");
    return 0;
}

static int recover_ledger(struct executor *executor, struct err *err)
{
    const struct entry *entry = NULL;

    while ((entry = ledger_next(executor->ledger, entry)) != NULL) {
        if (!entry->sent && (entry->started || entry->exited) &&
            execution_find(executor, &entry->execution) == NULL &&
            recover_one(executor, entry, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int recover(struct executor *executor, struct err *err)
{
    if (!executor->recovered && recover_ledger(executor, err) != 0) {
        err->kind = ERR_FATAL; /* half told: the next life begins anew */
        return -1;
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
    return 0;
}

/* dispatching.c: see dispatching.h. */
#include "consumer/authorizer/dispatching.h"

#include <string.h>

#define DISPATCH_MAX 1000000 /* bytes of a record, below Kafka's MiB */
#define HEADERS_MAX 2000     /* bytes of a record beside its value */

void dispatching_done(struct dispatching *dispatching)
{
    envelopes_done(&dispatching->proof);
}

/* Where one is missing, the proof says what it lacks. */
static int add_request(struct asking *asking, const struct id *id,
                       const struct hash *hash, enum event_kind kind,
                       struct err *err)
{
    _cleanup_event_ struct event *event =
        source_request(asking->source, id, hash, kind, err);

    if (event != NULL) {
        return proof_add(asking->proof, &event->envelope, err);
    }
    if (err->kind != ERR_REJECT) {
        return -1;
    }
    err_clear(err);
    return 0;
}

/* What they are worth the proof says. */
static int find_votes(struct asking *asking, const struct id *run,
                      struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT id, hash FROM votes WHERE run_id = $1 AND approves "
           "ORDER BY cast_at, hash",
           &rows, err, P_ID(run)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct id id = row_id(rows, i, "id");
        struct hash hash = row_hash(rows, i, "hash");
        if (add_request(asking, &id, &hash, EVENT_RUN_APPROVE, err) != 0) {
            return -1;
        }
    }
    return 0;
}

struct planned planned_of_row(const struct rows *rows, size_t row)
{
    return (struct planned){.execution = row_id(rows, row, "id"),
                            .target = (char *)row_text(rows, row, "target"),
                            .generation = row_int(rows, row, "generation"),
                            .attempt = row_int(rows, row, "attempt"),
                            .max_wait = row_int(rows, row, "max_wait"),
                            .longest_wait = row_int(rows, row, "longest_wait")};
}

int dispatching_find(struct asking *asking, const struct id *run,
                     struct dispatching *dispatching, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT r.hash, r.command_hash, r.schedule_id, "
           "a.hash AS assigned FROM runs r "
           "LEFT JOIN assignments a ON a.command_id = r.command_id "
           "AND a.user_id = r.user_id WHERE r.id = $1",
           &rows, err, P_ID(run)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return err_set(err, ERR_FATAL, "a run without its row");
    }
    struct hash assigned = row_hash(rows, 0, "assigned");
    bool scheduled = !row_is_null(rows, 0, "schedule_id");
    dispatching->run = row_hash(rows, 0, "hash");
    dispatching->key = run_key(run, &dispatching->run, scheduled);
    dispatching->command = row_hash(rows, 0, "command_hash");
    if (!row_is_null(rows, 0, "assigned") &&
        source_fetch(asking->source, &assigned, asking->proof, err) != 0) {
        return -1;
    }
    return add_request(asking, run, &dispatching->run,
                       scheduled ? EVENT_RUN_TICK : EVENT_RUN_START, err)
               ?: find_votes(asking, run, err);
}

/* Without it nothing can be dispatched at all. */
static int prove_self(struct asking *asking, struct err *err)
{
    const struct daemon *daemon = asking->daemon;
    const struct service_enrol *own;

    if (proof_add_all(asking->proof, &daemon->enrolment, err) != 0 ||
        proof_service(asking->proof, &daemon->by, SERVICE_AUTHORIZER, NULL,
                      asking->now, &own, err) != 0) {
        err->kind = ERR_FATAL;
        return err_wrap(err, "the own enrolment");
    }
    return 0;
}

int dispatching_prove(struct asking *asking, struct dispatching *dispatching,
                      const struct list *targets, struct err *reason,
                      struct err *err)
{
    struct order *order = &dispatching->order;

    proof_forget_used(asking->proof);
    if (prove_self(asking, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < targets->n; i++) {
        if ((dispatching->unapproved ? proof_asked : proof_run)(
                asking->proof, &dispatching->run, &dispatching->command,
                list_at(targets, char *, i), order, reason) != 0) {
            if (reason->kind != ERR_REJECT) {
                *err = *reason;
            }
            return -1;
        }
    }
    int64_t latest = asking->now + order->command->wait * 1000;
    dispatching->expires =
        latest < order->run->deadline ? latest : order->run->deadline;
    envelopes_done(&dispatching->proof);
    proof_used(asking->proof, &dispatching->proof);
    return dispatching->proof.n <= PROOF_MAX
               ? 0
               : err_set(reason, ERR_REJECT,
                         "the run's proof has %zu envelopes, and at most %d "
                         "can be sent",
                         dispatching->proof.n, PROOF_MAX);
}

/* What a label reaches may allow less than the command's wait, and so may a
 * target that was changed since the command was saved. */
int64_t dispatching_expires(const struct asking *asking,
                            const struct dispatching *dispatching,
                            const struct planned *planned)
{
    int64_t latest = asking->decision.at + planned->max_wait * 1000;

    return latest < dispatching->expires ? latest : dispatching->expires;
}

int dispatching_add(struct asking *asking,
                    const struct dispatching *dispatching,
                    const struct planned *planned, struct err *err)
{
    const struct daemon *daemon = asking->daemon;
    struct dispatch dispatch = {
        .head = head_new(&daemon->root, &daemon->by, asking->decision.at),
        .expires = dispatching_expires(asking, dispatching, planned),
        .execution = planned->execution,
        .run = dispatching->run,
        .command = dispatching->command,
        .target = planned->target,
        .attempt = planned->attempt,
        .seq = standing_seq(asking_standing(asking)),
        .log = *standing_head(asking_standing(asking)),
        .proof = dispatching->proof,
    };
    _cleanup_envelope_ struct envelope envelope = {0};

    if (event_sign(EVENT_DISPATCH, &dispatch, daemon->keys, NULL, &envelope,
                   err) != 0) {
        return -1;
    }
    if (envelope.payload.len > DISPATCH_MAX - HEADERS_MAX) {
        return err_set(err, ERR_REJECT,
                       "the dispatch would have %zu bytes: more than can be "
                       "sent",
                       envelope.payload.len);
    }
    asking_place(asking, planned->target, planned->generation,
                 planned->longest_wait);
    asking_order_take(asking, &envelope, &planned->execution, planned->target,
                      planned->generation);
    return 0;
}

static const struct order_out *order_of(const struct asking *asking,
                                        const struct id *execution)
{
    const struct list *orders = &asking->decision.orders;

    for (size_t i = 0; i < orders->n; i++) {
        const struct order_out *order = &list_at(orders, struct order_out, i);
        if (id_equal(&order->execution, execution)) {
            return order;
        }
    }
    return NULL;
}

static int store_one(struct asking *asking,
                     const struct dispatching *dispatching,
                     const struct id *run, const struct planned *planned,
                     struct err *err)
{
    const struct order_out *order = order_of(asking, &planned->execution);
    _cleanup_buf_ struct buf json = {0};
    _cleanup_rows_ struct rows *rows = NULL;

    if (order != NULL && envelope_encode(&order->envelope, &json, err) != 0) {
        return -1;
    }
    if (PG(asking->daemon->postgres,
           "INSERT INTO executions (id, run_id, target, generation, attempt, "
           "due, dispatch, issued, expires) "
           "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
           "ON CONFLICT (id) DO UPDATE SET dispatch = excluded.dispatch, "
           "issued = excluded.issued, expires = excluded.expires "
           "WHERE executions.dispatch IS NULL AND executions.withheld IS NULL",
           &rows, err, P_ID(&planned->execution), P_ID(run),
           P_TEXT(planned->target), P_INT(planned->generation),
           P_INT(planned->attempt), P_TIME(planned->due),
           order == NULL ? P_NULL : P_BUF(&json),
           order == NULL ? P_NULL : P_TIME(asking->decision.at),
           order == NULL ? P_NULL
                         : P_TIME(dispatching_expires(asking, dispatching,
                                                      planned))) != 0) {
        return -1;
    }
    return rows_n(rows) == 1
               ? 0
               : err_set(err, ERR_RETRY,
                         "an execution on %s was dispatched or withheld "
                         "meanwhile",
                         planned->target);
}

int dispatching_store(struct asking *asking,
                      const struct dispatching *dispatching,
                      const struct id *run, const struct list *planned,
                      struct err *err)
{
    int done = 0;

    for (size_t i = 0; done == 0 && i < planned->n; i++) {
        done = store_one(asking, dispatching, run,
                         &list_at(planned, struct planned, i), err);
    }
    return done;
}

int dispatching_recall(struct asking *asking, const struct id *run,
                       struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT e.id, e.target, e.generation, e.dispatch, t.longest_wait "
           "FROM executions e JOIN targets t ON t.name = e.target "
           "WHERE e.run_id = $1 AND NOT e.ended AND e.expires > $2",
           &rows, err, P_ID(run), P_TIME(asking->now)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        _cleanup_buf_ struct buf json = row_bytes(rows, i, "dispatch");
        struct envelope envelope = {0};
        struct id execution = row_id(rows, i, "id");
        const char *target = row_text(rows, i, "target");
        int64_t generation = row_int(rows, i, "generation");
        if (envelope_decode(json.data, json.len, &envelope, err) != 0) {
            return err_wrap(err, "table executions");
        }
        asking_place(asking, target, generation,
                     row_int(rows, i, "longest_wait"));
        asking_order_take(asking, &envelope, &execution, target, generation);
    }
    return 0;
}

/*
 * start.c: run.start: a run is accepted, with one execution for each target
 * that it names, or refused.
 *
 * PostgreSQL says which version of the command is meant and may refuse; whether
 * it is allowed at all is asked of the proof, by the same code as the
 * executor's. What the proof needed on the way goes into the dispatches.
 * Issued, expiry and envelopes are stored as they are sent, and never reckoned
 * again.
 */
#include <string.h>

#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/views.h"
#include "trust/reach.h"

#define DISPATCH_MAX 1000000 /* bytes of a record, below Kafka's MiB */

struct plan {
    const struct run_start *run;
    char *name; /* the command's */
    int64_t version;
    struct hash command; /* its command.save */
    int64_t expires;
    struct rows *targets; /* name, generation, max_wait, longest_wait, heard */
    struct list proof;    /* struct envelope */
    struct run_answer answer;
};

static void plan_done(struct plan *plan)
{
    free(plan->name);
    rows_free(plan->targets);
    envelopes_done(&plan->proof);
    table_done(&run_answer_table, &plan->answer);
}

static int check_names(struct asking *asking, const struct plan *plan)
{
    const struct list *targets = &plan->run->targets;

    if (targets->n == 0) {
        return asking_refuse(asking, REPLY_INVALID, "no target is named");
    }
    for (size_t i = 0; i < targets->n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(list_at(targets, char *, i),
                       list_at(targets, char *, j)) == 0) {
                return asking_refuse(asking, REPLY_INVALID,
                                     "target %s is "
                                     "named twice",
                                     list_at(targets, char *, i));
            }
        }
    }
    return plan->run->deadline > asking->now
               ? 0
               : asking_refuse(asking, REPLY_STALE,
                               "the run's deadline has "
                               "passed");
}

/* The command in the version that counts for the asker. Their assignment goes
 * into the proof: there it has to stand the test. */
static int find_command(struct asking *asking, struct plan *plan,
                        struct err *err)
{
    bool all = asking_by_administrator(asking);
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT c.name, a.hash AS assigned, "
           "coalesce(v.version, c.version) AS version, "
           "coalesce(v.hash, c.hash) AS hash FROM commands c "
           "LEFT JOIN assignments a ON a.command_id = c.id AND a.user_id = $2 "
           "AND (a.until IS NULL OR a.until >= $3) AND NOT $4::boolean "
           "LEFT JOIN command_versions v ON v.command_id = c.id "
           "AND v.version = a.pin WHERE c.id = $1",
           &rows, err, P_ID(&plan->run->command),
           P_ID(&asking->signer.person.user), P_TIME(asking->now),
           P_BOOL(all)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_hide(asking, "no such command");
    }
    plan->name = must_strdup(row_text(rows, 0, "name"));
    asking_about(asking, plan->name);
    plan->version = row_int(rows, 0, "version");
    plan->command = row_hash(rows, 0, "hash");
    if (!all && row_is_null(rows, 0, "assigned")) {
        return asking_hide(asking, "%s has no assignment to command %s",
                           asking->signer.person.email, plan->name);
    }
    struct hash assigned = row_hash(rows, 0, "assigned");
    return all ? 0
               : source_fetch(asking->source, &assigned, asking->proof, err);
}

static int refuse_arguments(struct asking *asking,
                            const struct command_save *save,
                            const struct run_start *run)
{
    struct err bad = {0};

    for (size_t i = 0; i < run->targets.n; i++) {
        const char *target = list_at(&run->targets, char *, i);
        if (!reach_holds(asking_standing(asking), &save->targets, target)) {
            return asking_refuse(asking, REPLY_INVALID,
                                 "command %s is not for "
                                 "target %s",
                                 save->name, target);
        }
    }
    if (arguments_check(&save->parameters, &run->arguments, NULL, &bad) != 0) {
        return asking_refuse(asking, REPLY_INVALID, "%s", bad.text);
    }
    if (run->deadline >
        run->request.head.issued + REQUEST_LIFE + save->wait * 1000) {
        return asking_refuse(asking, REPLY_INVALID,
                             "the run's deadline is "
                             "later than the command's wait allows");
    }
    return 0;
}

/* The proof says no. What is wrong in the request itself the asker may know;
 * the rest speaks of others. */
static int refuse_unproven(struct asking *asking, const struct plan *plan,
                           struct err *reason, struct err *err)
{
    if (reason->kind != ERR_REJECT) {
        *err = *reason;
        return -1;
    }
    _cleanup_event_ struct event *event =
        source_event(asking->source, &plan->command, EVENT_COMMAND_SAVE, err);
    if (event == NULL && err->kind != ERR_REJECT) {
        return -1;
    }
    int told =
        event == NULL ? 0 : refuse_arguments(asking, event->payload, plan->run);
    return told != 0 ? told : asking_refuse_or_hide(asking, reason->text);
}

/* The proof for each target, and with it the authorizer's own chain. */
static int prove(struct asking *asking, struct plan *plan, struct err *err)
{
    const struct daemon *daemon = asking->daemon;
    const struct service_enrol *own;
    struct order order = {0};
    struct err reason = {0};

    proof_forget_used(asking->proof);
    if (proof_add(asking->proof, &asking->request->envelope, err) != 0 ||
        proof_add_all(asking->proof, &daemon->enrolment, err) != 0 ||
        proof_service(asking->proof, &daemon->by, SERVICE_AUTHORIZER, NULL,
                      asking->now, &own, err) != 0) {
        err->kind = ERR_FATAL;
        return err_wrap(err, "the own enrolment");
    }
    for (size_t i = 0; i < plan->run->targets.n; i++) {
        const char *target = list_at(&plan->run->targets, char *, i);
        if (proof_run(asking->proof, &asking->request->hash, &plan->command,
                      target, &order, &reason) != 0) {
            return refuse_unproven(asking, plan, &reason, err);
        }
    }
    int64_t latest = asking->now + order.command->wait * 1000;
    plan->expires = latest < plan->run->deadline ? latest : plan->run->deadline;
    proof_used(asking->proof, &plan->proof);
    return plan->proof.n <= PROOF_MAX
               ? 0
               : asking_refuse(asking, REPLY_INVALID,
                               "the run's proof has %zu "
                               "envelopes, and at most %d can be sent",
                               plan->proof.n, PROOF_MAX);
}

/* What the person may run there can't begin for now. */
static int check_in_use(struct asking *asking, const struct plan *plan)
{
    for (size_t i = 0; i < plan->run->targets.n; i++) {
        const char *name = list_at(&plan->run->targets, char *, i);
        const struct place_standing *place =
            standing_place(asking_standing(asking), name);
        if (place != NULL && place->state == TARGET_DRAINED) {
            return asking_refuse(asking, REPLY_CONFLICT,
                                 "%s is drained: nothing new is started there "
                                 "for now",
                                 name);
        }
    }
    return 0;
}

static int find_targets(struct asking *asking, struct plan *plan,
                        struct err *err)
{
    _cleanup_free_ char *names = names_array(&plan->run->targets);

    if (PG(asking->daemon->postgres,
           "SELECT t.name, t.generation, t.max_wait, t.longest_wait, "
           "(SELECT max(e.heard_at) "
           "FROM executors e WHERE e.target = t.name) AS heard FROM targets t "
           "WHERE t.name = ANY ($1::text[]) ORDER BY t.name",
           &plan->targets, err, P_TEXT(names)) != 0) {
        return -1;
    }
    return rows_n(plan->targets) == plan->run->targets.n
               ? 0
               : asking_refuse_or_hide(asking, "a target of the command is not "
                                               "there");
}

/* What a label reaches may allow less than the command's wait, and so may a
 * target that was changed since the command was saved. */
static int64_t expires_at(const struct asking *asking, const struct plan *plan,
                          size_t i)
{
    int64_t latest =
        asking->decision.at + row_int(plan->targets, i, "max_wait") * 1000;

    return latest < plan->expires ? latest : plan->expires;
}

/* One execution: its dispatch, signed, and its row in the answer. */
static int add_execution(struct asking *asking, struct plan *plan, size_t i,
                         struct err *err)
{
    const struct daemon *daemon = asking->daemon;
    const char *target = row_text(plan->targets, i, "name");
    int64_t generation = row_int(plan->targets, i, "generation");
    int64_t heard = row_time(plan->targets, i, "heard");
    int64_t expires = expires_at(asking, plan, i);
    struct dispatch dispatch = {
        .head = head_new(&daemon->root, &daemon->by, asking->decision.at),
        .expires = expires,
        .execution = execution_id(&plan->run->request.head.id,
                                  &asking->request->hash, target, 1),
        .run = asking->request->hash,
        .command = plan->command,
        .target = (char *)target,
        .attempt = 1,
        .seq = standing_seq(asking_standing(asking)),
        .log = *standing_head(asking_standing(asking)),
        .proof = plan->proof,
    };
    _cleanup_envelope_ struct envelope envelope = {0};

    if (event_sign(EVENT_DISPATCH, &dispatch, daemon->keys, NULL, &envelope,
                   err) != 0) {
        return -1;
    }
    if (envelope.payload.len > DISPATCH_MAX - 2000) {
        return asking_refuse(asking, REPLY_INVALID,
                             "the dispatch would have "
                             "%zu bytes: more than can be sent",
                             envelope.payload.len);
    }
    struct execution_row *row =
        list_grow(&plan->answer.executions, sizeof(*row));
    *row = (struct execution_row){.execution = dispatch.execution,
                                  .target = must_strdup(target),
                                  .attempt = 1,
                                  .state = EXECUTION_WAITING,
                                  .expires = expires,
                                  .heard = heard,
                                  .silent = heard < asking->now - SILENT_AFTER};
    asking_place(asking, target, generation,
                 row_int(plan->targets, i, "longest_wait"));
    asking_order_take(asking, &envelope, &dispatch.execution, target,
                      generation);
    return 0;
}

static int add_executions(struct asking *asking, struct plan *plan,
                          struct err *err)
{
    int done = 0;

    for (size_t i = 0; done == 0 && i < rows_n(plan->targets); i++) {
        done = add_execution(asking, plan, i, err);
    }
    return done;
}

static int answer(struct asking *asking, struct plan *plan, struct err *err)
{
    struct run_row *row = &plan->answer.run;

    *row = (struct run_row){
        .run = plan->run->request.head.id,
        .command_id = plan->run->command,
        .command = must_strdup(plan->name),
        .version = plan->version,
        .asked_by = must_strdup(asking->signer.person.email),
        .asked = plan->run->request.head.issued,
    };
    pairs_add_all(&row->arguments, &plan->run->arguments);
    return asking_answer_take(asking, &run_answer_table, &plan->answer, err);
}

static int store_run(struct asking *asking, const struct plan *plan,
                     struct err *err)
{
    _cleanup_free_ char *arguments = NULL;
    const struct run_start *run = plan->run;

    if (arguments_json(&run->arguments, &arguments, err) != 0) {
        return -1;
    }
    return PG(
        asking->daemon->postgres,
        "INSERT INTO runs (id, hash, command_id, version, command_hash, "
        "user_id, asked_at, deadline, arguments) VALUES ($1, $2, $3, $4, "
        "$5, $6, $7, $8, $9::json -> 'arguments')",
        NULL, err, P_ID(&run->request.head.id), P_HASH(&asking->request->hash),
        P_ID(&run->command), P_INT(plan->version), P_HASH(&plan->command),
        P_ID(&asking->signer.person.user), P_TIME(run->request.head.issued),
        P_TIME(run->deadline), P_TEXT(arguments));
}

/* The orders stand as the targets' rows do. */
static int store_executions(struct asking *asking, const struct plan *plan,
                            struct err *err)
{
    for (size_t i = 0; i < asking->decision.orders.n; i++) {
        const struct order_out *order =
            &list_at(&asking->decision.orders, struct order_out, i);
        _cleanup_buf_ struct buf json = {0};
        if (envelope_encode(&order->envelope, &json, err) != 0 ||
            PG(asking->daemon->postgres,
               "INSERT INTO executions (id, run_id, target, generation, "
               "attempt, dispatch, issued, expires) "
               "VALUES ($1, $2, $3, $4, 1, $5, $6, $7)",
               NULL, err, P_ID(&order->execution),
               P_ID(&plan->run->request.head.id), P_TEXT(order->target),
               P_INT(order->generation), P_BUF(&json),
               P_TIME(asking->decision.at),
               P_TIME(expires_at(asking, plan, i))) != 0) {
            return -1;
        }
    }
    return 0;
}

int on_run_start(struct asking *asking, struct err *err)
{
    _cleanup_(plan_done) struct plan plan = {.run = asking->request->payload};

    return check_names(asking, &plan)
               ?: find_command(asking, &plan, err)
               ?: prove(asking, &plan, err)
               ?: check_in_use(asking, &plan)
               ?: find_targets(asking, &plan, err)
               ?: add_executions(asking, &plan, err)
               ?: answer(asking, &plan, err)
               ?: asking_store(asking, err)
               ?: store_run(asking, &plan, err)
               ?: store_executions(asking, &plan, err);
}

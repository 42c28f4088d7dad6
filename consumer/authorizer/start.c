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

#include "consumer/authorizer/approvals.h"
#include "consumer/authorizer/dispatching.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/recipients.h"
#include "consumer/authorizer/start.h"
#include "consumer/authorizer/views.h"
#include "trust/reach.h"

static const struct order *order_of(const struct plan *plan)
{
    return &plan->dispatching.order;
}

void plan_done(struct plan *plan)
{
    free(plan->name);
    rows_free(plan->targets);
    dispatching_done(&plan->dispatching);
    pairs_done(&plan->recorded);
    free(plan->planned.items);
    table_done(&run_answer_table, &plan->answer);
}

int plan_check_names(struct asking *asking, const struct plan *plan)
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
    plan->dispatching.run = asking->request->hash;
    plan->dispatching.command = row_hash(rows, 0, "hash");
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
    if (secrets_check(&save->parameters, &run->boxes, &bad) != 0) {
        return asking_refuse(asking, REPLY_INVALID, "%s", bad.text);
    }
    if (run->deadline > run_latest(run, save)) {
        return asking_refuse(asking, REPLY_INVALID,
                             "the run's deadline is later than the command's "
                             "wait and limits allow");
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
    _cleanup_event_ struct event *event = source_event(
        asking->source, &plan->dispatching.command, EVENT_COMMAND_SAVE, err);
    if (event == NULL && err->kind != ERR_REJECT) {
        return -1;
    }
    int told =
        event == NULL ? 0 : refuse_arguments(asking, event->payload, plan->run);
    return told != 0 ? told : asking_refuse_or_hide(asking, reason->text);
}

/* Nobody can have approved it before it is asked for. */
static int prove(struct asking *asking, struct plan *plan, struct err *err)
{
    struct err reason = {0};

    plan->dispatching.unapproved = true;
    if (proof_add(asking->proof, &asking->request->envelope, err) != 0) {
        return -1;
    }
    if (dispatching_prove(asking, &plan->dispatching, &plan->run->targets,
                          &reason, err) == 0) {
        plan->dispatching.key =
            run_key(&plan->run->request.head.id, &asking->request->hash,
                    order_of(plan)->schedule != NULL);
        run_recorded(&plan->dispatching.order.command->parameters, plan->run,
                     &plan->recorded);
        return 0;
    }
    return reason.kind == ERR_REJECT
               ? refuse_unproven(asking, plan, &reason, err)
               : -1;
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

static const struct pace *pace_of(const struct plan *plan)
{
    return &order_of(plan)->command->pace;
}

static bool waits_for_approval(const struct plan *plan)
{
    return order_of(plan)->command->approve.count > 0;
}

/* Something may follow from its outcomes, or from others': once it is approved,
 * where it has to be. */
static bool is_advancing(const struct plan *plan)
{
    return !waits_for_approval(plan) &&
           pace_advances(pace_of(plan), plan->planned.n);
}

static void plan_execution(struct asking *asking, struct plan *plan, size_t i)
{
    const char *target = row_text(plan->targets, i, "name");
    int64_t heard = row_time(plan->targets, i, "heard");
    struct planned *planned = list_grow(&plan->planned, sizeof(*planned));
    struct execution_row *row =
        list_grow(&plan->answer.executions, sizeof(*row));

    *planned = (struct planned){
        .execution = execution_id(&plan->run->request.head.id,
                                  &plan->dispatching.key, target, 1),
        .target = (char *)target,
        .generation = row_int(plan->targets, i, "generation"),
        .attempt = 1,
        .max_wait = row_int(plan->targets, i, "max_wait"),
        .longest_wait = row_int(plan->targets, i, "longest_wait")};
    *row = (struct execution_row){.execution = planned->execution,
                                  .target = must_strdup(target),
                                  .attempt = 1,
                                  .state = EXECUTION_PLANNED,
                                  .heard = heard,
                                  .silent = heard < asking->now - SILENT_AFTER};
}

static int dispatch(struct asking *asking, struct plan *plan, size_t i,
                    struct err *err)
{
    struct execution_row *row =
        &list_at(&plan->answer.executions, struct execution_row, i);
    const struct planned *planned = &list_at(&plan->planned, struct planned, i);
    struct err reason = {0};

    if (dispatching_add(asking, &plan->dispatching, planned, &reason) != 0) {
        if (reason.kind == ERR_REJECT) {
            return asking_refuse(asking, REPLY_INVALID, "%s", reason.text);
        }
        *err = reason;
        return -1;
    }
    row->state = EXECUTION_WAITING;
    row->expires = dispatching_expires(asking, &plan->dispatching, planned);
    return 0;
}

/* The first wave, where it need wait neither for its turn nor for approval;
 * what follows is decided by run.advance, or run.approve. */
static int add_executions(struct asking *asking, struct plan *plan,
                          struct err *err)
{
    size_t n = rows_n(plan->targets);
    size_t first = plan->turn.waits || waits_for_approval(plan)
                       ? 0
                       : pace_parallel(pace_of(plan), n);
    int done = 0;

    for (size_t i = 0; i < n; i++) {
        plan_execution(asking, plan, i);
    }
    for (size_t i = 0; done == 0 && i < first; i++) {
        done = dispatch(asking, plan, i, err);
    }
    return done;
}

static int answer(struct asking *asking, struct plan *plan, struct err *err)
{
    struct run_row *row = &plan->answer.run;

    plan->answer.attempts = pace_attempts(pace_of(plan));
    *row = (struct run_row){
        .run = plan->run->request.head.id,
        .command_id = plan->run->command,
        .command = must_strdup(plan->name),
        .version = plan->version,
        .asked_by = must_strdup(order_of(plan)->asker.email),
        .asked = plan->run->request.head.issued,
        .state = waits_for_approval(plan) ? RUN_PENDING : RUN_WAITING,
    };
    pairs_add_all(&row->arguments, &plan->recorded);
    if (waits_for_approval(plan)) {
        row->pending =
            approval_told(plan->run, &order_of(plan)->command->approve);
    }
    return asking_answer_take(asking, &run_answer_table, &plan->answer, err);
}

static int store_run(struct asking *asking, const struct plan *plan,
                     struct err *err)
{
    _cleanup_free_ char *arguments = NULL;
    const struct run_start *run = plan->run;

    if (arguments_json(&plan->recorded, &arguments, err) != 0) {
        return -1;
    }
    return PG(asking->daemon->postgres,
              "INSERT INTO runs (id, hash, command_id, version, command_hash, "
              "user_id, asked_at, deadline, arguments, advancing, begun, turn, "
              "attempts, schedule_id) "
              "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
              "$9::json -> 'arguments', $10, $11, $12, $13, $14)",
              NULL, err, P_ID(&run->request.head.id),
              P_HASH(&asking->request->hash), P_ID(&run->command),
              P_INT(plan->version), P_HASH(&plan->dispatching.command),
              P_ID(&order_of(plan)->asker.user),
              P_TIME(run->request.head.issued), P_TIME(run->deadline),
              P_TEXT(arguments), P_BOOL(is_advancing(plan)),
              P_BOOL(!plan->turn.waits),
              hash_is_zero(&plan->turn.key) ? P_NULL : P_HASH(&plan->turn.key),
              P_INT(pace_attempts(pace_of(plan))),
              order_of(plan)->schedule == NULL
                  ? P_NULL
                  : P_ID(&order_of(plan)->schedule->schedule));
}

/* Nothing follows from how it begins. */
static int store_progress(struct asking *asking, const struct plan *plan,
                          struct err *err)
{
    return is_advancing(plan)
               ? PG(asking->daemon->postgres,
                    "UPDATE runs SET progress = run_progress(id, $2) "
                    "WHERE id = $1",
                    NULL, err, P_ID(&plan->run->request.head.id),
                    P_TIME(asking->now))
               : 0;
}

int plan_start(struct asking *asking, struct plan *plan, struct err *err)
{
    return prove(asking, plan, err)
               ?: approval_check_run(asking, &plan->dispatching, err)
               ?: check_in_use(asking, plan)
               ?: recipients_check(asking, plan->run, err)
               ?: find_targets(asking, plan, err)
               ?: turn_take(asking, order_of(plan), &plan->turn, err)
               ?: add_executions(asking, plan, err)
               ?: answer(asking, plan, err)
               ?: asking_store(asking, err)
               ?: store_run(asking, plan, err)
               ?: dispatching_store(asking, &plan->dispatching,
                                    &plan->run->request.head.id, &plan->planned,
                                    err)
               ?: turn_replace(asking, &plan->turn, err)
               ?: approval_store(asking, plan->run, &order_of(plan)->command->approve,
                                 err)
               ?: store_progress(asking, plan, err);
}

int on_run_start(struct asking *asking, struct err *err)
{
    _cleanup_plan_ struct plan plan = {.run = asking->request->payload};

    return plan_check_names(asking, &plan)
               ?: find_command(asking, &plan, err)
               ?: plan_start(asking, &plan, err);
}

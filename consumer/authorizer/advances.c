/*
 * advances.c: run.advance: what follows from a run's outcomes: the next wave,
 * another attempt, the rest cancelled, its turn, its end.
 *
 * Asked by a scheduler, which knows only that something came; decided here by
 * what PostgreSQL holds and the command's author signed (advance_plan.h), with
 * the run's row locked. The request's id is derived from how the run is, so it
 * is decided once; what was decided on moves the run on, or is noted, so that
 * nobody asks again.
 */
#include <string.h>

#include "consumer/authorizer/advance_plan.h"
#include "consumer/authorizer/closings.h"
#include "consumer/authorizer/dispatching.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/turns.h"
#include "model/advance.h"

struct following {
    const struct run_advance *said;
    struct id command;
    struct event *save; /* command.save */
    struct dispatching dispatching;
    struct rows *rows; /* the executions */
    int64_t heard;     /* outcomes among them; a final one counts twice */
    struct advance plan;
};

static void following_done(struct following *following)
{
    event_free(following->save);
    dispatching_done(&following->dispatching);
    rows_free(following->rows);
    free(following->plan.rows);
}

/* Locks the command first, where turns are taken, and then the run: as
 * whoever starts one does. */
static int lock(struct asking *asking, struct following *following,
                struct err *err)
{
    const struct id *run = &following->said->run;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT r.command_id, r.turn, c.name FROM runs r "
           "JOIN commands c ON c.id = r.command_id WHERE r.id = $1",
           &rows, err, P_ID(run)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_refuse(asking, REPLY_NOT_FOUND, "there is no such run");
    }
    following->command = row_id(rows, 0, "command_id");
    asking_about(asking, row_text(rows, 0, "name"));
    return (!row_is_null(rows, 0, "turn") &&
            turn_lock(asking, &following->command, err) != 0) ||
                   PG(asking->daemon->postgres,
                      "SELECT FROM runs WHERE id = $1 FOR NO KEY UPDATE", NULL,
                      err, P_ID(run)) != 0
               ? -1
               : 0;
}

/* Whoever asks has seen the run as it is now. */
static int check_said(struct asking *asking, struct following *following,
                      struct err *err)
{
    const struct run_advance *said = following->said;
    const struct head *head = &said->request.head;
    struct id id = advance_id(&said->run, &said->progress);
    _cleanup_rows_ struct rows *rows = NULL;

    if (!id_equal(&id, &head->id)) {
        return asking_aside(err, "the request's id is not that of its run and "
                                 "progress");
    }
    if (PG(asking->daemon->postgres,
           "SELECT advancing, begun, command_hash, "
           "run_progress(id, $2) AS progress, NOT advancing AND NOT EXISTS "
           "(SELECT FROM executions e WHERE e.run_id = runs.id "
           "AND NOT e.ended) AS over FROM runs WHERE id = $1",
           &rows, err, P_ID(&said->run), P_TIME(head->issued)) != 0) {
        return -1;
    }
    struct hash progress = row_hash(rows, 0, "progress");
    struct hash command = row_hash(rows, 0, "command_hash");
    if (row_bool(rows, 0, "over")) {
        return asking_refuse(asking, REPLY_CONFLICT, "the run is over");
    }
    if (!row_bool(rows, 0, "advancing") ||
        !hash_equal(&progress, &said->progress)) {
        return asking_aside(err, "the run has gone on since");
    }
    following->plan.begun = row_bool(rows, 0, "begun");
    following->save =
        source_event(asking->source, &command, EVENT_COMMAND_SAVE, err);
    return following->save == NULL ? -1 : 0;
}

static int take_turn(struct asking *asking, struct following *following,
                     struct err *err)
{
    return following->plan.begun ? 0
                                 : turn_come(asking, &following->said->run,
                                             &following->plan.begun, err);
}

static int state_of(const struct rows *rows, size_t i)
{
    if (row_bool(rows, i, "ended")) {
        return ADVANCE_ENDED;
    }
    if (!row_is_null(rows, i, "issued")) {
        return ADVANCE_OPEN;
    }
    return row_bool(rows, i, "withheld") ? ADVANCE_WITHHELD : ADVANCE_PLANNED;
}

static int plan(struct asking *asking, struct following *following,
                struct err *err)
{
    struct advance *advance = &following->plan;
    const struct command_save *save = following->save->payload;

    if (PG(asking->daemon->postgres,
           "SELECT e.id, e.target, e.generation, e.attempt, e.due, e.ended, "
           "e.issued, e.withheld IS NOT NULL AS withheld, x.outcome, "
           "c.execution_id IS NOT NULL AS cancelled, t.max_wait, "
           "t.longest_wait, t.generation <> e.generation AS replaced "
           "FROM executions e JOIN targets t ON t.name = e.target "
           "LEFT JOIN cancellations c ON c.execution_id = e.id "
           "LEFT JOIN results x ON x.execution_id = e.id "
           "WHERE e.run_id = $1 ORDER BY e.target COLLATE \"C\", e.attempt",
           &following->rows, err, P_ID(&following->said->run)) != 0) {
        return -1;
    }
    const struct rows *rows = following->rows;
    advance->pace = &save->pace;
    advance->now = following->said->request.head.issued;
    advance->n = rows_n(rows);
    advance->rows = must_calloc(advance->n, sizeof(*advance->rows));
    for (size_t i = 0; i < advance->n; i++) {
        const char *text = row_text(rows, i, "outcome");
        int outcome = text == NULL ? 0 : word_value(&outcome_words, text);
        following->heard +=
            (outcome != 0) + (outcome != 0 && outcome != OUTCOME_LOST);
        advance->rows[i] =
            (struct advance_row){.target = row_text(rows, i, "target"),
                                 .attempt = row_int(rows, i, "attempt"),
                                 .state = state_of(rows, i),
                                 .outcome = outcome,
                                 .due = row_time(rows, i, "due"),
                                 .cancelled = row_bool(rows, i, "cancelled")};
    }
    advance_plan(advance);
    return 0;
}

static int store(struct asking *asking, const struct following *following,
                 const struct planned *planned, struct err *err)
{
    struct list one = {(void *)planned, 1};

    return dispatching_store(asking, &following->dispatching,
                             &following->said->run, &one, err);
}

static int withhold(struct asking *asking, const struct planned *planned,
                    const char *why, struct err *err)
{
    return PG(asking->daemon->postgres,
              "UPDATE executions SET withheld = $2 WHERE id = $1 "
              "AND dispatch IS NULL AND withheld IS NULL",
              NULL, err, P_ID(&planned->execution), P_TEXT(why));
}

static int withhold_rest(struct asking *asking, struct following *following,
                         size_t i, struct err *err)
{
    const struct advance *advance = &following->plan;
    struct planned planned = planned_of_row(following->rows, i);
    _cleanup_free_ char *why = must_printf(
        "it went wrong on %zu of %zu targets, and max_errors = %s",
        advance->errors, advance->targets, advance->pace->max_errors);

    return withhold(asking, &planned, why, err);
}

/* What was allowed when the run was accepted may not be any more: people,
 * commands and targets are removed, labels change. */
static int dispatch(struct asking *asking, struct following *following,
                    size_t i, struct err *err)
{
    struct planned planned = planned_of_row(following->rows, i);
    struct list targets = {&planned.target, 1};
    struct err reason = {0};

    if (row_bool(following->rows, i, "replaced")) {
        return withhold(asking, &planned, "its target was removed", err);
    }
    if (dispatching_prove(asking, &following->dispatching, &targets, &reason,
                          err) == 0) {
        if (following->dispatching.expires <= asking->decision.at) {
            return 0; /* too late for the run: the scheduler closes it */
        }
        if (dispatching_add(asking, &following->dispatching, &planned,
                            &reason) == 0) {
            return store(asking, following, &planned, err);
        }
    }
    if (reason.kind != ERR_REJECT) {
        *err = reason.kind == ERR_NONE ? *err : reason;
        return -1;
    }
    log_warning(&asking->daemon->log, "not allowed any more",
                L_ID("execution", &planned.execution), L_ERR(&reason));
    return withhold(asking, &planned, "it is not allowed there any more", err);
}

static int retry(struct asking *asking, struct following *following, size_t i,
                 struct err *err)
{
    struct planned planned = planned_of_row(following->rows, i);

    planned.attempt++;
    planned.execution =
        execution_id(&following->said->run, &following->dispatching.key,
                     planned.target, planned.attempt);
    planned.due = asking->now + pace_backoff(following->plan.pace);
    return store(asking, following, &planned, err);
}

static int follow(struct asking *asking, struct following *following,
                  struct err *err)
{
    static int (*const steps[])(struct asking *, struct following *, size_t,
                                struct err *) = {
        [ADVANCE_DISPATCH] = dispatch,
        [ADVANCE_WITHHOLD] = withhold_rest,
        [ADVANCE_RETRY] = retry,
    };
    const struct advance *advance = &following->plan;

    if (dispatching_find(asking, &following->said->run, &following->dispatching,
                         err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < advance->n; i++) {
        int step = advance->rows[i].step;
        if (step != ADVANCE_NOTHING &&
            steps[step](asking, following, i, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The recorder does not wait for the run's lock: an outcome that came since the
 * plan was made is none that was decided on, and the scheduler asks again. */
static int note(struct asking *asking, const struct following *following,
                struct err *err)
{
    const struct run_advance *said = following->said;
    struct postgres *postgres = asking->daemon->postgres;

    return PG(postgres,
              "UPDATE runs SET begun = $2, advancing = $3 WHERE id = $1", NULL,
              err, P_ID(&said->run), P_BOOL(following->plan.begun),
              P_BOOL(!following->plan.over)) != 0
               ? -1
               : PG(postgres,
                    "UPDATE runs SET progress = CASE WHEN (SELECT count(*) "
                    "+ count(*) FILTER (WHERE x.outcome <> 'lost') "
                    "FROM executions e JOIN results x ON x.execution_id = e.id "
                    "WHERE e.run_id = runs.id AND x.outcome IS NOT NULL) = $3 "
                    "THEN run_progress(id, $2) END WHERE id = $1",
                    NULL, err, P_ID(&said->run),
                    P_TIME(said->request.head.issued), P_INT(following->heard));
}

int on_run_advance(struct asking *asking, struct err *err)
{
    _cleanup_(following_done) struct following following = {
        .said = asking->request->payload};

    return lock(asking, &following, err)
               ?: check_said(asking, &following, err)
               ?: take_turn(asking, &following, err)
               ?: plan(asking, &following, err)
               ?: asking_made(asking, &asking->request->hash,
                              &following.said->run, 0, err)
               ?: asking_store(asking, err)
               ?: follow(asking, &following, err)
               ?: note(asking, &following, err)
               ?: closings_add(asking, err);
}

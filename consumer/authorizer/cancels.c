/*
 * cancels.c: run.cancel: who asked for a run, or an administrator, ends what
 * has not ended of it, on all of its targets or on some.
 *
 * Nothing is ended here: closing claims go out with the decision
 * (closings.h), and whichever record of a claim log is first decides. So an
 * execution that is being cancelled may still end by itself, and says so.
 */
#include <string.h>

#include "consumer/authorizer/closings.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/views.h"

/* The version that runs says whether its runners may end it. */
static int check_command(struct asking *asking, const struct hash *command,
                         struct err *err)
{
    _cleanup_event_ struct event *event =
        source_event(asking->source, command, EVENT_COMMAND_SAVE, err);

    if (event == NULL) {
        return -1;
    }
    return command_lets(event->payload, "cancel")
               ? 0
               : asking_refuse(asking, REPLY_DENIED,
                               "runs of this command are cancelled by "
                               "administrators alone");
}

/* A run that the asker doesn't see is not there; one that is not theirs they
 * can't end. Its row is held, so that nothing of it is tried again meanwhile.
 */
static int check_run(struct asking *asking, const struct run_cancel *cancel,
                     struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT r.user_id, r.command_hash, c.name FROM runs r "
           "JOIN commands c ON c.id = r.command_id "
           "WHERE r.id = $4 AND " RUN_VISIBLE " FOR NO KEY UPDATE OF r",
           &rows, err, RUN_VISIBLE_PARAMS(asking), P_ID(&cancel->run)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_hide(asking, "no such run for them");
    }
    struct id owner = row_id(rows, 0, "user_id");
    struct hash command = row_hash(rows, 0, "command_hash");
    asking_about(asking, row_text(rows, 0, "name"));
    if (asking_by_administrator(asking)) {
        return 0;
    }
    return id_equal(&owner, &asking->signer.person.user)
               ? check_command(asking, &command, err)
               : asking_refuse(asking, REPLY_DENIED,
                               "somebody else asked for this run: only they "
                               "and administrators can cancel it");
}

static bool is_meant(const struct run_cancel *cancel, const char *target)
{
    return cancel->targets.n == 0 || texts_hold(&cancel->targets, target);
}

static bool runs_on(const struct rows *executions, const char *target)
{
    for (size_t i = 0; i < rows_n(executions); i++) {
        if (strcmp(row_text(executions, i, "target"), target) == 0) {
            return true;
        }
    }
    return false;
}

/* There must be something to end: what is over stays as it is. */
static int check_executions(struct asking *asking,
                            const struct run_cancel *cancel, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    bool left = false;

    if (PG(asking->daemon->postgres,
           "SELECT e.target, " CANCELLABLE " AS cancellable FROM executions e "
           "JOIN runs r ON r.id = e.run_id WHERE r.id = $1",
           &rows, err, P_ID(&cancel->run)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < cancel->targets.n; i++) {
        const char *target = list_at(&cancel->targets, char *, i);
        if (!runs_on(rows, target)) {
            return asking_refuse(asking, REPLY_INVALID,
                                 "this run is not for target %s", target);
        }
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        left |= row_bool(rows, i, "cancellable") &&
                is_meant(cancel, row_text(rows, i, "target"));
    }
    return left ? 0
                : asking_refuse(asking, REPLY_CONFLICT,
                                "it is too late to cancel this run: it has "
                                "ended");
}

/* The first cancel of an execution is the one that is remembered. */
static int store_cancellations(struct asking *asking,
                               const struct run_cancel *cancel, struct err *err)
{
    _cleanup_free_ char *targets =
        cancel->targets.n == 0 ? NULL : names_array(&cancel->targets);

    return PG(asking->daemon->postgres,
              "INSERT INTO cancellations (execution_id, request_id, asked_at) "
              "SELECT e.id, $2, $3 FROM executions e "
              "JOIN runs r ON r.id = e.run_id WHERE r.id = $1 "
              "AND " CANCELLABLE " AND ($4::text[] IS NULL "
              "OR e.target = ANY ($4::text[])) ON CONFLICT DO NOTHING",
              NULL, err, P_ID(&cancel->run), P_ID(&cancel->request.head.id),
              P_TIME(asking->now), targets == NULL ? P_NULL : P_TEXT(targets));
}

int on_run_cancel(struct asking *asking, struct err *err)
{
    const struct run_cancel *cancel = asking->request->payload;

    return check_run(asking, cancel, err)
               ?: check_executions(asking, cancel, err)
               ?: asking_made(asking, &asking->request->hash, &cancel->run, 0,
                              err)
               ?: asking_store(asking, err)
               ?: store_cancellations(asking, cancel, err)
               ?: closings_add(asking, err);
}

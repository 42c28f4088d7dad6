/*
 * pendings.c: pending.list, pending.show: the runs that wait for the asker's
 * approval.
 *
 * Who may approve a run sees what they vote on, and with it all that was signed
 * of it, so that they need not believe us; nothing else of that command or its
 * runs becomes theirs to see.
 */
#include <string.h>

#include "consumer/authorizer/approvers.h"
#include "consumer/authorizer/dispatching.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/views.h"
#include "model/pending.h"
#include "model/read.h"

int on_pending_list(struct asking *asking, struct err *err)
{
    _cleanup_free_ char *groups = asking_groups(asking);
    _cleanup_rows_ struct rows *rows = NULL;
    struct pendings_answer answer = {0};

    if (PG(asking->daemon->postgres,
           "SELECT " RUN_COLUMNS "FROM runs r " RUN_JOINS
           "WHERE r.id IN (SELECT q.run_id FROM approvals q JOIN runs o "
           "ON o.id = q.run_id WHERE q.state = 'pending' AND q.until > $4 "
           "AND o.user_id <> $3 AND CASE WHEN q.approvers IS NULL "
           "THEN $2::boolean ELSE q.approvers = ANY ($1::text[]) END "
           "AND NOT EXISTS (SELECT FROM votes v WHERE v.run_id = q.run_id "
           "AND v.user_id = $3 AND v.naming = $6) "
           "AND EXISTS (SELECT FROM executions e WHERE e.run_id = q.run_id "
           "AND e.withheld IS NULL AND NOT e.ended) "
           "ORDER BY q.until LIMIT $5::integer) ORDER BY r.asked_at, r.id",
           &rows, err, P_TEXT(groups), P_BOOL(asking_by_administrator(asking)),
           P_ID(&asking->signer.person.user), P_TIME(asking->now),
           P_INT(ROWS_MAX), P_HASH(&asking->signer.person.by)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct run_row *to = list_grow(&answer.runs, sizeof(*to));
        if (run_row_of(rows, i, to, err) != 0) {
            table_done(&pendings_answer_table, &answer);
            return -1;
        }
    }
    return asking_answer_take(asking, &pendings_answer_table, &answer, err);
}

static int refuse_unproven(struct asking *asking, const struct err *reason,
                           struct err *err)
{
    if (reason->kind != ERR_REJECT) {
        *err = reason->kind == ERR_NONE ? *err : *reason;
        return -1;
    }
    return asking_refuse(asking, REPLY_CONFLICT,
                         "this run can't begin any more");
}

/* All that was signed, down from the root. */
static int show(struct asking *asking, const struct waiting *waiting,
                struct err *err)
{
    _cleanup_(dispatching_done) struct dispatching dispatching = {.unapproved =
                                                                      true};
    struct err reason = {0};

    if (dispatching_find(asking, &waiting->run, &dispatching, err) != 0) {
        return -1;
    }
    _cleanup_event_ struct event *start =
        source_request(asking->source, &waiting->run, &waiting->hash,
                       EVENT_RUN_START, &reason);
    if (start == NULL) {
        return refuse_unproven(asking, &reason, err);
    }
    const struct run_start *run = start->payload;
    if (dispatching_prove(asking, &dispatching, &run->targets, &reason, err) !=
        0) {
        return refuse_unproven(asking, &reason, err);
    }
    struct pending_answer answer = {.id = waiting->run,
                                    .run = dispatching.run,
                                    .command = dispatching.command,
                                    .pending = waiting_told(waiting),
                                    .envelopes = dispatching.proof};
    dispatching.proof = (struct list){0};
    return asking_answer_take(asking, &pending_answer_table, &answer, err);
}

int on_pending_show(struct asking *asking, struct err *err)
{
    const struct run_named *named = asking->request->payload;
    _cleanup_(waiting_done) struct waiting waiting = {0};

    return waiting_find(asking, NULL, named->run, &waiting, err)
               ?: show(asking, &waiting, err);
}

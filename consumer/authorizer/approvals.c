/*
 * approvals.c: run.approve, run.reject: votes on a run that waits.
 *
 * A vote is judged by the same code as on the host, which believes nothing that
 * is said here: with enough of them the planned executions are dispatched (what
 * goes in steps, or takes turns, is left to run.advance), and the votes travel
 * in their proofs. All of them are counted anew with each one
 * that comes, under the revocation log as it is then. One rejection ends the
 * run: what is planned of it is withheld, and closed (closings.h).
 */
#include <string.h>

#include "consumer/authorizer/approvals.h"
#include "consumer/authorizer/approvers.h"
#include "consumer/authorizer/closings.h"
#include "consumer/authorizer/dispatching.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/turns.h"
#include "model/pending.h"

#define VOTERS_ENVELOPES 6 /* of one vote: it, a session, a chain of people */

struct voting {
    const struct vote *vote;
    struct waiting waiting;
    struct dispatching dispatching;
    int64_t given; /* votes that count, with this one */
    struct rows *rows;
    struct list planned; /* struct planned; texts are those of `rows` */
};

static void voting_done(struct voting *voting)
{
    waiting_done(&voting->waiting);
    dispatching_done(&voting->dispatching);
    rows_free(voting->rows);
    free(voting->planned.items);
}

/* run.start, where it has to be approved */

static int store_pending(struct asking *asking, const struct run_start *run,
                         const struct approval *approval, struct err *err)
{
    return PG(asking->daemon->postgres,
              "INSERT INTO approvals (run_id, wanted, approvers, until) "
              "VALUES ($1, $2, $3, $4)",
              NULL, err, P_ID(&run->request.head.id), P_INT(approval->count),
              P_TEXT(approval->group),
              P_TIME(run->request.head.issued + approval->within * 1000));
}

int approval_check_run(struct asking *asking,
                       const struct dispatching *dispatching, struct err *err)
{
    const struct approval *approval = &dispatching->order.command->approve;
    size_t most =
        dispatching->proof.n + VOTERS_ENVELOPES * (size_t)approval->count;

    return most <= PROOF_MAX || approval->count == 0
               ? approvers_check(asking, approval, &asking->signer.person.user,
                                 err)
               : asking_refuse(asking, REPLY_INVALID,
                               "with its approvals the run's proof would have "
                               "%zu envelopes, and at most %d can be sent",
                               most, PROOF_MAX);
}

struct run_pending approval_told(const struct run_start *run,
                                 const struct approval *approval)
{
    return (struct run_pending){
        .whose = approval_text(approval),
        .lacking = approval->count,
        .until = run->request.head.issued + approval->within * 1000,
    };
}

int approval_store(struct asking *asking, const struct run_start *run,
                   const struct approval *approval, struct err *err)
{
    if (approval->count == 0) {
        return 0;
    }
    asking->decision.told =
        (struct fact_told){.kind = EVENT_RUN_PENDING,
                           .run = run->request.head.id,
                           .command = run->command,
                           .detail = approval_text(approval)};
    return store_pending(asking, run, approval, err);
}

/* Votes */

static int check_once(struct asking *asking, const struct voting *voting,
                      struct err *err)
{
    const struct person *person = &asking->signer.person;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT FROM votes WHERE run_id = $1 AND user_id = $2 "
           "AND naming = $3 AND approves",
           &rows, err, P_ID(&voting->waiting.run), P_ID(&person->user),
           P_HASH(&person->by)) != 0) {
        return -1;
    }
    return rows_n(rows) == 0
               ? 0
               : asking_refuse(asking, REPLY_CONFLICT,
                               "you have approved this run already");
}

/* Its asker, its command or a target is not what it was. */
static int refuse_run(struct asking *asking, const struct err *reason)
{
    return asking_by_administrator(asking)
               ? asking_refuse(asking, REPLY_CONFLICT,
                               "this run can't begin any more: %s",
                               reason->text)
               : asking_refuse(asking, REPLY_CONFLICT,
                               "this run can't begin any more");
}

/* The run itself, as far as it is allowed before it is approved; and that the
 * vote is for it, as it was asked for. */
static int judge_vote(struct asking *asking, struct voting *voting,
                      struct err *err)
{
    struct dispatching *dispatching = &voting->dispatching;
    struct err reason = {0};
    struct signer voter;

    dispatching->unapproved = true;
    if (dispatching_find(asking, &voting->waiting.run, dispatching, err) != 0) {
        return -1;
    }
    if (voting->vote->targets.n == 0) {
        return asking_refuse(asking, REPLY_INVALID,
                             "the vote is for other targets");
    }
    if (dispatching_prove(asking, dispatching, &voting->vote->targets, &reason,
                          err) != 0) {
        return reason.kind == ERR_REJECT ? refuse_run(asking, &reason) : -1;
    }
    if (proof_vote(asking->proof, asking->request, &dispatching->order, &voter,
                   &reason) == 0) {
        return 0;
    }
    if (reason.kind == ERR_REJECT) {
        return asking_refuse(asking, REPLY_INVALID, "%s", reason.text);
    }
    *err = reason;
    return -1;
}

static int count_votes(struct asking *asking, struct voting *voting,
                       struct err *err)
{
    struct err why = {0};

    if (proof_add(asking->proof, &asking->request->envelope, err) != 0) {
        return -1;
    }
    voting->given =
        proof_approvals(asking->proof, &voting->dispatching.order, &why);
    return 0;
}

static bool is_enough(const struct voting *voting)
{
    return voting->given >= voting->waiting.approval.count;
}

/* What begins when, run.advance decides. */
static bool advances(const struct voting *voting)
{
    const struct order *order = &voting->dispatching.order;

    return pace_advances(&order->command->pace, order->run->targets.n);
}

static int find_planned(struct asking *asking, struct voting *voting,
                        struct err *err)
{
    if (PG(asking->daemon->postgres,
           "SELECT e.id, e.target, e.generation, e.attempt, t.max_wait, "
           "t.longest_wait FROM executions e "
           "JOIN targets t ON t.name = e.target WHERE e.run_id = $1 "
           "AND e.dispatch IS NULL AND e.withheld IS NULL AND NOT e.ended "
           "ORDER BY e.target",
           &voting->rows, err, P_ID(&voting->waiting.run)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(voting->rows); i++) {
        struct planned *planned = list_grow(&voting->planned, sizeof(*planned));
        *planned = planned_of_row(voting->rows, i);
    }
    return 0;
}

/* The proof once more, with the votes in it. */
static int dispatch_approved(struct asking *asking, struct voting *voting,
                             struct err *err)
{
    struct dispatching *dispatching = &voting->dispatching;
    struct err reason = {0};

    if (!is_enough(voting)) {
        return 0;
    }
    dispatching->unapproved = false;
    if (find_planned(asking, voting, err) != 0) {
        return -1;
    }
    int done = dispatching_prove(asking, dispatching, &voting->vote->targets,
                                 &reason, err);
    if (done == 0 && dispatching->expires <= asking->decision.at) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "this run can't begin any more: its deadline has "
                             "passed");
    }
    size_t n = advances(voting) ? 0 : voting->planned.n;
    for (size_t i = 0; done == 0 && i < n; i++) {
        done = dispatching_add(asking, dispatching,
                               &list_at(&voting->planned, struct planned, i),
                               &reason);
    }
    if (done == 0 || reason.kind == ERR_REJECT) {
        return done == 0 ? 0 : refuse_run(asking, &reason);
    }
    if (reason.kind != ERR_NONE) {
        *err = reason;
    }
    return -1;
}

static int answer(struct asking *asking, const struct voting *voting,
                  struct err *err)
{
    int64_t lacking = voting->waiting.approval.count - voting->given;
    struct voted_answer voted = {.run = voting->waiting.run,
                                 .lacking = lacking > 0 ? lacking : 0};

    return asking_answer_take(asking, &voted_answer_table, &voted, err);
}

static int store_vote(struct asking *asking, const struct voting *voting,
                      struct err *err)
{
    const struct person *person = &asking->signer.person;

    return PG(asking->daemon->postgres,
              "INSERT INTO votes (id, hash, run_id, user_id, naming, "
              "approves, cast_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
              NULL, err, P_ID(&voting->vote->request.head.id),
              P_HASH(&asking->request->hash), P_ID(&voting->waiting.run),
              P_ID(&person->user), P_HASH(&person->by),
              P_BOOL(asking->request->kind == EVENT_RUN_APPROVE),
              P_TIME(voting->vote->request.head.issued));
}

/* NULL: it waits on. */
static int store_state(struct asking *asking, const struct voting *voting,
                       const char *state, struct err *err)
{
    return PG(asking->daemon->postgres,
              "UPDATE approvals SET given = $2, "
              "state = coalesce($3::text, state), "
              "closed_by = CASE WHEN $3::text IS NULL THEN closed_by "
              "ELSE $4::uuid END WHERE run_id = $1",
              NULL, err, P_ID(&voting->waiting.run), P_INT(voting->given),
              P_TEXT(state), P_ID(&voting->vote->request.head.id));
}

static void tell(struct asking *asking, const struct voting *voting,
                 enum event_kind kind)
{
    const char *comment = voting->vote->comment;

    asking->decision.told = (struct fact_told){
        .kind = kind,
        .run = voting->waiting.run,
        .command = voting->waiting.command,
        .detail = comment == NULL ? NULL : must_strdup(comment)};
}

/* From here on it waits for nothing but its turn, behind those that are there:
 * so whoever waits comes ever closer. */
static int store_begin(struct asking *asking, const struct voting *voting,
                       struct err *err)
{
    return turn_lock(asking, &voting->waiting.command, err) != 0 ||
                   PG(asking->daemon->postgres,
                      "WITH run AS (UPDATE runs SET advancing = true, "
                      "begun = turn IS NULL, place = DEFAULT "
                      "WHERE id = $1 RETURNING id) "
                      "SELECT pg_notify('errand_advance', '') FROM run",
                      NULL, err, P_ID(&voting->waiting.run)) != 0
               ? -1
               : 0;
}

static int store_approved(struct asking *asking, struct voting *voting,
                          struct err *err)
{
    bool enough = is_enough(voting);

    if (store_vote(asking, voting, err) != 0 ||
        store_state(asking, voting, enough ? "approved" : NULL, err) != 0) {
        return -1;
    }
    if (!enough) {
        return 0;
    }
    tell(asking, voting, EVENT_RUN_APPROVED);
    return advances(voting)
               ? store_begin(asking, voting, err)
               : dispatching_store(asking, &voting->dispatching,
                                   &voting->waiting.run, &voting->planned, err);
}

int on_run_approve(struct asking *asking, struct err *err)
{
    _cleanup_(voting_done) struct voting voting = {
        .vote = asking->request->payload};

    return waiting_find(asking, &voting.vote->run, NULL, &voting.waiting, err)
               ?: check_once(asking, &voting, err)
               ?: judge_vote(asking, &voting, err)
               ?: count_votes(asking, &voting, err)
               ?: dispatch_approved(asking, &voting, err)
               ?: answer(asking, &voting, err)
               ?: asking_store(asking, err)
               ?: store_approved(asking, &voting, err);
}

/* The scheduler says why, as the outcome's reason. */
static int withhold(struct asking *asking, const struct voting *voting,
                    struct err *err)
{
    const char *comment = voting->vote->comment;
    _cleanup_free_ char *why = must_printf(
        "rejected by %s%s%s", asking->signer.person.email,
        comment == NULL ? "" : ": ", comment == NULL ? "" : comment);

    return PG(asking->daemon->postgres,
              "UPDATE executions SET withheld = $2 WHERE run_id = $1 "
              "AND dispatch IS NULL AND withheld IS NULL",
              NULL, err, P_ID(&voting->waiting.run), P_TEXT(why));
}

static int store_rejected(struct asking *asking, struct voting *voting,
                          struct err *err)
{
    voting->given = voting->waiting.given;
    if (store_vote(asking, voting, err) != 0 ||
        store_state(asking, voting, "rejected", err) != 0) {
        return -1;
    }
    tell(asking, voting, EVENT_RUN_REJECTED);
    return withhold(asking, voting, err) != 0 ? -1 : closings_add(asking, err);
}

int on_run_reject(struct asking *asking, struct err *err)
{
    _cleanup_(voting_done) struct voting voting = {
        .vote = asking->request->payload};

    return waiting_find(asking, &voting.vote->run, NULL, &voting.waiting, err)
               ?: judge_vote(asking, &voting, err)
               ?: answer(asking, &voting, err)
               ?: asking_store(asking, err)
               ?: store_rejected(asking, &voting, err);
}

/* Told again */

int approval_recall(struct asking *asking, struct err *err)
{
    const struct head *head = asking->request->payload;
    const struct vote *vote = asking->request->payload;
    bool start = asking->request->kind == EVENT_RUN_START;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT p.run_id, p.wanted, p.approvers, r.command_id "
           "FROM approvals p JOIN runs r ON r.id = p.run_id "
           "WHERE CASE WHEN $2::boolean THEN p.run_id = $1 "
           "ELSE p.closed_by = $1 END",
           &rows, err, P_ID(&head->id), P_BOOL(start)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return 0;
    }
    struct approval approval = {.count = row_int(rows, 0, "wanted"),
                                .group =
                                    (char *)row_text(rows, 0, "approvers")};
    const char *comment = start ? NULL : vote->comment;
    asking->decision.told =
        (struct fact_told){.kind = start ? EVENT_RUN_PENDING
                                   : asking->request->kind == EVENT_RUN_APPROVE
                                       ? EVENT_RUN_APPROVED
                                       : EVENT_RUN_REJECTED,
                           .run = row_id(rows, 0, "run_id"),
                           .command = row_id(rows, 0, "command_id"),
                           .detail = start ? approval_text(&approval)
                                     : comment == NULL ? NULL
                                                       : must_strdup(comment)};
    return asking->request->kind == EVENT_RUN_APPROVE
               ? dispatching_recall(asking, &asking->decision.told.run, err)
               : 0;
}

/* judge.c: see judge.h. */
#include "consumer/executor/judge.h"

#include "base/clock.h"
#include "consumer/executor/started.h"
#include "consumer/executor/versions.h"
#include "trust/known.h"
#include "trust/verified.h"

int judge_open(const struct spawner_plan *plan, struct judge *ret_judge,
               struct err *err)
{
    struct judge judge = {
        .plan = plan, .verified = verified_new(), .stands_at = -1};

    judge.known = known_open(plan->roots, &plan->init, plan->log, err);
    if (judge.known == NULL) {
        return -1;
    }
    judge.started = started_open(plan->started, clock_now(), err);
    if (judge.started == NULL) {
        return -1; /* and the process ends */
    }
    judge.versions = versions_open(plan->versions, err);
    if (judge.versions == NULL) {
        return -1;
    }
    *ret_judge = judge;
    return 0;
}

/* This host is still enrolled, by somebody who could. Asked again when the log
 * has grown. */
static int check_self(struct judge *judge, struct err *err)
{
    const struct spawner_plan *plan = judge->plan;
    const struct standing *standing = known_standing(judge->known);
    _cleanup_proof_ struct proof *proof = proof_new(plan->roots, NULL, NULL);
    const struct service_enrol *enrol;

    if (judge->stands_at == standing_seq(standing)) {
        return 0;
    }
    proof_set_standing(proof, standing);
    if (proof_add_all(proof, plan->enrolment, err) != 0 ||
        proof_service(proof, &plan->by, SERVICE_EXECUTOR, plan->target,
                      clock_now(), &enrol, err) != 0) {
        return err_wrap(err, "this host");
    }
    judge->stands_at = standing_seq(standing);
    return 0;
}

int judge_dispatch(struct judge *judge, const struct event *event,
                   struct proof *proof, struct order *ret_order,
                   struct err *err)
{
    if (known_sync(judge->known, err) != 0 || check_self(judge, err) != 0) {
        return -1;
    }
    proof_set_standing(proof, known_standing(judge->known));
    proof_set_verified(proof, judge->verified);
    return proof_dispatch(proof, event, judge->plan->target, clock_now(),
                          ret_order, err);
}

int judge_note(struct judge *judge, const struct order *order,
               const struct id *execution, struct err *err)
{
    int64_t now = clock_now();

    return versions_take(judge->versions, order, now, err) != 0
               ? -1
               : started_note(judge->started, execution, now, err);
}

int judge_entry(struct judge *judge, const struct buf *entry, struct err *err)
{
    _cleanup_revocation_ struct revocation decoded = {0};

    return revocation_decode(entry->data, entry->len, &decoded, err) != 0 ||
                   known_add(judge->known, &decoded, err) != 0
               ? -1
               : known_write(judge->known, err);
}

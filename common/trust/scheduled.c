/*
 * scheduled.c: what a scheduler's tick allows: what its schedule's author
 * signed, at a time that the schedule names. See proof.h and model/schedule.h.
 *
 * The scheduler's key adds nothing to the schedule.set but "now": command,
 * version and arguments must be the author's, each target among those that
 * they named, the id the tick's own.
 */
#include <string.h>

#include "trust/proof_private.h"
#include "trust/reach.h"

/* As administrators do it: signed in force, or kept since, and not removed. */
static int check_schedule(const struct proof *proof,
                          const struct schedule_set *set, struct err *err)
{
    if (schedule_check(set, err) != 0) {
        return -1;
    }
    if (set->paused) {
        return err_set(err, ERR_REJECT, "the schedule is paused");
    }
    return proof->standing == NULL ||
                   standing_scheduled(proof->standing, &set->schedule, set->seq)
               ? 0
               : err_set(err, ERR_REJECT, "the schedule was removed");
}

/* Just what the schedule asks for: its labels are resolved anew for each tick,
 * to names that they reach. */
static int check_same(const struct proof *proof, const struct order *order,
                      const struct schedule_set *set, struct err *err)
{
    const struct run_start *run = order->run;

    if (!hash_equal(&set->saved, &order->command_hash) ||
        !id_equal(&set->command, &run->command)) {
        return err_set(err, ERR_REJECT,
                       "the schedule is for another command, or another "
                       "version of it");
    }
    if (run->boxes.n > 0 || run->follow) {
        return err_set(err, ERR_REJECT,
                       "a tick brings no secrets, and nobody follows it");
    }
    if (!pairs_same(&set->arguments, &run->arguments)) {
        return err_set(err, ERR_REJECT,
                       "the tick's arguments are not its schedule's");
    }
    for (size_t i = 0; i < run->targets.n; i++) {
        const char *target = list_at(&run->targets, char *, i);
        if (!reach_holds(proof->standing, &set->targets, target)) {
            return err_set(err, ERR_REJECT, "the schedule is not for target %s",
                           target);
        }
    }
    return 0;
}

int proof_tick(struct proof *proof, struct link *ticked, struct order *order,
               struct err *err)
{
    const struct run_tick *tick = ticked->event->payload;
    struct link *link =
        proof_link_of(proof, &tick->schedule, EVENT_SCHEDULE_SET, err);
    struct signer signer;
    struct person author;

    if (link == NULL ||
        proof_request(proof, ticked->event, &signer, err) != 0) {
        return -1;
    }
    if (signer.kind != SIGNER_SERVICE || signer.service != SERVICE_SCHEDULER) {
        return err_set(err, ERR_REJECT,
                       "run.tick is not signed by a scheduler's key");
    }
    const struct schedule_set *set = link->event->payload;
    if (proof_by_administrator(proof, link, &author, err) != 0 ||
        proof_same_root(link->event, &signer.root, err) != 0 ||
        check_schedule(proof, set, err) != 0 ||
        check_same(proof, order, set, err) != 0 ||
        run_tick_check(tick, set, err) != 0) {
        return -1;
    }
    order->asker = author;
    order->root = signer.root;
    order->schedule = set;
    return 0;
}

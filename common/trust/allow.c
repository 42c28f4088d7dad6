/*
 * allow.c: what a proof allows: which entries of the revocation log, and what
 * a dispatch may start. Who signed is signer.c's; the links themselves are
 * checked in proof.c. See proof.h.
 */
#include <string.h>

#include "model/log_entry.h"
#include "trust/proof_private.h"
#include "trust/reach.h"

/* Entries of the revocation log */

static int check_rotated(const struct event *entry, const struct person *who,
                         struct err *err)
{
    const struct key_rotate *rotate = entry->payload;

    return id_equal(&rotate->user, &who->user) &&
                   hash_equal(&rotate->naming, &who->by) &&
                   rotate->generation == who->generation + 1
               ? 0
               : err_set(err, ERR_REJECT,
                         "key.rotate: not of who signed it, or not the next "
                         "generation");
}

/* Nobody changes their own role; the key is the person's. */
static int check_role(struct proof *proof, const struct event *entry,
                      const struct person *by, struct err *err)
{
    const struct user_role *role = entry->payload;
    struct person who;

    if (proof_person(proof, &role->naming, &who, err) != 0) {
        return err_wrap(err, "user.role");
    }
    if (id_equal(&role->user, &by->user)) {
        return err_set(err, ERR_REJECT, "nobody changes their own role");
    }
    if (who.service) {
        return err_set(err, ERR_REJECT, "a machine identity stays a runner");
    }
    return id_equal(&who.user, &role->user) && who.standing == STANDS &&
                   memcmp(who.key.b, role->key.b, sizeof(who.key.b)) == 0
               ? 0
               : err_set(err, ERR_REJECT,
                         "user.role: `naming` doesn't name this user's key "
                         "now");
}

int proof_entry(struct proof *proof, const struct event *entry, struct err *err)
{
    struct signer signer;

    if (!standing_is_entry(entry->kind)) {
        return err_set(err, ERR_REJECT,
                       "a %s is no entry of the revocation log",
                       entry->envelope.type);
    }
    if (proof_request(proof, entry, &signer, err) != 0) {
        return -1;
    }
    if (signer.kind != SIGNER_OWN) {
        return err_set(err, ERR_REJECT, "%s is not signed by an own key",
                       entry->envelope.type);
    }
    if (entry->kind == EVENT_KEY_ROTATE) {
        return check_rotated(entry, &signer.person, err);
    }
    if (signer.person.role != ROLE_ADMINISTRATOR || !signer.person.in_force) {
        return err_set(err, ERR_REJECT, "%s is no administrator in force",
                       signer.person.email);
    }
    return entry->kind == EVENT_USER_ROLE
               ? check_role(proof, entry, &signer.person, err)
               : 0;
}

/* Runs */

static bool assignment_fits(const struct standing *standing,
                            const struct assignment_add *add,
                            const struct person *who,
                            const struct run_start *run,
                            const struct command_save *command)
{
    return id_equal(&add->user, &who->user) &&
           id_equal(&add->command, &command->command) &&
           (add->until == 0 || run->request.head.issued <= add->until) &&
           (add->pin == 0 || add->pin == command->version) &&
           (standing == NULL ||
            standing_assigned(standing, &add->user, &add->command, add->seq));
}

/* An administrator in force, or somebody with an assignment in the proof. */
static int may_run(struct proof *proof, struct order *order, struct err *err)
{
    struct err reason = {0};

    if (order->asker.role == ROLE_ADMINISTRATOR) {
        return order->asker.in_force
                   ? 0
                   : err_set(err, ERR_REJECT, "%s waits to be confirmed",
                             order->asker.email);
    }
    for (struct link *l = proof->links; l != NULL; l = l->hh.next) {
        const struct assignment_add *add = l->event->payload;
        struct person by;
        if (l->event->kind == EVENT_ASSIGNMENT_ADD &&
            assignment_fits(proof->standing, add, &order->asker, order->run,
                            order->command) &&
            proof_by_administrator(proof, l, &by, &reason) == 0) {
            l->used = true;
            order->pinned = add->pin != 0;
            return 0;
        }
    }
    return err_set(err, ERR_REJECT, "%s has no assignment to command %s%s%s",
                   order->asker.email, order->command->name,
                   reason.text[0] == '\0' ? "" : ": ", reason.text);
}

/* The person named this very target; the command's author allows it, by name or
 * by what its labels are now. */
static int check_targets(const struct proof *proof, const struct order *order,
                         const char *target, struct err *err)
{
    if (!texts_hold(&order->run->targets, target)) {
        return err_set(err, ERR_REJECT, "the run does not name target %s",
                       target);
    }
    return reach_check(proof->standing, order->run, order->command, target,
                       err);
}

int64_t run_latest(const struct run_start *run,
                   const struct command_save *command)
{
    return run->request.head.issued + REQUEST_LIFE +
           command->approve.within * 1000 +
           pace_life(&command->pace, command->wait, command->timeout,
                     run->targets.n);
}

/* Else an authorizer could let a run begin whenever it likes. */
static int check_deadline(const struct order *order, struct err *err)
{
    return order->run->deadline <= run_latest(order->run, order->command)
               ? 0
               : err_set(err, ERR_REJECT,
                         "the run's deadline is later than its command's wait "
                         "and limits allow");
}

/* Whom a person asks which id a name has could tell them another command's: the
 * name that they signed is the one that they meant. */
static bool names_it(const struct order *order)
{
    return id_equal(&order->run->command, &order->command->command) &&
           (order->run->name == NULL ||
            strcmp(order->run->name, order->command->name) == 0);
}

/* What no run goes without, whoever asked for it: its command stands, and
 * allows these targets, arguments and this deadline. */
static int check_order(struct proof *proof, const struct order *order,
                       const char *target, struct err *err)
{
    const struct command_save *command = order->command;

    if (!names_it(order)) {
        return err_set(err, ERR_REJECT, "the run names another command");
    }
    if (proof->standing != NULL &&
        standing_command_retired(proof->standing, &command->command)) {
        return err_set(err, ERR_REJECT, "command %s was removed",
                       command->name);
    }
    return check_targets(proof, order, target, err) != 0 ||
                   check_deadline(order, err) != 0 ||
                   arguments_check(&command->parameters, &order->run->arguments,
                                   NULL, err) != 0
               ? -1
               : secrets_check(&command->parameters, &order->run->boxes, err);
}

/* In a session of theirs; whether they may is told by may_run(). */
static int asked_by_person(struct proof *proof, struct link *started,
                           struct order *order, struct err *err)
{
    struct signer signer;

    if (proof_request(proof, started->event, &signer, err) != 0) {
        return -1;
    }
    if (signer.kind != SIGNER_SESSION) {
        return err_set(err, ERR_REJECT,
                       "run.start is not signed by a "
                       "session's key");
    }
    order->asker = signer.person;
    order->root = signer.root;
    order->signer = key_id(&signer.session.key);
    return 0;
}

int proof_asked(struct proof *proof, const struct hash *run,
                const struct hash *command, const char *target,
                struct order *ret_order, struct err *err)
{
    struct link *started = proof_link(proof, run, err);
    struct link *saved =
        started == NULL
            ? NULL
            : proof_link_of(proof, command, EVENT_COMMAND_SAVE, err);
    struct person author;

    if (saved == NULL) {
        return -1;
    }
    bool ticked = started->event->kind == EVENT_RUN_TICK;
    if (!ticked && started->event->kind != EVENT_RUN_START) {
        return err_set(err, ERR_REJECT, "a %s where a run belongs",
                       started->event->envelope.type);
    }
    struct order order = {.run_hash = *run,
                          .run = started->event->payload,
                          .command_hash = *command,
                          .command = saved->event->payload};
    if ((ticked ? proof_tick : asked_by_person)(proof, started, &order, err) !=
            0 ||
        proof_by_administrator(proof, saved, &author, err) != 0) {
        return -1;
    }
    if (!hash_equal(&author.root, &order.root)) {
        return err_set(err, ERR_REJECT, "the run names another command");
    }
    if (check_order(proof, &order, target, err) != 0 ||
        (!ticked && may_run(proof, &order, err) != 0)) {
        return -1;
    }
    *ret_order = order;
    return 0;
}

int proof_run(struct proof *proof, const struct hash *run,
              const struct hash *command, const char *target,
              struct order *ret_order, struct err *err)
{
    struct order order;

    if (proof_asked(proof, run, command, target, &order, err) != 0 ||
        proof_approved(proof, &order, err) != 0) {
        return -1;
    }
    *ret_order = order;
    return 0;
}

/* What the authorizer itself says must follow from what was signed. */
static int check_said(const struct dispatch *dispatch,
                      const struct order *order, int64_t now, struct err *err)
{
    const struct id *run = &order->run->request.head.id;
    struct hash key = run_key(run, &dispatch->run, order->schedule != NULL);
    struct id id = execution_id(run, &key, dispatch->target, dispatch->attempt);

    if (!id_equal(&id, &dispatch->execution)) {
        return err_set(err, ERR_REJECT,
                       "the execution's id is not that of its "
                       "run, target and attempt");
    }
    if (dispatch->expires > order->run->deadline) {
        return err_set(err, ERR_REJECT,
                       "the dispatch outlives its run's "
                       "deadline");
    }
    if (now > dispatch->expires) {
        return err_set(err, ERR_REJECT, "the dispatch has expired");
    }
    if (order->schedule != NULL &&
        id_time(&order->run->request.head.id) > now + CLOCK_SKEW) {
        return err_set(err, ERR_REJECT, "the tick's time has not come");
    }
    if (dispatch->attempt > pace_attempts(&order->command->pace)) {
        return err_set(err, ERR_REJECT,
                       "attempt %lld: the command allows no more than %lld",
                       (long long)dispatch->attempt,
                       (long long)pace_attempts(&order->command->pace));
    }
    return 0;
}

/* Decided under what the log says here, or said before. */
static int check_log(const struct proof *proof, const struct dispatch *dispatch,
                     struct err *err)
{
    const struct hash *head;

    if (proof->standing == NULL) {
        return 0;
    }
    head = standing_head_at(proof->standing, dispatch->seq);
    if (head == NULL) {
        return err_set(err, ERR_RETRY,
                       "decided under entry %lld of the revocation log, and "
                       "only %lld are known here",
                       (long long)dispatch->seq,
                       (long long)standing_seq(proof->standing));
    }
    return hash_equal(head, &dispatch->log)
               ? 0
               : err_set(err, ERR_REJECT,
                         "the revocation log forks: the dispatch was decided "
                         "under another entry %lld",
                         (long long)dispatch->seq);
}

/* A dispatch that was claimed before its target was drained starts there no
 * more. */
static int check_in_use(const struct proof *proof, const char *target,
                        struct err *err)
{
    const struct place_standing *place =
        proof->standing == NULL ? NULL
                                : standing_place(proof->standing, target);

    return place == NULL || place->state != TARGET_DRAINED
               ? 0
               : err_set(err, ERR_REJECT, "target %s is drained", target);
}

int proof_dispatch(struct proof *proof, const struct event *event,
                   const char *target, int64_t now, struct order *ret_order,
                   struct err *err)
{
    const struct dispatch *dispatch = event->payload;
    const struct service_enrol *authorizer = NULL;
    struct order order;

    if (event->kind != EVENT_DISPATCH) {
        return err_set(err, ERR_REJECT, "a %s where a dispatch belongs",
                       event->envelope.type);
    }
    if (strcmp(dispatch->target, target) != 0) {
        return err_set(err, ERR_REJECT, "a dispatch for target %s, not %s",
                       dispatch->target, target);
    }
    if (proof_add_all(proof, &dispatch->proof, err) != 0 ||
        proof_service(proof, &dispatch->head.by, SERVICE_AUTHORIZER, NULL, now,
                      &authorizer, err) != 0) {
        return -1;
    }
    if (!envelope_signed_by(&event->envelope, 0, &authorizer->key)) {
        return proof_not_signed(event, err);
    }
    if (check_log(proof, dispatch, err) != 0 ||
        proof_run(proof, &dispatch->run, &dispatch->command, target, &order,
                  err) != 0 ||
        proof_same_root(event, &order.root, err) != 0 ||
        !hash_equal(&authorizer->request.head.root, &order.root)) {
        return err->text[0] == '\0' ? err_set(err, ERR_REJECT,
                                              "the authorizer and the run are "
                                              "of two installations")
                                    : -1;
    }
    if (check_in_use(proof, target, err) != 0 ||
        check_said(dispatch, &order, now, err) != 0) {
        return -1;
    }
    *ret_order = order;
    return 0;
}

int proof_verification(struct proof *proof, const struct hash *verify,
                       const struct user_verify **ret_verify,
                       struct invitation *ret_invitation, struct err *err)
{
    struct link *link = proof_link_of(proof, verify, EVENT_USER_VERIFY, err);

    if (link == NULL || proof_verify(proof, link, 0, ret_invitation, err)) {
        return -1;
    }
    *ret_verify = link->event->payload;
    return 0;
}

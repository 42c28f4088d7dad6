/*
 * allow.c: what a proof allows: who signed a request, and what a dispatch may
 * start. The links themselves are checked in proof.c. See proof.h.
 */
#include <string.h>

#include "model/log_entry.h"
#include "trust/proof_private.h"
#include "trust/reach.h"

/* Until an administrator can sign that a command may be tried again: else an
 * authorizer could multiply a run by its attempts. */
#define ATTEMPTS_ALLOWED 1

static int not_signed(const struct event *event, struct err *err)
{
    return err_set(err, ERR_REJECT,
                   "%s is not signed by the key that its "
                   "`by` names",
                   event->envelope.type);
}

static int same_root(const struct event *event, const struct hash *root,
                     struct err *err)
{
    const struct head *head = event->payload;

    return hash_equal(&head->root, root)
               ? 0
               : err_set(err, ERR_REJECT, "%s is of another installation",
                         event->envelope.type);
}

/* The key that signs beside the person's own. */
static const struct key32 *second_key(const struct event *request)
{
    switch ((int)request->kind) {
    case EVENT_SESSION_OPEN:
        return &((const struct session_open *)request->payload)->key;
    case EVENT_KEY_ROTATE:
        return &((const struct key_rotate *)request->payload)->key;
    default:
        return NULL;
    }
}

static int check_stands(const struct person *person, struct err *err)
{
    return person->standing == STANDS
               ? 0
               : err_set(err, ERR_REJECT, "%s is %s", person->email,
                         word_text(&standing_words, (int)person->standing));
}

static int signed_by_person(struct proof *proof, const struct event *request,
                            struct signer *signer, struct err *err)
{
    const struct head *head = request->payload;

    signer->kind = SIGNER_OWN;
    if (proof_person(proof, &head->by, &signer->person, err) != 0) {
        return -1;
    }
    signer->root = signer->person.root;
    if (!envelope_signed_by(&request->envelope, 0, &signer->person.key)) {
        return not_signed(request, err);
    }
    const struct key32 *second = second_key(request);
    if (second != NULL && !envelope_signed_by(&request->envelope, 1, second)) {
        return not_signed(request, err);
    }
    return same_root(request, &signer->root, err) != 0
               ? -1
               : check_stands(&signer->person, err);
}

/* Issued within the session's life. */
static int within_session(const struct session *session,
                          const struct head *head, struct err *err)
{
    if (head->issued < session->issued - CLOCK_SKEW ||
        head->issued > session->until) {
        return err_set(err, ERR_REJECT, "not issued within its session");
    }
    return 0;
}

static int signed_by_session(struct proof *proof, const struct event *request,
                             struct signer *signer, struct err *err)
{
    const struct head *head = request->payload;

    signer->kind = SIGNER_SESSION;
    if (proof_session(proof, &head->by, &signer->session, err) != 0) {
        return -1;
    }
    signer->person = signer->session.person;
    signer->root = signer->person.root;
    if (!envelope_signed_by(&request->envelope, 0, &signer->session.key)) {
        return not_signed(request, err);
    }
    return same_root(request, &signer->root, err) != 0 ||
                   check_stands(&signer->person, err) != 0
               ? -1
               : within_session(&signer->session, head, err);
}

static int signed_by_service(struct proof *proof, const struct event *request,
                             const struct service_enrol *named,
                             struct signer *signer, struct err *err)
{
    const struct head *head = request->payload;
    const struct service_enrol *enrol = NULL;

    signer->kind = SIGNER_SERVICE;
    signer->service = named->kind;
    signer->root = named->request.head.root;
    if (proof_service(proof, &head->by, (enum service_kind)named->kind, NULL,
                      head->issued, &enrol, err) != 0) {
        return -1;
    }
    return envelope_signed_by(&request->envelope, 0, &enrol->key)
               ? same_root(request, &signer->root, err)
               : not_signed(request, err);
}

/* user.verify: by the invitation's key, and the new one. It doesn't come into
 * the set: there it would stand without its user.confirm. */
static int signed_by_invitation(struct proof *proof,
                                const struct event *request,
                                struct signer *signer, struct err *err)
{
    struct invitation invited;

    if (request->kind != EVENT_USER_VERIFY) {
        return err_set(err, ERR_REJECT, "an invitation signs user.verify only");
    }
    struct link *link = link_new(&request->envelope, err);
    if (link == NULL) {
        return -1;
    }
    int done = proof_verify(proof, link, 0, &invited, err);
    link_free(link);
    signer->kind = SIGNER_INVITATION;
    if (done != 0) {
        return -1;
    }
    signer->root = invited.root;
    signer->person.user = invited.user;
    return 0;
}

int proof_request(struct proof *proof, const struct event *request,
                  struct signer *ret_signer, struct err *err)
{
    const struct head *head = request->payload;
    struct link *link = proof_link(proof, &head->by, err);
    struct signer signer = {0};
    int done = -1;

    if (link == NULL) {
        return -1;
    }
    switch ((int)link->event->kind) {
    case EVENT_ROOT_INIT:
    case EVENT_USER_VERIFY:
    case EVENT_USER_ROLE:
    case EVENT_KEY_ROTATE:
        done = signed_by_person(proof, request, &signer, err);
        break;
    case EVENT_SESSION_OPEN:
        done = signed_by_session(proof, request, &signer, err);
        break;
    case EVENT_SERVICE_ENROL:
        done = signed_by_service(proof, request, link->event->payload, &signer,
                                 err);
        break;
    case EVENT_USER_INVITE:
    case EVENT_USER_REINVITE:
        done = signed_by_invitation(proof, request, &signer, err);
        break;
    default:
        return err_set(err, ERR_REJECT, "a %s gives nobody a right",
                       link->event->envelope.type);
    }
    if (done == 0) {
        *ret_signer = signer;
    }
    return done;
}

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
static int may_run(struct proof *proof, const struct order *order,
                   struct err *err)
{
    struct err reason = {0};

    if (order->asker.role == ROLE_ADMINISTRATOR) {
        return order->asker.in_force
                   ? 0
                   : err_set(err, ERR_REJECT, "%s waits to be confirmed",
                             order->asker.email);
    }
    for (struct link *l = proof->links; l != NULL; l = l->hh.next) {
        struct person by;
        if (l->event->kind == EVENT_ASSIGNMENT_ADD &&
            assignment_fits(proof->standing, l->event->payload, &order->asker,
                            order->run, order->command) &&
            proof_by_administrator(proof, l, &by, &reason) == 0) {
            l->used = true;
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

static int check_deadline(const struct order *order, struct err *err)
{
    int64_t latest = order->run->request.head.issued + REQUEST_LIFE +
                     order->command->wait * 1000;

    return order->run->deadline <= latest
               ? 0
               : err_set(err, ERR_REJECT,
                         "the run's deadline is later than "
                         "its command's wait allows");
}

int proof_run(struct proof *proof, const struct hash *run,
              const struct hash *command, const char *target,
              struct order *ret_order, struct err *err)
{
    struct link *started = proof_link_of(proof, run, EVENT_RUN_START, err);
    struct link *saved =
        started == NULL
            ? NULL
            : proof_link_of(proof, command, EVENT_COMMAND_SAVE, err);
    struct signer signer;
    struct person author;

    if (saved == NULL ||
        proof_request(proof, started->event, &signer, err) != 0 ||
        proof_by_administrator(proof, saved, &author, err) != 0) {
        return -1;
    }
    struct order order = {.asker = signer.person,
                          .root = signer.root,
                          .run_hash = *run,
                          .run = started->event->payload,
                          .command = saved->event->payload};
    if (signer.kind != SIGNER_SESSION) {
        return err_set(err, ERR_REJECT,
                       "run.start is not signed by a "
                       "session's key");
    }
    if (!hash_equal(&author.root, &order.root) ||
        !id_equal(&order.run->command, &order.command->command)) {
        return err_set(err, ERR_REJECT, "the run names another command");
    }
    if (proof->standing != NULL &&
        standing_command_retired(proof->standing, &order.command->command)) {
        return err_set(err, ERR_REJECT, "command %s was removed",
                       order.command->name);
    }
    if (check_targets(proof, &order, target, err) != 0 ||
        check_deadline(&order, err) != 0 || may_run(proof, &order, err) != 0 ||
        arguments_check(&order.command->parameters, &order.run->arguments, NULL,
                        err) != 0) {
        return -1;
    }
    *ret_order = order;
    return 0;
}

/* What the authorizer itself says must follow from what was signed. */
static int check_said(const struct dispatch *dispatch,
                      const struct order *order, int64_t now, struct err *err)
{
    struct id id = execution_id(&order->run->request.head.id, &dispatch->run,
                                dispatch->target, dispatch->attempt);

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
    if (dispatch->attempt > ATTEMPTS_ALLOWED) {
        return err_set(err, ERR_REJECT,
                       "attempt %lld: no command allows that many",
                       (long long)dispatch->attempt);
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
        return not_signed(event, err);
    }
    if (check_log(proof, dispatch, err) != 0 ||
        proof_run(proof, &dispatch->run, &dispatch->command, target, &order,
                  err) != 0 ||
        same_root(event, &order.root, err) != 0 ||
        !hash_equal(&authorizer->request.head.root, &order.root)) {
        return err->text[0] == '\0' ? err_set(err, ERR_REJECT,
                                              "the authorizer and the run are "
                                              "of two installations")
                                    : -1;
    }
    if (check_said(dispatch, &order, now, err) != 0) {
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

int proof_said(struct proof *proof, const struct event *event,
               enum service_kind kind, int64_t moment, struct err *err)
{
    const struct head *head = event->payload;
    const struct service_enrol *enrol = NULL;

    if (proof_service(proof, &head->by, kind, NULL, moment, &enrol, err) != 0 ||
        same_root(event, &enrol->request.head.root, err) != 0) {
        return -1;
    }
    return envelope_signed_by(&event->envelope, 0, &enrol->key)
               ? 0
               : not_signed(event, err);
}

/* announcements.c: see announcements.h. */
#include "consumer/authorizer/announcements.h"

#include <string.h>

#include "model/change.h"
#include "model/group.h"
#include "model/log_entry.h"
#include "model/schedule.h"
#include "model/mfa.h"
#include "model/session.h"
#include "model/target.h"

/* Whom or what the change is about; the texts are the payload's. */
struct about {
    struct id user;
    struct id command;
    struct id run;
    const char *name;
    const struct list *targets; /* char *: on these alone; NULL: on all */
};

static struct about about_invite(const void *payload)
{
    const struct user_invite *invite = payload;

    return (struct about){.user = invite->user, .name = invite->email};
}

static struct about about_verify(const void *payload)
{
    return (struct about){.user = ((const struct user_verify *)payload)->user};
}

static struct about about_confirm(const void *payload)
{
    return (struct about){.user = ((const struct user_confirm *)payload)->user};
}

static struct about about_reset(const void *payload)
{
    return (struct about){.user = ((const struct mfa_reset *)payload)->user};
}

static struct about about_policy(const void *payload)
{
    (void)payload; /* policy.list tells what it is now */
    return (struct about){.name = "policy"};
}

static struct about about_session(const void *payload)
{
    (void)payload; /* whose it is, its signer says: see announcement_make() */
    return (struct about){0};
}

/* Of cards and billing keys: likewise. */
static struct about about_own(const void *payload)
{
    (void)payload;
    return (struct about){0};
}

static struct about about_enrol(const void *payload)
{
    return (struct about){.name =
                              ((const struct service_enrol *)payload)->name};
}

static struct about about_target(const void *payload)
{
    return (struct about){.name = ((const struct target_set *)payload)->name};
}

static struct about about_group(const void *payload)
{
    return (struct about){.name = ((const struct group_set *)payload)->name};
}

static struct about about_save(const void *payload)
{
    const struct command_save *save = payload;

    return (struct about){.command = save->command, .name = save->name};
}

static struct about about_schedule(const void *payload)
{
    return (struct about){.command =
                              ((const struct schedule_set *)payload)->command};
}

/* It names no command: who keeps track knows the schedule by its set. */
static struct about about_unscheduled(const void *payload)
{
    (void)payload;
    return (struct about){.name = "schedule"};
}

static struct about about_add(const void *payload)
{
    const struct assignment_add *add = payload;

    return (struct about){.user = add->user, .command = add->command};
}

static struct about about_standing(const void *payload)
{
    return (struct about){.user =
                              ((const struct user_standing *)payload)->user};
}

static struct about about_role(const void *payload)
{
    const struct user_role *role = payload;

    return (struct about){.user = role->user,
                          .name = word_text(&role_words, role->role)};
}

static struct about about_reinvite(const void *payload)
{
    const struct user_reinvite *invite = payload;

    return (struct about){.user = invite->user, .name = invite->email};
}

static struct about about_rotate(const void *payload)
{
    return (struct about){.user = ((const struct key_rotate *)payload)->user};
}

static struct about about_unassign(const void *payload)
{
    const struct assignment_remove *remove = payload;

    return (struct about){.user = remove->user, .command = remove->command};
}

static struct about about_retire(const void *payload)
{
    return (struct about){
        .command = ((const struct command_retire *)payload)->command};
}

static struct about about_revoke(const void *payload)
{
    (void)payload; /* the entry names it by its hash */
    return (struct about){.name = "service"};
}

static struct about about_run(const void *payload)
{
    const struct run_start *run = payload;

    return (struct about){.run = run->request.head.id, .command = run->command};
}

static struct about about_cancel(const void *payload)
{
    const struct run_cancel *cancel = payload;

    return (struct about){.run = cancel->run, .targets = &cancel->targets};
}

/* What it names by hashes, the decision names by ids. */
static struct about about_vote(const void *payload)
{
    (void)payload;
    return (struct about){0};
}

/* What a notifier has to see of it, in the proof's marks. */

static int prove_invite(struct proof *proof, const struct change *change,
                        struct err *err)
{
    struct invitation invited;

    return proof_invitation(proof, &change->invite, &invited, err);
}

static int prove_verify(struct proof *proof, const struct change *change,
                        struct err *err)
{
    struct person person;

    return proof_person(proof, &change->subject, &person, err);
}

/* Of which facts a notifier makes mails. */
static const struct belief {
    enum event_kind told;
    int (*prove)(struct proof *proof, const struct change *change,
                 struct err *err);
} beliefs[] = {
    {EVENT_USER_INVITED, prove_invite},
    {EVENT_USER_REINVITED, prove_invite},
    {EVENT_USER_VERIFIED, prove_verify},
    {EVENT_INVITATION_REUSED, prove_invite},
};

/* invitation.show is a read, of which nothing is told but a refusal; kind 0
 * (root.init, which is never told) stands for none. */
#define NOTHING EVENT_ROOT_INIT

static const struct fact {
    enum event_kind asked;
    enum event_kind accepted;
    struct about (*about)(const void *payload);
} facts[] = {
    {EVENT_USER_INVITE, EVENT_USER_INVITED, about_invite},
    {EVENT_USER_VERIFY, EVENT_USER_VERIFIED, about_verify},
    {EVENT_INVITATION_SHOW, NOTHING, about_session},
    {EVENT_USER_CONFIRM, EVENT_USER_CONFIRMED, about_confirm},
    {EVENT_USER_SUSPEND, EVENT_USER_SUSPENDED, about_standing},
    {EVENT_USER_RESUME, EVENT_USER_RESUMED, about_standing},
    {EVENT_USER_REMOVE, EVENT_USER_REMOVED, about_standing},
    {EVENT_USER_ROLE, EVENT_USER_ROLE_CHANGED, about_role},
    {EVENT_USER_REINVITE, EVENT_USER_REINVITED, about_reinvite},
    {EVENT_KEY_ROTATE, EVENT_KEY_ROTATED, about_rotate},
    {EVENT_ASSIGNMENT_REMOVE, EVENT_ASSIGNMENT_REMOVED, about_unassign},
    {EVENT_COMMAND_RETIRE, EVENT_COMMAND_RETIRED, about_retire},
    {EVENT_SERVICE_REVOKE, EVENT_SERVICE_REVOKED, about_revoke},
    {EVENT_SCHEDULE_SET, EVENT_SCHEDULE_CHANGED, about_schedule},
    {EVENT_SCHEDULE_REMOVE, EVENT_SCHEDULE_REMOVED, about_unscheduled},
    {EVENT_MFA_SET, EVENT_MFA_ENABLED, about_session},
    {EVENT_MFA_RESET, EVENT_MFA_WITHDRAWN, about_reset},
    {EVENT_POLICY_SET, EVENT_POLICY_CHANGED, about_policy},
    {EVENT_SESSION_OPEN, EVENT_SESSION_OPENED, about_session},
    {EVENT_SESSION_CLOSE, EVENT_SESSION_CLOSED, about_session},
    {EVENT_SERVICE_ENROL, EVENT_SERVICE_ENROLLED, about_enrol},
    {EVENT_TARGET_SET, EVENT_TARGET_ADDED, about_target},
    {EVENT_GROUP_SET, EVENT_GROUP_CHANGED, about_group},
    {EVENT_COMMAND_SAVE, EVENT_COMMAND_SAVED, about_save},
    {EVENT_ASSIGNMENT_ADD, EVENT_ASSIGNMENT_ADDED, about_add},
    {EVENT_BILLING_INIT, EVENT_BILLING_MADE, about_own},
    {EVENT_CARD_ADD, EVENT_CARD_ADDED, about_own},
    {EVENT_CARD_DEFAULT, EVENT_CARD_DEFAULTED, about_own},
    {EVENT_CARD_REMOVE, EVENT_CARD_REMOVED, about_own},
    {EVENT_RUN_START, EVENT_RUN_ACCEPTED, about_run},
    {EVENT_RUN_TICK, EVENT_RUN_ACCEPTED, about_run},
    {EVENT_RUN_CANCEL, EVENT_RUN_CANCELLED, about_cancel},
    {EVENT_RUN_APPROVE, NOTHING, about_vote}, /* only the last one's */
    {EVENT_RUN_REJECT, NOTHING, about_vote},
};

static const struct fact *fact_of(enum event_kind kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
        if (facts[i].asked == kind) {
            return &facts[i];
        }
    }
    return NULL;
}

/* The record's key: the id of what it is about, or its name. */
static void key_of(const struct change *change, char key[static HASH_TEXT])
{
    const struct id *ids[] = {&change->run, &change->user, &change->command};

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        if (!id_is_zero(ids[i])) {
            id_format(ids[i], key);
            return;
        }
    }
    size_t len = strnlen(change->name, HASH_TEXT - 1);
    memcpy(key, change->name, len);
    key[len] = '\0';
}

static struct id derived_id(const struct hash *request, const char *type)
{
    static const char what[] = "errand.event";
    struct part parts[] = {{what, sizeof(what) - 1},
                           {request->b, sizeof(request->b)},
                           {type, strlen(type)}};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_of_hash(&hash);
}

static int tell(const struct asking *asking, enum event_kind kind,
                const struct change *change, struct list *out, struct err *err)
{
    const struct daemon *daemon = asking->daemon;
    _cleanup_envelope_ struct envelope envelope = {0};
    _cleanup_free_ char *source = must_printf("authorizer/%s", daemon->name);
    char key[HASH_TEXT];
    struct record record;

    key_of(change, key);
    if (event_sign(kind, change, daemon->keys, NULL, &envelope, err) != 0 ||
        event_to_record(&envelope, source, "errand.events", PARTITION_BY_KEY,
                        key, &record, err) != 0) {
        return -1;
    }
    *(struct record *)list_grow(out, sizeof(record)) = record;
    return 0;
}

/* A target is added and changed by the same verb; a run may wait for approval,
 * and a vote may be the one that decides. */
static enum event_kind acceptance_of(const struct asking *asking,
                                     const struct fact *fact)
{
    const struct target_set *set = asking->request->payload;

    if (asking->decision.told.kind != 0) {
        return (enum event_kind)asking->decision.told.kind;
    }
    return asking->request->kind == EVENT_TARGET_SET &&
                   !hash_is_zero(&set->previous)
               ? EVENT_TARGET_CHANGED
               : fact->accepted;
}

/* The fact of a refusal: a run's, and an invitation's that was used before. */
static enum event_kind refusal_of(const struct asking *asking)
{
    if (asking->request->kind == EVENT_RUN_START ||
        asking->request->kind == EVENT_RUN_TICK) {
        return EVENT_RUN_REFUSED;
    }
    return id_is_zero(&asking->decision.reuse.user) ? NOTHING
                                                    : EVENT_INVITATION_REUSED;
}

static struct hash invite_of(const struct asking *asking)
{
    const struct user_verify *verify = asking->request->payload;

    switch ((int)asking->request->kind) {
    case EVENT_USER_INVITE:
    case EVENT_USER_REINVITE:
        return asking->request->hash;
    case EVENT_USER_VERIFY:
        return verify->invite;
    default:
        return asking->decision.reuse.invite;
    }
}

/* The request's chain and the own enrolment: with them a notifier, which has no
 * database, believes the change. An older backup may lack an envelope: then it
 * goes without, and the notifier says so. */
static int add_chain(const struct asking *asking, const struct belief *belief,
                     struct change *change, struct err *err)
{
    const struct daemon *daemon = asking->daemon;
    struct proof *proof = asking->proof;
    const struct service_enrol *enrol;

    proof_forget_used(proof);
    if (proof_add_all(proof, &daemon->enrolment, err) != 0 ||
        proof_service(proof, &daemon->by, SERVICE_AUTHORIZER, NULL,
                      change->head.issued, &enrol, err) != 0 ||
        belief->prove(proof, change, err) != 0) {
        if (err->kind != ERR_REJECT) {
            return -1;
        }
        err_clear(err);
        return 0;
    }
    proof_used(proof, &change->envelopes);
    return 0;
}

static int add_envelopes(const struct asking *asking, enum event_kind kind,
                         struct change *change, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(beliefs); i++) {
        if (beliefs[i].told == kind) {
            return add_chain(asking, &beliefs[i], change, err);
        }
    }
    return 0;
}

int announcement_make(const struct asking *asking, struct list *out,
                      struct err *err)
{
    const struct decision *decision = &asking->decision;
    const struct fact *fact = fact_of(asking->request->kind);
    bool refused = decision->reason != NULL;

    if (fact == NULL || decision->status == REPLY_OK ||
        decision->status == REPLY_ID_IN_USE) {
        return 0;
    }
    enum event_kind kind =
        refused ? refusal_of(asking) : acceptance_of(asking, fact);
    if (kind == NOTHING) {
        return 0;
    }
    struct about about = fact->about(asking->request->payload);
    if (fact->about == about_session || fact->about == about_own) {
        about.user = asking->signer.person.user;
        about.name = asking->signer.person.email;
    }
    if (decision->told.kind != 0) {
        about.run = decision->told.run;
        about.command = decision->told.command;
    }
    _cleanup_free_ char *targets =
        about.targets == NULL || about.targets->n == 0
            ? NULL
            : texts_join(about.targets, ", ");
    struct change change = {
        .head =
            head_new(&asking->daemon->root, &asking->daemon->by, decision->at),
        .subject = asking->request->hash,
        .actor = asking->signer.person.user,
        .user = about.user,
        .command = about.command,
        .run = about.run,
        .name = (char *)about.name,
        .detail = refused                         ? decision->reason
                  : decision->told.detail != NULL ? decision->told.detail
                                                  : targets,
        .invite = invite_of(asking),
    };
    change.head.id = derived_id(&asking->request->hash, event_types[kind].type);
    int done = add_envelopes(asking, kind, &change, err) != 0
                   ? -1
                   : tell(asking, kind, &change, out, err);
    envelopes_done(&change.envelopes);
    return done;
}

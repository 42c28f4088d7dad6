/*
 * proof.c: the set of envelopes, and the links of the chain: people, sessions,
 * services, invitations. What they allow is in allow.c. See proof.h.
 */
#include "trust/proof.h"

#include <sodium.h>
#include <string.h>
#include <uthash.h>

#include "trust/proof_private.h"

#define CHAIN_MAX 16 /* administrators from one up to the root */

struct proof *proof_new(const struct roots *roots, proof_fetch *fetch,
                        void *arg)
{
    struct proof *proof = must_calloc(1, sizeof(*proof));

    proof->roots = roots;
    proof->fetch = fetch;
    proof->arg = arg;
    return proof;
}

void proof_free(struct proof *proof)
{
    struct link *link;
    struct link *next;

    if (proof == NULL) {
        return;
    }
    HASH_ITER (hh, proof->links, link, next) {
        HASH_DEL(proof->links, link);
        event_free(link->event);
        free(link);
    }
    free(proof);
}

static struct link *find(const struct proof *proof, const struct hash *hash)
{
    struct link *link = NULL;

    HASH_FIND(hh, proof->links, hash->b, sizeof(hash->b), link);
    return link;
}

int proof_add(struct proof *proof, const struct envelope *envelope,
              struct err *err)
{
    struct hash hash = envelope_hash(envelope);

    if (find(proof, &hash) != NULL) {
        return 0;
    }
    struct envelope copy = envelope_dup(envelope);
    struct event *event = event_new_take(&copy, err);
    if (event == NULL) {
        return err_wrap(err, "proof");
    }
    struct link *link = must_calloc(1, sizeof(*link));
    link->event = event;
    HASH_ADD_KEYPTR(hh, proof->links, event->hash.b, sizeof(event->hash.b),
                    link);
    proof->state++;
    return 0;
}

int proof_add_all(struct proof *proof, const struct list *envelopes,
                  struct err *err)
{
    for (size_t i = 0; i < envelopes->n; i++) {
        if (proof_add(proof, &list_at(envelopes, struct envelope, i), err)) {
            return -1;
        }
    }
    return 0;
}

void proof_used(const struct proof *proof, struct list *ret_envelopes)
{
    for (struct link *link = proof->links; link; link = link->hh.next) {
        if (link->used) {
            envelopes_add(ret_envelopes, &link->event->envelope);
        }
    }
}

void proof_forget_used(struct proof *proof)
{
    for (struct link *link = proof->links; link; link = link->hh.next) {
        link->used = false;
    }
    proof->state++;
}

struct link *proof_link(struct proof *proof, const struct hash *hash,
                        struct err *err)
{
    struct link *link = find(proof, hash);

    if (link == NULL && proof->fetch != NULL) {
        if (proof->fetch(proof->arg, hash, proof, err) != 0) {
            return NULL;
        }
        link = find(proof, hash);
    }
    if (link == NULL) {
        char text[HASH_TEXT];
        hash_format(hash, text);
        (void)err_set(err, ERR_REJECT, "the proof lacks an envelope: %.16s…",
                      text);
        return NULL;
    }
    link->used = true;
    return link;
}

/* The link of that hash, if its payload is of this kind. */
struct link *proof_link_of(struct proof *proof, const struct hash *hash,
                           enum event_kind kind, struct err *err)
{
    struct link *link = proof_link(proof, hash, err);

    if (link != NULL && link->event->kind != kind) {
        (void)err_set(err, ERR_REJECT, "a %s where a %s belongs",
                      link->event->envelope.type, event_types[kind].type);
        return NULL;
    }
    return link;
}

/* A good signature stays good: it is checked once for each key in a proof. */
bool link_signed_by(struct link *link, size_t i, const struct key32 *key)
{
    if (link->good[i] && memcmp(link->key[i].b, key->b, sizeof(key->b)) == 0) {
        return true;
    }
    if (!envelope_signed_by(&link->event->envelope, i, key)) {
        return false;
    }
    link->good[i] = true;
    link->key[i] = *key;
    return true;
}

/* Signature and root of one link; `who` for the message. */
static int check_signed(struct link *link, size_t i, const struct key32 *key,
                        const struct hash *root, const char *who,
                        struct err *err)
{
    const struct head *head = link->event->payload;

    if (!hash_equal(&head->root, root)) {
        return err_set(err, ERR_REJECT, "%s is of another installation",
                       link->event->envelope.type);
    }
    if (!link_signed_by(link, i, key)) {
        return err_set(err, ERR_REJECT, "%s is not signed by %s",
                       link->event->envelope.type, who);
    }
    return 0;
}

static int check_root_signed(struct proof *proof, struct link *link,
                             struct err *err)
{
    const struct head *head = link->event->payload;
    const struct key32 *key = roots_find(proof->roots, &head->root);

    if (key == NULL) {
        return err_set(err, ERR_REJECT,
                       "%s goes up to a root that is not "
                       "pinned here",
                       link->event->envelope.type);
    }
    if (!hash_equal(&head->by, &head->root)) {
        return err_set(err, ERR_REJECT, "%s: `by` is not the root",
                       link->event->envelope.type);
    }
    return check_signed(link, 0, key, &head->root, "the root key", err);
}

static int administrator(struct proof *proof, const struct hash *by, int depth,
                         struct person *ret_person, struct err *err);

/* An envelope that an administrator in force signed with their own key. */
static int check_by_administrator(struct proof *proof, struct link *link,
                                  int depth, struct person *ret_person,
                                  struct err *err)
{
    const struct head *head = link->event->payload;

    if (administrator(proof, &head->by, depth + 1, ret_person, err) != 0) {
        return err_wrap(err, "%s", link->event->envelope.type);
    }
    return check_signed(link, 0, &ret_person->key, &ret_person->root,
                        "its administrator's own key", err);
}

int proof_by_administrator(struct proof *proof, struct link *link,
                           struct person *ret_person, struct err *err)
{
    return check_by_administrator(proof, link, 0, ret_person, err);
}

static void set_email(struct person *person, const char *email)
{
    size_t len = strnlen(email, EMAIL_MAX);

    memcpy(person->email, email, len);
    person->email[len] = '\0';
}

static int first_administrator(struct proof *proof, struct link *link,
                               struct person *ret_person, struct err *err)
{
    const struct root_init *init = link->event->payload;
    struct id user = user_id(&init->head.root, &init->key);

    if (check_root_signed(proof, link, err) != 0) {
        return -1;
    }
    if (!id_equal(&user, &init->user)) {
        return err_set(err, ERR_REJECT,
                       "root.init: the user's id is not that "
                       "of its key");
    }
    *ret_person = (struct person){.user = user,
                                  .role = ROLE_ADMINISTRATOR,
                                  .in_force = true,
                                  .key = init->key,
                                  .by = link->event->hash,
                                  .root = init->head.root,
                                  .generation = 1};
    set_email(ret_person, init->email);
    return 0;
}

static int invitation(struct proof *proof, const struct hash *hash, int depth,
                      struct link **ret_link, struct err *err)
{
    struct link *link = proof_link_of(proof, hash, EVENT_USER_INVITE, err);
    struct person inviter;

    if (link == NULL ||
        check_by_administrator(proof, link, depth, &inviter, err) != 0) {
        return -1;
    }
    const struct user_invite *invite = link->event->payload;
    if (invite_check(invite, &inviter.root, err) != 0) {
        return -1;
    }
    *ret_link = link;
    return 0;
}

int proof_invitation(struct proof *proof, const struct hash *invite,
                     const struct user_invite **ret_invite, struct err *err)
{
    struct link *link = NULL;

    if (invitation(proof, invite, 0, &link, err) != 0) {
        return -1;
    }
    *ret_invite = link->event->payload;
    return 0;
}

int proof_verify(struct proof *proof, struct link *link, int depth,
                 const struct user_invite **ret_invite, struct err *err)
{
    const struct user_verify *verify = link->event->payload;
    const struct head *head = &verify->request.head;
    struct link *invited = NULL;

    if (!hash_equal(&head->by, &verify->invite)) {
        return err_set(err, ERR_REJECT, "user.verify: `by` is not the invite");
    }
    if (invitation(proof, &verify->invite, depth, &invited, err) != 0) {
        return err_wrap(err, "user.verify");
    }
    const struct user_invite *invite = invited->event->payload;
    if (!id_equal(&verify->user, &invite->user) || verify->generation != 1) {
        return err_set(err, ERR_REJECT,
                       "user.verify: not for the invited "
                       "user, or of another generation");
    }
    if (head->issued > invite->until + CLOCK_SKEW) {
        return err_set(err, ERR_REJECT,
                       "user.verify: the invitation had "
                       "ended");
    }
    *ret_invite = invite;
    return check_signed(link, 0, &invite->invitation,
                        &invite->request.head.root, "the invitation's key",
                        err) != 0 ||
                   check_signed(link, 1, &verify->key, &head->root,
                                "the new key", err) != 0
               ? -1
               : 0;
}

/* True where an administrator in force, not the invitee, confirmed this key. */
static bool confirmed(struct proof *proof, const struct event *verified,
                      int depth)
{
    const struct user_verify *verify = verified->payload;

    for (struct link *l = proof->links; l != NULL; l = l->hh.next) {
        const struct user_confirm *confirm = l->event->payload;
        struct person by;
        struct err ignored;
        if (l->event->kind == EVENT_USER_CONFIRM &&
            hash_equal(&confirm->verify, &verified->hash) &&
            id_equal(&confirm->user, &verify->user) &&
            memcmp(confirm->key.b, verify->key.b, sizeof(verify->key.b)) == 0 &&
            check_by_administrator(proof, l, depth, &by, &ignored) == 0 &&
            !id_equal(&by.user, &verify->user)) {
            l->used = true;
            return true;
        }
    }
    return false;
}

static int verified_person(struct proof *proof, struct link *link, int depth,
                           struct person *ret_person, struct err *err)
{
    const struct user_verify *verify = link->event->payload;
    const struct user_invite *invite = NULL;

    if (proof_verify(proof, link, depth, &invite, err) != 0) {
        return -1;
    }
    *ret_person = (struct person){.user = verify->user,
                                  .role = invite->role,
                                  .key = verify->key,
                                  .by = link->event->hash,
                                  .root = verify->request.head.root,
                                  .generation = verify->generation,
                                  .mfa = invite->mfa,
                                  .service = invite->service};
    set_email(ret_person, invite->email);
    ret_person->in_force = invite->role != ROLE_ADMINISTRATOR ||
                           confirmed(proof, link->event, depth);
    return 0;
}

static int named_person(struct proof *proof, struct link *link, int depth,
                        struct person *ret_person, struct err *err)
{
    switch ((int)link->event->kind) {
    case EVENT_ROOT_INIT:
        return first_administrator(proof, link, ret_person, err);
    case EVENT_USER_VERIFY:
        return verified_person(proof, link, depth, ret_person, err);
    default:
        return err_set(err, ERR_REJECT, "a %s names no person's key",
                       link->event->envelope.type);
    }
}

static int person(struct proof *proof, const struct hash *by, int depth,
                  struct person *ret_person, struct err *err)
{
    if (depth > CHAIN_MAX) {
        return err_set(err, ERR_REJECT, "the chain is over %d people long",
                       CHAIN_MAX);
    }
    struct link *link = proof_link(proof, by, err);
    if (link == NULL) {
        return -1;
    }
    /* Inviter and confirmer share most of their chains: without this, each
     * administrator in a row would double the work. */
    if (link->judged != proof->state) {
        if (named_person(proof, link, depth, &link->person, err) != 0) {
            return -1;
        }
        link->judged = proof->state;
    }
    *ret_person = link->person;
    return 0;
}

int proof_person(struct proof *proof, const struct hash *by,
                 struct person *ret_person, struct err *err)
{
    return person(proof, by, 0, ret_person, err);
}

static int administrator(struct proof *proof, const struct hash *by, int depth,
                         struct person *ret_person, struct err *err)
{
    struct person who;

    if (person(proof, by, depth, &who, err) != 0) {
        return -1;
    }
    if (who.role != ROLE_ADMINISTRATOR || !who.in_force) {
        return err_set(err, ERR_REJECT, "%s is %s", who.email,
                       who.role == ROLE_ADMINISTRATOR
                           ? "an administrator whom nobody confirmed"
                           : "no administrator");
    }
    *ret_person = who;
    return 0;
}

int proof_administrator(struct proof *proof, const struct hash *by,
                        struct person *ret_person, struct err *err)
{
    return administrator(proof, by, 0, ret_person, err);
}

int proof_session(struct proof *proof, const struct hash *by,
                  struct session *ret_session, struct err *err)
{
    struct link *link = proof_link_of(proof, by, EVENT_SESSION_OPEN, err);
    struct person who;

    if (link == NULL) {
        return -1;
    }
    const struct session_open *open = link->event->payload;
    const struct head *head = &open->request.head;
    if (proof_person(proof, &head->by, &who, err) != 0 ||
        check_signed(link, 0, &who.key, &who.root, "its user's own key", err) !=
            0 ||
        check_signed(link, 1, &open->key, &who.root, "the session's key",
                     err) != 0) {
        return err_wrap(err, "session");
    }
    if (open->until > head->issued + SESSION_LIFE) {
        return err_set(err, ERR_REJECT, "session: open for too long");
    }
    *ret_session = (struct session){.hash = *by,
                                    .person = who,
                                    .key = open->key,
                                    .box = open->box,
                                    .issued = head->issued,
                                    .until = open->until};
    return 0;
}

static int check_authorizer(struct proof *proof, struct link *link,
                            struct err *err)
{
    const struct service_enrol *enrol = link->event->payload;
    int64_t life = enrol->until - enrol->request.head.issued;

    if (enrol->until == 0 || life > AUTHORIZER_LIFE_MAX) {
        return err_set(err, ERR_REJECT,
                       "authorizer %s is enrolled without an "
                       "end, or for over 180 days",
                       enrol->name);
    }
    return check_root_signed(proof, link, err);
}

int proof_service(struct proof *proof, const struct hash *by,
                  enum service_kind kind, const char *target, int64_t now,
                  const struct service_enrol **ret_enrolment, struct err *err)
{
    struct link *link = proof_link_of(proof, by, EVENT_SERVICE_ENROL, err);
    struct person who;

    if (link == NULL) {
        return -1;
    }
    const struct service_enrol *enrol = link->event->payload;
    if (enrol->kind != (int)kind) {
        return err_set(err, ERR_REJECT, "%s is enrolled as %s, not as %s",
                       enrol->name, word_text(&service_kind_words, enrol->kind),
                       word_text(&service_kind_words, (int)kind));
    }
    if (kind == SERVICE_AUTHORIZER
            ? check_authorizer(proof, link, err) != 0
            : check_by_administrator(proof, link, 0, &who, err) != 0) {
        return -1;
    }
    if (target != NULL &&
        (enrol->target == NULL || strcmp(enrol->target, target) != 0)) {
        return err_set(err, ERR_REJECT, "%s is not enrolled for target %s",
                       enrol->name, target);
    }
    if (enrol->until != 0 && now > enrol->until) {
        return err_set(err, ERR_REJECT, "the enrolment of %s has ended",
                       enrol->name);
    }
    *ret_enrolment = enrol;
    return 0;
}

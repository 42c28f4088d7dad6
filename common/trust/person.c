/*
 * person.c: the chain's people: invitations, who is named by which envelope,
 * and what they signed as administrators. See proof.h.
 *
 * A person's key is named by root.init, user.verify, user.role or key.rotate.
 * Where a revocation log is known (proof_set_standing()), what somebody signed
 * counts as long as they stand by that very envelope, or where the log keeps
 * it. Entries of the log were judged when they came into it: of those the
 * signature is asked, and their place, not how their signer stands by now.
 */
#include <string.h>

#include "model/log_entry.h"
#include "trust/proof_private.h"

#define CHAIN_MAX 16 /* people from one up to the root */

static int administrator(struct proof *proof, const struct hash *by, int depth,
                         struct person *ret_person, struct err *err);

/* Signed as an administrator, however they stand now. */
static int signed_by_administrator(struct proof *proof, struct link *link,
                                   int depth, struct person *ret_person,
                                   struct err *err)
{
    const struct head *head = link->event->payload;

    if (administrator(proof, &head->by, depth + 1, ret_person, err) != 0) {
        return err_wrap(err, "%s", link->event->envelope.type);
    }
    return proof_signed(link, 0, &ret_person->key, &ret_person->root,
                        "its administrator's own key", err);
}

static int check_stands(const struct proof *proof, const struct link *link,
                        const struct person *person, struct err *err)
{
    if (proof->standing == NULL || proof->in_entry > 0 ||
        person->standing == STANDS ||
        standing_keeps(proof->standing, &person->user, &link->event->hash)) {
        return 0;
    }
    return err_set(err, ERR_REJECT,
                   "%s is void: %s, who signed it, is %s, and it was not kept",
                   link->event->envelope.type, person->email,
                   word_text(&standing_words, person->standing));
}

/* An envelope that an administrator in force signed with their own key. */
static int check_by_administrator(struct proof *proof, struct link *link,
                                  int depth, struct person *ret_person,
                                  struct err *err)
{
    return signed_by_administrator(proof, link, depth, ret_person, err) != 0
               ? -1
               : check_stands(proof, link, ret_person, err);
}

int proof_by_administrator(struct proof *proof, struct link *link,
                           struct person *ret_person, struct err *err)
{
    return check_by_administrator(proof, link, 0, ret_person, err);
}

int proof_signed_by_administrator(struct proof *proof, const struct hash *hash,
                                  struct person *ret_person, struct err *err)
{
    struct link *link = proof_link(proof, hash, err);

    return link == NULL
               ? -1
               : check_by_administrator(proof, link, 0, ret_person, err);
}

/* An entry of the log, or one that is on its way into it where none is known.
 */
static int check_entry(struct proof *proof, struct link *link, int depth,
                       struct person *ret_signer, struct err *err)
{
    const struct log_entry *entry = link->event->payload;

    if (proof->standing != NULL &&
        !standing_holds(proof->standing, entry->seq, &link->event->hash)) {
        return err_set(err, ERR_REJECT, "%s is not in the revocation log",
                       link->event->envelope.type);
    }
    proof->in_entry++;
    int done = signed_by_administrator(proof, link, depth, ret_signer, err);
    proof->in_entry--;
    return done;
}

static void set_email(struct person *person, const char *email)
{
    size_t len = strnlen(email, EMAIL_MAX);

    memcpy(person->email, email, len);
    person->email[len] = '\0';
}

/* Invitations */

static int invited_first(struct proof *proof, struct link *link, int depth,
                         struct invitation *ret_invitation, struct err *err)
{
    const struct user_invite *invite = link->event->payload;
    struct person inviter;

    if (check_by_administrator(proof, link, depth, &inviter, err) != 0) {
        return -1;
    }
    struct id user = user_id(&inviter.root, &invite->invitation);
    if (!id_equal(&user, &invite->user)) {
        return err_set(err, ERR_REJECT,
                       "user.invite: the user's id is not that of the "
                       "invitation");
    }
    *ret_invitation = (struct invitation){.user = invite->user,
                                          .key = invite->invitation,
                                          .email = invite->email,
                                          .role = invite->role,
                                          .until = invite->until,
                                          .generation = 1,
                                          .name = invite->name,
                                          .sealed = &invite->sealed,
                                          .root = inviter.root,
                                          .hash = link->event->hash};
    return 0;
}

static int invited_again(struct proof *proof, struct link *link, int depth,
                         struct invitation *ret_invitation, struct err *err)
{
    const struct user_reinvite *invite = link->event->payload;
    struct person inviter;

    if (check_entry(proof, link, depth, &inviter, err) != 0) {
        return -1;
    }
    *ret_invitation = (struct invitation){.user = invite->user,
                                          .key = invite->invitation,
                                          .email = invite->email,
                                          .role = invite->role,
                                          .until = invite->until,
                                          .generation = invite->generation,
                                          .sealed = &invite->sealed,
                                          .root = inviter.root,
                                          .hash = link->event->hash};
    return 0;
}

static int invitation(struct proof *proof, const struct hash *hash, int depth,
                      struct invitation *ret_invitation, struct err *err)
{
    struct link *link = proof_link(proof, hash, err);

    if (link == NULL) {
        return -1;
    }
    bool again = link->event->kind == EVENT_USER_REINVITE;
    if (!again && link->event->kind != EVENT_USER_INVITE) {
        return err_set(err, ERR_REJECT, "a %s where an invitation belongs",
                       link->event->envelope.type);
    }
    if ((again ? invited_again : invited_first)(proof, link, depth,
                                                ret_invitation, err) != 0) {
        return -1;
    }
    const struct head *head = link->event->payload;
    ret_invitation->by = head->by;
    ret_invitation->request = head->id;
    return ret_invitation->until <= head->issued + INVITATION_LIFE
               ? 0
               : err_set(err, ERR_REJECT, "%s: open for too long",
                         link->event->envelope.type);
}

int proof_invitation(struct proof *proof, const struct hash *invite,
                     struct invitation *ret_invitation, struct err *err)
{
    return invitation(proof, invite, 0, ret_invitation, err);
}

static int followed(const struct user_verify *verify,
                    const struct invitation *invited, struct err *err)
{
    if (!id_equal(&verify->user, &invited->user) ||
        verify->generation != invited->generation) {
        return err_set(err, ERR_REJECT,
                       "user.verify: not for the invited user, or of another "
                       "generation");
    }
    return verify->request.head.issued <= invited->until + CLOCK_SKEW
               ? 0
               : err_set(err, ERR_REJECT,
                         "user.verify: the invitation had ended");
}

int proof_verify(struct proof *proof, struct link *link, int depth,
                 struct invitation *ret_invitation, struct err *err)
{
    const struct user_verify *verify = link->event->payload;
    const struct head *head = &verify->request.head;
    struct invitation invited;

    if (!hash_equal(&head->by, &verify->invite)) {
        return err_set(err, ERR_REJECT, "user.verify: `by` is not the invite");
    }
    if (invitation(proof, &verify->invite, depth, &invited, err) != 0) {
        return err_wrap(err, "user.verify");
    }
    if (followed(verify, &invited, err) != 0 ||
        proof_signed(link, 0, &invited.key, &invited.root,
                     "the invitation's key", err) != 0 ||
        proof_signed(link, 1, &verify->key, &head->root, "the new key", err)) {
        return -1;
    }
    *ret_invitation = invited;
    return 0;
}

/* What names a key */

static int first_administrator(struct proof *proof, struct link *link,
                               int depth, struct person *ret_person,
                               struct err *err)
{
    const struct root_init *init = link->event->payload;
    struct id user = user_id(&init->head.root, &init->key);

    (void)depth;
    if (proof_root_signed(proof, link, err) != 0) {
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
    struct invitation invited;

    if (proof_verify(proof, link, depth, &invited, err) != 0) {
        return -1;
    }
    *ret_person = (struct person){.user = verify->user,
                                  .role = invited.role,
                                  .key = verify->key,
                                  .by = link->event->hash,
                                  .invite = verify->invite,
                                  .root = verify->request.head.root,
                                  .generation = verify->generation};
    set_email(ret_person, invited.email);
    ret_person->in_force = invited.role != ROLE_ADMINISTRATOR ||
                           confirmed(proof, link->event, depth);
    return 0;
}

static int person(struct proof *proof, const struct hash *by, int depth,
                  struct person *ret_person, struct err *err);

/* Whom an entry names anew: by `naming` they were known before. */
static int known_before(struct proof *proof, const struct hash *naming,
                        const struct id *user, int depth,
                        struct person *ret_person, struct err *err)
{
    if (person(proof, naming, depth + 1, ret_person, err) != 0) {
        return -1;
    }
    return id_equal(&ret_person->user, user)
               ? 0
               : err_set(err, ERR_REJECT, "`naming` names another user");
}

/* The role was given to this very key: an administrator needs no other
 * confirmation. */
static int promoted_person(struct proof *proof, struct link *link, int depth,
                           struct person *ret_person, struct err *err)
{
    const struct user_role *role = link->event->payload;
    struct person who;
    struct person by;

    if (known_before(proof, &role->naming, &role->user, depth, &who, err) !=
            0 ||
        check_entry(proof, link, depth, &by, err) != 0) {
        return err_wrap(err, "user.role");
    }
    if (id_equal(&by.user, &role->user) ||
        memcmp(role->key.b, who.key.b, sizeof(who.key.b)) != 0) {
        return err_set(err, ERR_REJECT,
                       "user.role: by themselves, or of another key");
    }
    who.role = role->role;
    who.in_force = true;
    who.by = link->event->hash;
    who.invite = (struct hash){0};
    *ret_person = who;
    return 0;
}

static int rotated_person(struct proof *proof, struct link *link, int depth,
                          struct person *ret_person, struct err *err)
{
    const struct key_rotate *rotate = link->event->payload;
    struct person who;

    if (known_before(proof, &rotate->naming, &rotate->user, depth, &who, err) !=
            0 ||
        proof_signed(link, 0, &who.key, &who.root, "the old key", err) != 0 ||
        proof_signed(link, 1, &rotate->key, &who.root, "the new key", err)) {
        return err_wrap(err, "key.rotate");
    }
    if (rotate->generation != who.generation + 1) {
        return err_set(err, ERR_REJECT, "key.rotate: not the next generation");
    }
    who.key = rotate->key;
    who.generation = rotate->generation;
    who.by = link->event->hash;
    who.invite = (struct hash){0};
    *ret_person = who;
    return 0;
}

/* An administrator who rotated their key is one because of the log alone. */
static int rotated_in_log(struct proof *proof, struct link *link, int depth,
                          struct person *ret_person, struct err *err)
{
    const struct key_rotate *rotate = link->event->payload;

    if (proof->standing != NULL &&
        !standing_holds(proof->standing, rotate->entry.seq,
                        &link->event->hash)) {
        return err_set(err, ERR_REJECT,
                       "key.rotate is not in the revocation log");
    }
    return rotated_person(proof, link, depth, ret_person, err);
}

static const struct naming {
    enum event_kind kind;
    int (*read)(struct proof *proof, struct link *link, int depth,
                struct person *ret_person, struct err *err);
} namings[] = {
    {EVENT_ROOT_INIT, first_administrator},
    {EVENT_USER_VERIFY, verified_person},
    {EVENT_USER_ROLE, promoted_person},
    {EVENT_KEY_ROTATE, rotated_in_log},
};

static int named_person(struct proof *proof, struct link *link, int depth,
                        struct person *ret_person, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(namings); i++) {
        if (namings[i].kind == link->event->kind) {
            return namings[i].read(proof, link, depth, ret_person, err);
        }
    }
    return err_set(err, ERR_REJECT, "a %s names no person's key",
                   link->event->envelope.type);
}

static void set_standing(const struct proof *proof, struct person *person)
{
    if (proof->standing != NULL) {
        person->standing =
            standing_of(proof->standing, &person->user, &person->by,
                        hash_is_zero(&person->invite) ? NULL : &person->invite);
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
    struct judged *judged = &link->judged[proof->in_entry > 0];
    if (judged->state != proof->state) {
        if (named_person(proof, link, depth, &judged->person, err) != 0) {
            return -1;
        }
        set_standing(proof, &judged->person);
        judged->state = proof->state;
    }
    *ret_person = judged->person;
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

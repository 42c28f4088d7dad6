/*
 * proof.c: the set of envelopes, and the links of the chain: sessions and
 * services. People are in person.c, what they allow in allow.c. See proof.h.
 */
#include "trust/proof.h"

#include <sodium.h>
#include <string.h>
#include <uthash.h>

#include "trust/proof_private.h"

struct proof *proof_new(const struct roots *roots, proof_fetch *fetch,
                        void *arg)
{
    struct proof *proof = must_calloc(1, sizeof(*proof));

    proof->roots = roots;
    proof->fetch = fetch;
    proof->arg = arg;
    return proof;
}

void proof_set_standing(struct proof *proof, const struct standing *standing)
{
    proof->standing = standing;
    proof->state++;
}

void proof_set_verified(struct proof *proof, struct verified *verified)
{
    proof->verified = verified;
}

static struct link *link_take(struct event *event)
{
    struct link *link = must_calloc(1, sizeof(*link));

    link->event = event;
    return link;
}

struct link *link_new(const struct envelope *envelope, struct err *err)
{
    struct envelope copy = envelope_dup(envelope);
    struct event *event = event_new_take(&copy, err);

    return event == NULL ? NULL : link_take(event);
}

void link_free(struct link *link)
{
    if (link != NULL) {
        /* A link of a chain; what nobody is known to have signed is not. */
        bool keep = link->kept || link->good[0];
        verified_keep_take(keep ? link->verified : NULL, link->event);
        free(link);
    }
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
        link_free(link);
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
    struct event *kept = verified_event_take(proof->verified, envelope, &hash);
    struct link *link =
        kept == NULL ? link_new(envelope, err) : link_take(kept);
    if (link == NULL) {
        return err_wrap(err, "proof");
    }
    link->kept = kept != NULL;
    link->verified = proof->verified;
    HASH_ADD_KEYPTR(hh, proof->links, link->event->hash.b,
                    sizeof(link->event->hash.b), link);
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

/* Remembered, or verified now. */
static bool is_good(struct link *link, size_t i, const struct key32 *key)
{
    const struct event *event = link->event;
    const struct list *signatures = &event->envelope.signatures;

    if (i >= signatures->n) {
        return false;
    }
    struct hash name = verified_name(
        &event->hash, &list_at(signatures, struct signature, i), key);
    if (verified_has(link->verified, &name)) {
        return true;
    }
    if (!envelope_signed_by(&event->envelope, i, key)) {
        return false;
    }
    verified_add(link->verified, &name);
    return true;
}

/* A good signature stays good: it is checked once for each key in a proof. */
bool link_signed_by(struct link *link, size_t i, const struct key32 *key)
{
    if (link->good[i] && memcmp(link->key[i].b, key->b, sizeof(key->b)) == 0) {
        return true;
    }
    if (!is_good(link, i, key)) {
        return false;
    }
    link->good[i] = true;
    link->key[i] = *key;
    return true;
}

int proof_signed(struct link *link, size_t i, const struct key32 *key,
                 const struct hash *root, const char *who, struct err *err)
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

int proof_root_signed(struct proof *proof, struct link *link, struct err *err)
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
    return proof_signed(link, 0, key, &head->root, "the root key", err);
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
        proof_signed(link, 0, &who.key, &who.root, "its user's own key", err) !=
            0 ||
        proof_signed(link, 1, &open->key, &who.root, "the session's key",
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
    return proof_root_signed(proof, link, err);
}

/* Its target was removed, and there is another one of that name. */
static bool is_another(const struct proof *proof,
                       const struct service_enrol *enrol)
{
    const struct place_standing *place =
        proof->standing == NULL || enrol->target == NULL
            ? NULL
            : standing_place(proof->standing, enrol->target);

    return place != NULL && place->generation != enrolled_generation(enrol);
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
            : proof_by_administrator(proof, link, &who, err) != 0) {
        return -1;
    }
    if (proof->standing != NULL &&
        standing_service_revoked(proof->standing, by)) {
        return err_set(err, ERR_REJECT, "the enrolment of %s was revoked",
                       enrol->name);
    }
    if (target != NULL &&
        (enrol->target == NULL || strcmp(enrol->target, target) != 0)) {
        return err_set(err, ERR_REJECT, "%s is not enrolled for target %s",
                       enrol->name, target);
    }
    if (is_another(proof, enrol)) {
        return err_set(err, ERR_REJECT,
                       "%s is enrolled for a target %s that was removed",
                       enrol->name, enrol->target);
    }
    if (enrol->until != 0 && now > enrol->until) {
        return err_set(err, ERR_REJECT, "the enrolment of %s has ended",
                       enrol->name);
    }
    *ret_enrolment = enrol;
    return 0;
}

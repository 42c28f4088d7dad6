/*
 * signer.c: who signed a request, and with which kind of key. The links
 * themselves are checked in proof.c and person.c; what it allows is allow.c's.
 * See proof.h.
 */
#include <string.h>

#include "trust/proof_private.h"

int proof_not_signed(const struct event *event, struct err *err)
{
    return err_set(err, ERR_REJECT,
                   "%s is not signed by the key that its "
                   "`by` names",
                   event->envelope.type);
}

int proof_same_root(const struct event *event, const struct hash *root,
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
        return proof_not_signed(request, err);
    }
    const struct key32 *second = second_key(request);
    if (second != NULL && !envelope_signed_by(&request->envelope, 1, second)) {
        return proof_not_signed(request, err);
    }
    return proof_same_root(request, &signer->root, err) != 0
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
        return proof_not_signed(request, err);
    }
    return proof_same_root(request, &signer->root, err) != 0 ||
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
               ? proof_same_root(request, &signer->root, err)
               : proof_not_signed(request, err);
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

int proof_said(struct proof *proof, const struct event *event,
               enum service_kind kind, int64_t moment, struct err *err)
{
    const struct head *head = event->payload;
    const struct service_enrol *enrol = NULL;

    if (proof_service(proof, &head->by, kind, NULL, moment, &enrol, err) != 0 ||
        proof_same_root(event, &enrol->request.head.root, err) != 0) {
        return -1;
    }
    return envelope_signed_by(&event->envelope, 0, &enrol->key)
               ? 0
               : proof_not_signed(event, err);
}

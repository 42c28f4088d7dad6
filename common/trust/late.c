/* late.c: see late.h. */
#include "trust/late.h"

#include "base/clock.h"

static bool late_session(struct proof *proof, const struct event *request,
                         struct signer *ret_signer, struct err *why)
{
    const struct head *head = request->payload;
    struct session session;
    struct err ignored = {0};

    if (proof_session(proof, &head->by, &session, &ignored) != 0 ||
        !hash_equal(&head->root, &session.person.root) ||
        !envelope_signed_by(&request->envelope, 0, &session.key)) {
        return false;
    }
    *ret_signer = (struct signer){.kind = SIGNER_SESSION,
                                  .person = session.person,
                                  .session = session,
                                  .root = session.person.root};
    (void)err_set(why, ERR_REJECT,
                  "the session has ended: submit "
                  "login");
    return true;
}

static bool late_invitee(struct proof *proof, const struct event *request,
                         struct signer *ret_signer, struct err *why)
{
    const struct user_verify *verify = request->payload;
    const struct user_invite *invite;
    struct err ignored = {0};
    char moment[TIME_TEXT];

    if (request->kind != EVENT_USER_VERIFY ||
        proof_invitation(proof, &verify->invite, &invite, &ignored) ||
        !envelope_signed_by(&request->envelope, 0, &invite->invitation) ||
        verify->request.head.issued <= invite->until) {
        return false;
    }
    *ret_signer = (struct signer){.kind = SIGNER_INVITATION,
                                  .person.user = invite->user,
                                  .root = invite->request.head.root};
    time_format(invite->until, moment);
    (void)err_set(why, ERR_REJECT,
                  "the invitation ended at %s: ask "
                  "for a new one",
                  moment);
    return true;
}

bool proof_late(struct proof *proof, const struct event *request,
                struct signer *ret_signer, struct err *why)
{
    return late_session(proof, request, ret_signer, why) ||
           late_invitee(proof, request, ret_signer, why);
}

int proof_invitee(struct proof *proof, const struct event *request,
                  const struct hash *hash, struct signer *ret_signer,
                  struct err *err)
{
    const struct invitation_show *show = request->payload;
    const struct user_invite *invite;

    if (proof_invitation(proof, hash, &invite, err) != 0) {
        return -1;
    }
    struct id half = id_of_hash(&invite->request.head.root);
    if (!envelope_signed_by(&request->envelope, 0, &invite->invitation) ||
        !id_equal(&half, &show->root_half)) {
        return err_set(err, ERR_REJECT,
                       "not signed by the invitation's key, "
                       "or of another installation");
    }
    *ret_signer = (struct signer){.kind = SIGNER_INVITATION,
                                  .person.user = invite->user,
                                  .person.by = *hash,
                                  .root = invite->request.head.root};
    return 0;
}

int proof_asker(struct proof *proof, const struct event *request,
                const struct hash *invite, struct signer *ret_signer,
                struct err *err)
{
    struct err ignored = {0};

    if (request->kind == EVENT_INVITATION_SHOW) {
        return proof_invitee(proof, request, invite, ret_signer, err);
    }
    if (proof_request(proof, request, ret_signer, err) == 0) {
        return 0;
    }
    if (err->kind == ERR_REJECT &&
        proof_late(proof, request, ret_signer, &ignored)) {
        err_clear(err);
        return 0;
    }
    return -1;
}

/* late.c: see late.h. */
#include "trust/late.h"

static bool late_session(struct proof *proof, const struct event *request,
                         struct signer *ret_signer, int64_t *ret_until)
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
    *ret_until = session.until;
    return true;
}

static bool late_invitee(struct proof *proof, const struct event *request,
                         struct signer *ret_signer, int64_t *ret_until)
{
    const struct user_verify *verify = request->payload;
    struct invitation invited;
    struct err ignored = {0};

    if (request->kind != EVENT_USER_VERIFY ||
        proof_invitation(proof, &verify->invite, &invited, &ignored) != 0 ||
        !envelope_signed_by(&request->envelope, 0, &invited.key) ||
        verify->request.head.issued <= invited.until) {
        return false;
    }
    *ret_signer = (struct signer){.kind = SIGNER_INVITATION,
                                  .person.user = invited.user,
                                  .root = invited.root};
    *ret_until = invited.until;
    return true;
}

bool proof_late(struct proof *proof, const struct event *request,
                struct signer *ret_signer, int64_t *ret_until)
{
    return late_session(proof, request, ret_signer, ret_until) ||
           late_invitee(proof, request, ret_signer, ret_until);
}

int proof_invitee(struct proof *proof, const struct event *request,
                  const struct hash *hash, struct signer *ret_signer,
                  struct err *err)
{
    const struct invitation_show *show = request->payload;
    struct invitation invited;

    if (proof_invitation(proof, hash, &invited, err) != 0) {
        return -1;
    }
    struct id half = id_of_hash(&invited.root);
    if (!envelope_signed_by(&request->envelope, 0, &invited.key) ||
        !id_equal(&half, &show->root_half)) {
        return err_set(err, ERR_REJECT,
                       "not signed by the invitation's key, "
                       "or of another installation");
    }
    *ret_signer = (struct signer){.kind = SIGNER_INVITATION,
                                  .person.user = invited.user,
                                  .person.by = *hash,
                                  .root = invited.root};
    return 0;
}

int proof_asker(struct proof *proof, const struct event *request,
                const struct hash *invite, struct signer *ret_signer,
                struct err *err)
{
    int64_t until;

    if (request->kind == EVENT_INVITATION_SHOW) {
        return proof_invitee(proof, request, invite, ret_signer, err);
    }
    if (proof_request(proof, request, ret_signer, err) == 0) {
        return 0;
    }
    if (err->kind == ERR_REJECT &&
        proof_late(proof, request, ret_signer, &until)) {
        err_clear(err);
        return 0;
    }
    return -1;
}

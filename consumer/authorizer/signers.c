/* signers.c: see signers.h. */
#include "consumer/authorizer/signers.h"

#include <string.h>

#include "base/clock.h"
#include "consumer/authorizer/factors.h"

/* invitation.show names its signer by the invitation key's id alone. */
static int find_invitee(struct asking *asking, struct err *err)
{
    const struct invitation_show *show = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;
    const struct user_invite *invite;

    if (PG(asking->daemon->postgres,
           "SELECT invite_hash FROM users WHERE invitation_key_id = $1", &rows,
           err, P_HASH(&show->request.head.by)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return err_set(err, ERR_REJECT, "no such invitation");
    }
    struct hash hash = row_hash(rows, 0, "invite_hash");
    if (proof_invitation(asking->proof, &hash, &invite, err) != 0) {
        return -1;
    }
    struct id half = id_of_hash(&invite->request.head.root);
    if (!envelope_signed_by(&asking->request->envelope, 0,
                            &invite->invitation) ||
        !id_equal(&half, &show->root_half)) {
        return err_set(err, ERR_REJECT,
                       "not signed by the invitation's key, "
                       "or of another installation");
    }
    asking->signer = (struct signer){.kind = SIGNER_INVITATION,
                                     .person.user = invite->user,
                                     .root = invite->request.head.root};
    return 0;
}

/* A session's key that is good, though not for a request of this time. */
static bool find_late_session(struct asking *asking)
{
    const struct head *head = asking->request->payload;
    struct session session;
    struct err ignored = {0};

    if (proof_session(asking->proof, &head->by, &session, &ignored) != 0 ||
        !hash_equal(&head->root, &session.person.root) ||
        !envelope_signed_by(&asking->request->envelope, 0, &session.key)) {
        return false;
    }
    asking->signer = (struct signer){.kind = SIGNER_SESSION,
                                     .person = session.person,
                                     .session = session,
                                     .root = session.person.root};
    (void)err_set(&asking->late, ERR_REJECT,
                  "the session has ended: submit "
                  "login");
    return true;
}

/* The same of an invitation. */
static bool find_late_invitee(struct asking *asking)
{
    const struct user_verify *verify = asking->request->payload;
    const struct user_invite *invite;
    struct err ignored = {0};
    char moment[TIME_TEXT];

    if (asking->request->kind != EVENT_USER_VERIFY ||
        proof_invitation(asking->proof, &verify->invite, &invite, &ignored) ||
        !envelope_signed_by(&asking->request->envelope, 0,
                            &invite->invitation) ||
        verify->request.head.issued <= invite->until) {
        return false;
    }
    asking->signer = (struct signer){.kind = SIGNER_INVITATION,
                                     .person.user = invite->user,
                                     .root = invite->request.head.root};
    time_format(invite->until, moment);
    (void)err_set(&asking->late, ERR_REJECT,
                  "the invitation ended at %s: ask "
                  "for a new one",
                  moment);
    return true;
}

int signer_find(struct asking *asking, struct err *err)
{
    if (asking->request->kind == EVENT_INVITATION_SHOW) {
        return find_invitee(asking, err);
    }
    if (proof_request(asking->proof, asking->request, &asking->signer, err) ==
        0) {
        return 0;
    }
    if (err->kind == ERR_REJECT &&
        (find_late_session(asking) || find_late_invitee(asking))) {
        err_clear(err);
        return 0;
    }
    return -1;
}

static int check_row(struct asking *asking, const struct rows *rows)
{
    bool session = asking->signer.kind == SIGNER_SESSION;

    if (rows_n(rows) == 0 || !row_bool(rows, 0, "current")) {
        if (rows_n(rows) == 0) { /* an older backup: requests can't name them */
            asking->signer.person.user = (struct id){0};
        }
        return asking_refuse(asking, REPLY_DENIED,
                             "this key is not the one that counts here");
    }
    asking->state = word_value(&user_state_words, row_text(rows, 0, "state"));
    asking->mfa =
        factor_state_of(&asking->signer.person, row_text(rows, 0, "mfa"));
    asking->until = row_time(rows, 0, "until");
    if (session && row_is_null(rows, 0, "hash")) {
        return asking_refuse(asking, REPLY_DENIED,
                             "the session is not known "
                             "here: submit login");
    }
    if (session && row_time(rows, 0, "until") < asking->now) {
        return asking_refuse(asking, REPLY_DENIED,
                             "the session has ended: submit login");
    }
    if (session && !row_is_null(rows, 0, "closed_at")) {
        return asking_refuse(asking, REPLY_DENIED,
                             "the session was closed: "
                             "submit login");
    }
    return 0;
}

int signer_check_rows(struct asking *asking, struct err *err)
{
    const struct signer *signer = &asking->signer;
    _cleanup_rows_ struct rows *rows = NULL;

    if (asking->late.kind != ERR_NONE) {
        return asking_refuse(asking, REPLY_DENIED, "%s", asking->late.text);
    }
    if (signer->kind != SIGNER_OWN && signer->kind != SIGNER_SESSION) {
        return 0;
    }
    if (PG(asking->daemon->postgres,
           "SELECT u.state, u.verify_hash = $2 AS current, s.hash, s.until, "
           "s.closed_at, " MFA_STATE
           " AS mfa FROM users u LEFT JOIN sessions s ON s.hash = $3 "
           "LEFT JOIN factors f ON f.user_id = u.id WHERE u.id = $1",
           &rows, err, P_ID(&signer->person.user), P_HASH(&signer->person.by),
           P_HASH(&signer->session.hash)) != 0) {
        return -1;
    }
    return check_row(asking, rows) ?: factor_check_own(asking, err);
}

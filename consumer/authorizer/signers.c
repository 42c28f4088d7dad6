/* signers.c: see signers.h. */
#include "consumer/authorizer/signers.h"

#include <string.h>

#include "trust/late.h"

/* invitation.show names its signer by the invitation key's id alone. */
static int find_invitee(struct asking *asking, struct err *err)
{
    const struct invitation_show *show = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT invite_hash FROM users WHERE invitation_key_id = $1", &rows,
           err, P_HASH(&show->request.head.by)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return err_set(err, ERR_REJECT, "no such invitation");
    }
    struct hash hash = row_hash(rows, 0, "invite_hash");
    return proof_invitee(asking->proof, asking->request, &hash, &asking->signer,
                         err);
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
    if (err->kind == ERR_REJECT && proof_late(asking->proof, asking->request,
                                              &asking->signer, &asking->late)) {
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
    if (session && row_is_null(rows, 0, "hash")) {
        return asking_refuse(asking, REPLY_DENIED,
                             "the session is not known "
                             "here: submit login");
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
           "SELECT u.state, u.verify_hash = $2 AS current, s.hash, s.closed_at "
           "FROM users u LEFT JOIN sessions s ON s.hash = $3 WHERE u.id = $1",
           &rows, err, P_ID(&signer->person.user), P_HASH(&signer->person.by),
           P_HASH(&signer->session.hash)) != 0) {
        return -1;
    }
    return check_row(asking, rows);
}

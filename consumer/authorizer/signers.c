/* signers.c: see signers.h. */
#include "consumer/authorizer/signers.h"

#include <string.h>

#include "base/clock.h"
#include "consumer/authorizer/factors.h"
#include "trust/late.h"

/* One that there was of this key, and whether it is still the one that counts.
 */
static int check_newest(struct asking *asking, const struct rows *rows)
{
    if (row_bool(rows, 0, "newest")) {
        return 0;
    }
    (void)err_set(&asking->late, ERR_REJECT, "%s",
                  row_bool(rows, 0, "removed")
                      ? "this invitation was withdrawn: ask whoever invited you"
                      : "a newer invitation was sent, which ended this one: "
                        "use that");
    return 0;
}

/* invitation.show names its signer by the invitation key's id alone. */
static int find_invitee(struct asking *asking, struct err *err)
{
    const struct invitation_show *show = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT i.hash, u.invite_hash = i.hash AND u.state <> 'removed' "
           "AS newest, u.state = 'removed' AS removed FROM invitations i "
           "JOIN users u ON u.id = i.user_id WHERE i.key_id = $1",
           &rows, err, P_HASH(&show->request.head.by)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return err_set(err, ERR_REJECT, "no such invitation");
    }
    struct hash hash = row_hash(rows, 0, "hash");
    return proof_invitee(asking->proof, asking->request, &hash, &asking->signer,
                         err)
               ?: check_newest(asking, rows);
}

static void session_is_over(struct asking *asking)
{
    (void)err_set(&asking->late, ERR_REJECT,
                  "the session has ended: submit login");
    asking->decision.sign_in = true;
}

static void invitation_is_over(struct asking *asking, int64_t until)
{
    char moment[TIME_TEXT];

    time_format(until, moment);
    (void)err_set(&asking->late, ERR_REJECT,
                  "the invitation ended at %s: ask "
                  "for a new one",
                  moment);
}

/* Somebody whose key is good, though not for a request of this time. */
static bool find_late(struct asking *asking)
{
    int64_t until;

    if (!proof_late(asking->proof, asking->request, &asking->signer, &until)) {
        return false;
    }
    if (asking->signer.kind == SIGNER_SESSION) {
        session_is_over(asking);
    } else {
        invitation_is_over(asking, until);
    }
    return true;
}

static const char *const ended[] = {
    [STANDS] = "who gave you your right was removed, and it was not kept: ask "
               "an administrator",
    [STANDS_NOT_SUSPENDED] = "you are suspended: ask an administrator",
    [STANDS_NOT_REMOVED] = "you were removed here",
    [STANDS_NOT_REPLACED] = "your key or your role has changed since: submit "
                            "login, or submit verify with a new invitation",
};

/* Somebody whose signature is good, and whom the revocation log has ended, or
 * somebody above them in their chain. */
static bool find_ended(struct asking *asking)
{
    struct signer signer;
    struct err ignored = {0};

    proof_set_standing(asking->proof, NULL);
    int found =
        proof_request(asking->proof, asking->request, &signer, &ignored);
    proof_set_standing(asking->proof, asking_standing(asking));
    if (found != 0 ||
        (signer.kind != SIGNER_OWN && signer.kind != SIGNER_SESSION)) {
        return false;
    }
    const struct person *person = &signer.person;
    enum standing_word word =
        standing_of(asking_standing(asking), &person->user, &person->by,
                    hash_is_zero(&person->invite) ? NULL : &person->invite);
    asking->signer = signer;
    asking->signer.person.standing = word;
    asking->signer.person.in_force = false;
    (void)err_set(&asking->late, ERR_REJECT, "%s", ended[word]);
    asking->decision.sign_in = word == STANDS_NOT_REPLACED;
    return true;
}

/* Signed in time by what it says itself: but whoever finds a key later can date
 * back, by as much as a request lives. What is over now gets no new decision.
 */
static int check_over(struct asking *asking, struct err *err)
{
    const struct signer *signer = &asking->signer;
    const struct user_verify *verify = asking->request->payload;
    struct invitation invited;

    if (signer->kind == SIGNER_SESSION && asking->now > signer->session.until) {
        session_is_over(asking);
    }
    if (signer->kind != SIGNER_INVITATION) {
        return 0;
    }
    if (proof_invitation(asking->proof, &verify->invite, &invited, err) != 0) {
        return -1;
    }
    if (asking->now > invited.until) {
        invitation_is_over(asking, invited.until);
    }
    return 0;
}

int signer_find(struct asking *asking, struct err *err)
{
    if (asking->request->kind == EVENT_INVITATION_SHOW) {
        return find_invitee(asking, err);
    }
    if (proof_request(asking->proof, asking->request, &asking->signer, err) ==
        0) {
        return check_over(asking, err);
    }
    if (err->kind == ERR_REJECT && (find_ended(asking) || find_late(asking))) {
        err_clear(err);
        return 0;
    }
    return -1;
}

/* Whose role has changed keeps their key: with it they may ask who they are
 * now, and nothing else. */
static bool asks_anew(const struct asking *asking, const struct rows *rows)
{
    struct hash key = key_id(&asking->signer.person.key);
    struct hash now = {0};

    if (rows_n(rows) == 1) {
        now = row_hash(rows, 0, "key_id");
    }
    return asking->request->kind == EVENT_USER_SHOW &&
           asking->signer.kind == SIGNER_OWN &&
           asking->signer.person.standing == STANDS_NOT_REPLACED &&
           hash_equal(&key, &now);
}

static int check_row(struct asking *asking, const struct rows *rows)
{
    bool session = asking->signer.kind == SIGNER_SESSION;

    if (asking->late.kind != ERR_NONE) {
        return asks_anew(asking, rows) ? 0
                                       : asking_refuse(asking, REPLY_DENIED,
                                                       "%s", asking->late.text);
    }
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
        return asking_sign_in(asking, "the session is not known here");
    }
    if (session && row_time(rows, 0, "until") < asking->now) {
        return asking_refuse(asking, REPLY_DENIED,
                             "the session has ended: submit login");
    }
    if (session && !row_is_null(rows, 0, "closed_at")) {
        return asking_sign_in(asking, "the session was closed");
    }
    return 0;
}

int signer_check_rows(struct asking *asking, struct err *err)
{
    const struct signer *signer = &asking->signer;
    _cleanup_rows_ struct rows *rows = NULL;

    if (signer->kind != SIGNER_OWN && signer->kind != SIGNER_SESSION) {
        return asking->late.kind == ERR_NONE
                   ? 0
                   : asking_refuse(asking, REPLY_DENIED, "%s",
                                   asking->late.text);
    }
    if (PG(asking->daemon->postgres,
           "SELECT u.state, u.key_id, u.verify_hash = $2 AS current, s.hash, "
           "s.until, s.closed_at, " MFA_STATE
           " AS mfa FROM users u LEFT JOIN sessions s ON s.hash = $3 "
           "LEFT JOIN factors f ON f.user_id = u.id WHERE u.id = $1",
           &rows, err, P_ID(&signer->person.user), P_HASH(&signer->person.by),
           P_HASH(&signer->session.hash)) != 0) {
        return -1;
    }
    return check_row(asking, rows) ?: factor_check_own(asking, err);
}

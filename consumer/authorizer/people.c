/*
 * people.c: inviting people, following an invitation, confirming an
 * administrator, and who there is.
 *
 * A person is `invited`, then `active`; an administrator is `verified` in
 * between, until another administrator confirmed them.
 */
#include <string.h>

#include "base/clock.h"
#include "consumer/authorizer/factors.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/organisation.h"
#include "consumer/authorizer/reuse.h"
#include "model/mail.h"
#include "model/read.h"

#define USER_SELECT                                                         \
    "SELECT u.id, u.email, u.role, u.state, u.suspended, u.generation, "    \
    "u.invited_at, u.invited_until, "                                       \
    "u.verified_at, u.confirmed_at, i.email AS invited_by, u.invite_hash, " \
    "u.verify_hash, u.name, u.by_mail, m.fate, m.told_at, m.reason, "       \
    "u.service, " MFA_STATE " AS mfa "                                      \
    "FROM users u LEFT JOIN users i ON i.id = u.invited_by "                \
    "LEFT JOIN factors f ON f.user_id = u.id "                              \
    "LEFT JOIN LATERAL (SELECT fate, told_at, reason FROM mails "           \
    "WHERE about = u.invite_hash AND letter = 'invitation' "                \
    "ORDER BY told_at DESC LIMIT 1) m ON true "

static char *dup_or_null(const char *text)
{
    return text == NULL ? NULL : must_strdup(text);
}

/* What became of the mail that the invitation went out by. */
static int fate_of(const struct rows *rows, size_t i)
{
    const char *fate = row_text(rows, i, "fate");

    return fate != NULL                   ? word_value(&fate_words, fate)
           : row_bool(rows, i, "by_mail") ? FATE_WAITING
                                          : FATE_NONE;
}

static struct user_row user_row_of(const struct rows *rows, size_t i)
{
    bool first = row_is_null(rows, i, "invite_hash");
    int state = word_value(&user_state_words, row_text(rows, i, "state"));

    return (struct user_row){
        .user = row_id(rows, i, "id"),
        .email = must_strdup(row_text(rows, i, "email")),
        .role = word_value(&role_words, row_text(rows, i, "role")),
        .state = state,
        .suspended = row_bool(rows, i, "suspended"),
        .generation = row_int(rows, i, "generation"),
        .invited = first ? 0 : row_time(rows, i, "invited_at"),
        .invited_until =
            state == USER_INVITED ? row_time(rows, i, "invited_until") : 0,
        .verified = row_time(rows, i, "verified_at"),
        .confirmed = row_time(rows, i, "confirmed_at"),
        .invited_by = dup_or_null(row_text(rows, i, "invited_by")),
        .name = dup_or_null(row_text(rows, i, "name")),
        .mail = fate_of(rows, i),
        .mail_at = row_time(rows, i, "told_at"),
        .mail_reason = dup_or_null(row_text(rows, i, "reason")),
        .mfa = word_value(&mfa_state_words, row_text(rows, i, "mfa")),
        .service = row_bool(rows, i, "service"),
    };
}

/* One person, with the envelopes that their right rests on. */
static int answer_user(struct asking *asking, const struct rows *rows,
                       struct err *err)
{
    struct user_answer answer = {
        .user = user_row_of(rows, 0),
        .invite = row_hash(rows, 0, "invite_hash"),
        .verify = row_hash(rows, 0, "verify_hash"),
    };
    struct person person;
    struct invitation invited;

    proof_forget_used(asking->proof);
    int done =
        hash_is_zero(&answer.verify)
            ? proof_invitation(asking->proof, &answer.invite, &invited, err)
            : proof_person(asking->proof, &answer.verify, &person, err);
    if (done != 0) {
        table_done(&user_answer_table, &answer);
        return err->kind == ERR_REJECT
                   ? asking_refuse_or_hide(asking, err->text)
                   : -1;
    }
    proof_used(asking->proof, &answer.envelopes);
    if (asking->request->kind == EVENT_INVITATION_SHOW &&
        rules_now(asking, &answer.rules, err) != 0) {
        table_done(&user_answer_table, &answer);
        return -1;
    }
    return asking_answer_take(asking, &user_answer_table, &answer, err);
}

int on_user_list(struct asking *asking, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct users_answer answer = {0};

    if (PG(asking->daemon->postgres,
           USER_SELECT "ORDER BY u.email, u.invited_at LIMIT $1::integer",
           &rows, err, P_INT(ROWS_MAX)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct user_row *to = list_grow(&answer.users, sizeof(*to));
        *to = user_row_of(rows, i);
    }
    return asking_answer_take(asking, &users_answer_table, &answer, err);
}

int on_user_show(struct asking *asking, struct err *err)
{
    const struct user_named *named = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;
    struct err ignored;
    _cleanup_free_ char *email = account_normal(named->email, &ignored);

    if (email == NULL || (!asking_by_administrator(asking) &&
                          strcmp(email, asking->signer.person.email) != 0)) {
        return asking_hide(asking, "not their own: %s", named->email);
    }
    if (PG(asking->daemon->postgres,
           USER_SELECT "WHERE u.email = $1 "
                       "AND u.state <> 'removed'",
           &rows, err, P_TEXT(email)) != 0) {
        return -1;
    }
    return rows_n(rows) == 0 ? asking_hide(asking, "no user %s", email)
                             : answer_user(asking, rows, err);
}

int on_invitation_show(struct asking *asking, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    char moment[TIME_TEXT];

    if (PG(asking->daemon->postgres, USER_SELECT "WHERE u.id = $1", &rows, err,
           P_ID(&asking->signer.person.user)) != 0) {
        return -1;
    }
    if (!row_is_null(rows, 0, "verify_hash")) {
        if (reuse_note(asking, &asking->signer.person.user, err) != 0) {
            return -1;
        }
        time_format(row_time(rows, 0, "verified_at"), moment);
        return asking_refuse(asking, REPLY_CONFLICT,
                             "this invitation was "
                             "followed already, at %s",
                             moment);
    }
    if (row_time(rows, 0, "invited_until") < asking->now) {
        time_format(row_time(rows, 0, "invited_until"), moment);
        return asking_refuse(asking, REPLY_CONFLICT,
                             "this invitation ended "
                             "at %s: ask for a new one",
                             moment);
    }
    return answer_user(asking, rows, err);
}

/* user.invite */

static int check_invite(struct asking *asking, const struct user_invite *invite,
                        struct err *err)
{
    struct invitation checked;
    struct err bad;
    _cleanup_free_ char *email = invite->service
                                     ? account_normal(invite->email, &bad)
                                     : email_normal(invite->email, &bad);

    if (email == NULL || strcmp(email, invite->email) != 0) {
        return asking_refuse(asking, REPLY_INVALID, "%s",
                             email == NULL ? bad.text
                                           : "the e-mail address is not in "
                                             "lower case");
    }
    if (invite->name != NULL && display_name_check(invite->name, &bad) != 0) {
        return asking_refuse(asking, REPLY_INVALID, "%s", bad.text);
    }
    if (invite->until <= asking->now) {
        return asking_refuse(asking, REPLY_INVALID,
                             "the invitation would "
                             "have ended already");
    }
    if (proof_add(asking->proof, &asking->request->envelope, err) != 0 ||
        proof_invitation(asking->proof, &asking->request->hash, &checked,
                         err) != 0) {
        return err->kind == ERR_REJECT
                   ? asking_refuse(asking, REPLY_INVALID, "%s", err->text)
                   : -1;
    }
    return 0;
}

/* What the organisation asks of an invitation. */
static int check_rules(struct asking *asking, const struct user_invite *invite,
                       struct err *err)
{
    struct rules rules;
    char longest[24];

    if (rules_now(asking, &rules, err) != 0) {
        return -1;
    }
    if (rules.mfa == MFA_REQUIRED && !invite->mfa && !invite->service) {
        return asking_refuse(asking, REPLY_INVALID,
                             "the policy requires a second factor of every "
                             "person: invite without --no-mfa");
    }
    duration_format(rules.invitation_ttl, longest, sizeof(longest));
    return invite->until <=
                   invite->request.head.issued + rules.invitation_ttl * 1000
               ? 0
               : asking_refuse(asking, REPLY_INVALID,
                               "the policy lets an invitation be open for %s "
                               "at most",
                               longest);
}

static int refuse_known(struct asking *asking, const struct user_row *user)
{
    char until[TIME_TEXT];
    const char *role = word_text(&role_words, user->role);

    time_format(user->invited_until, until);
    if (user->suspended) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "%s is here already, as %s, and suspended: submit "
                             "user resume %s",
                             user->email, role, user->email);
    }
    if (user->state == USER_ACTIVE) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "%s is here already, as "
                             "%s",
                             user->email, role);
    }
    if (user->state == USER_VERIFIED) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "%s has followed the "
                             "invitation and waits to be confirmed as %s: "
                             "submit user confirm %s",
                             user->email, role, user->email);
    }
    if (user->invited_until < asking->now) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "%s was invited as %s, "
                             "and the invitation ended at %s without being "
                             "followed: submit user resend %s",
                             user->email, role, until, user->email);
    }
    return asking_refuse(asking, REPLY_CONFLICT,
                         "%s is invited already, as "
                         "%s, until %s (again: submit user resend %s)",
                         user->email, role, until, user->email);
}

static int check_unknown(struct asking *asking,
                         const struct user_invite *invite, struct err *err)
{
    struct hash key = key_id(&invite->invitation);
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           USER_SELECT "WHERE (u.email = $1 AND u.state <> 'removed') "
                       "OR u.id = $2 OR EXISTS (SELECT FROM invitations n "
                       "WHERE n.key_id = $3 AND n.user_id = u.id) "
                       "ORDER BY u.email = $1 DESC",
           &rows, err, P_TEXT(invite->email), P_ID(&invite->user),
           P_HASH(&key)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return 0;
    }
    if (strcmp(row_text(rows, 0, "email"), invite->email) != 0 ||
        strcmp(row_text(rows, 0, "state"), "removed") == 0) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "this invitation's key "
                             "was used before");
    }
    struct user_row user = user_row_of(rows, 0);
    int done = refuse_known(asking, &user);
    free(user.email);
    free(user.invited_by);
    free(user.name);
    free(user.mail_reason);
    return done;
}

static int store_invited(struct asking *asking, struct err *err)
{
    const struct user_invite *invite = asking->request->payload;
    struct hash key = key_id(&invite->invitation);

    return PG(asking->daemon->postgres,
              "INSERT INTO users (id, email, role, state, invite_hash, "
              "invitation_key_id, invited_until, invited_by, invited_at, name, "
              "by_mail, mfa, service) VALUES ($1, $2, $3, 'invited', $4, $5, "
              "$6, $7, $8, $9, $10, $11, $12)",
              NULL, err, P_ID(&invite->user), P_TEXT(invite->email),
              P_TEXT(word_text(&role_words, invite->role)),
              P_HASH(&asking->request->hash), P_HASH(&key),
              P_TIME(invite->until), P_ID(&asking->signer.person.user),
              P_TIME(invite->request.head.issued), P_TEXT(invite->name),
              P_BOOL(invite->sealed.n > 0), P_BOOL(invite->mfa),
              P_BOOL(invite->service))
               ?: invitation_store(asking, &invite->user, &key, err);
}

int on_user_invite(struct asking *asking, struct err *err)
{
    const struct user_invite *invite = asking->request->payload;

    return check_invite(asking, invite, err)
               ?: check_rules(asking, invite, err)
               ?: check_unknown(asking, invite, err)
               ?: asking_made(asking, &asking->request->hash, &invite->user, 0,
                              err)
               ?: asking_store(asking, err)
               ?: store_invited(asking, err);
}

/* user.verify */

static int check_first_use(struct asking *asking,
                           const struct user_verify *verify, struct err *err)
{
    struct hash key = key_id(&verify->key);
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT u.state, u.invite_hash, u.verified_at, EXISTS (SELECT FROM "
           "users x WHERE x.key_id = $2) AS taken FROM users u "
           "WHERE u.id = $1 FOR UPDATE OF u",
           &rows, err, P_ID(&verify->user), P_HASH(&key)) != 0) {
        return -1;
    }
    struct hash invite = {0};
    if (rows_n(rows) == 1) {
        invite = row_hash(rows, 0, "invite_hash");
    }
    if (!hash_equal(&invite, &verify->invite)) {
        return asking_hide(asking, "the invitation is not known here");
    }
    if (strcmp(row_text(rows, 0, "state"), "invited") != 0) {
        char moment[TIME_TEXT];
        if (reuse_note(asking, &verify->user, err) != 0) {
            return -1;
        }
        time_format(row_time(rows, 0, "verified_at"), moment);
        return asking_refuse(asking, REPLY_CONFLICT,
                             "this invitation was "
                             "followed already, at %s",
                             moment);
    }
    if (row_bool(rows, 0, "taken")) {
        return asking_refuse(asking, REPLY_INVALID,
                             "this key stands for "
                             "somebody already: make a "
                             "new one");
    }
    return 0;
}

static int store_verified(struct asking *asking, struct err *err)
{
    const struct user_verify *verify = asking->request->payload;
    struct hash key = key_id(&verify->key);

    return PG(asking->daemon->postgres,
              "UPDATE users SET state = CASE role WHEN 'administrator' THEN "
              "'verified' ELSE 'active' END, verify_hash = $2, key_id = $3, "
              "generation = $4, verified_at = $5 WHERE id = $1",
              NULL, err, P_ID(&verify->user), P_HASH(&asking->request->hash),
              P_HASH(&key), P_INT(verify->generation),
              P_TIME(verify->request.head.issued));
}

int on_user_verify(struct asking *asking, struct err *err)
{
    const struct user_verify *verify = asking->request->payload;

    return check_first_use(asking, verify, err)
               ?: asking_made(asking, &asking->request->hash, &verify->user, 0,
                              err)
               ?: asking_store(asking, err)
               ?: store_verified(asking, err);
}

/* user.confirm */

static int check_waits(struct asking *asking,
                       const struct user_confirm *confirm, struct err *err)
{
    struct hash key = key_id(&confirm->key);
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT email, role, state, verify_hash = $2 AND key_id = $3 AS "
           "same FROM users WHERE id = $1 FOR UPDATE",
           &rows, err, P_ID(&confirm->user), P_HASH(&confirm->verify),
           P_HASH(&key)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_hide(asking, "no such user");
    }
    const char *email = row_text(rows, 0, "email");
    const char *state = row_text(rows, 0, "state");
    if (strcmp(row_text(rows, 0, "role"), "administrator") != 0) {
        return asking_refuse(asking, REPLY_INVALID,
                             "%s is no administrator: "
                             "there is nothing to confirm",
                             email);
    }
    if (strcmp(state, "verified") != 0) {
        return asking_refuse(asking, REPLY_CONFLICT, "%s %s", email,
                             strcmp(state, "active") == 0
                                 ? "is confirmed already"
                                 : "has not followed the invitation yet");
    }
    return row_bool(rows, 0, "same") ? 0
                                     : asking_refuse(asking, REPLY_CONFLICT,
                                                     "%s has another key: "
                                                     "look again",
                                                     email);
}

static int check_confirm(struct asking *asking,
                         const struct user_confirm *confirm, struct err *err)
{
    struct person person;

    if (id_equal(&confirm->user, &asking->signer.person.user)) {
        return asking_refuse(asking, REPLY_DENIED,
                             "nobody confirms "
                             "themselves");
    }
    if (proof_person(asking->proof, &confirm->verify, &person, err) != 0) {
        return err->kind == ERR_REJECT
                   ? asking_refuse(asking, REPLY_INVALID, "%s", err->text)
                   : -1;
    }
    if (!id_equal(&person.user, &confirm->user) ||
        memcmp(person.key.b, confirm->key.b, sizeof(person.key.b)) != 0) {
        return asking_refuse(asking, REPLY_INVALID,
                             "user and key are not "
                             "those of the user.verify");
    }
    return 0;
}

static int store_confirmed(struct asking *asking, struct err *err)
{
    const struct user_confirm *confirm = asking->request->payload;

    return PG(asking->daemon->postgres,
              "UPDATE users SET state = 'active', confirm_hash = $2, "
              "confirmed_at = $3 WHERE id = $1",
              NULL, err, P_ID(&confirm->user), P_HASH(&asking->request->hash),
              P_TIME(confirm->request.head.issued))
               ?: PG(asking->daemon->postgres,
                     "INSERT INTO confirmations (verify_hash, confirm_hash, "
                     "confirmed_by) VALUES ($1, $2, $3)",
                     NULL, err, P_HASH(&confirm->verify),
                     P_HASH(&asking->request->hash),
                     P_ID(&asking->signer.person.user));
}

int on_user_confirm(struct asking *asking, struct err *err)
{
    const struct user_confirm *confirm = asking->request->payload;

    return check_waits(asking, confirm, err)
               ?: check_confirm(asking, confirm, err)
               ?: asking_made(asking, &asking->request->hash, &confirm->user, 0,
                              err)
               ?: asking_store(asking, err)
               ?: store_confirmed(asking, err);
}

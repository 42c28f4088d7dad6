/*
 * standings.c: taking back what a person was given, and giving it otherwise:
 * suspend, resume, remove, role, a new invitation, a new key.
 *
 * Each is an entry of the revocation log. What they leave in PostgreSQL follows
 * from the entry: sessions end, rows move; what still waits of their runs is
 * closed in the claim logs.
 */
#include <string.h>

#include "base/clock.h"
#include "consumer/authorizer/closings.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/revocations.h"
#include "model/log_entry.h"

struct known { /* the row of whom it is about */
    char *email;
    int role;
    int state;
    bool suspended;
    bool mfa;
    bool service;
    struct hash naming;
    int64_t generation;
};

static void known_done(struct known *known)
{
    free(known->email);
}

#define _cleanup_known_ _cleanup_(known_done)

static int find_known(struct asking *asking, const struct id *user,
                      struct known *ret_known, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT email, role, state, suspended, mfa, service, verify_hash, "
           "generation "
           "FROM users WHERE id = $1 FOR UPDATE",
           &rows, err, P_ID(user)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_refuse(asking, REPLY_NOT_FOUND, "there is no such user");
    }
    *ret_known = (struct known){
        .email = must_strdup(row_text(rows, 0, "email")),
        .role = word_value(&role_words, row_text(rows, 0, "role")),
        .state = word_value(&user_state_words, row_text(rows, 0, "state")),
        .suspended = row_bool(rows, 0, "suspended"),
        .mfa = row_bool(rows, 0, "mfa"),
        .service = row_bool(rows, 0, "service"),
        .naming = row_hash(rows, 0, "verify_hash"),
        .generation = row_int(rows, 0, "generation"),
    };
    return ret_known->state == USER_REMOVED
               ? asking_refuse(asking, REPLY_CONFLICT,
                               "%s was removed: that is for good. Invite them "
                               "anew",
                               ret_known->email)
               : 0;
}

/* Nobody ends themselves, nor their own role: so whoever signed the newest
 * entry is left, and there is always an administrator who can act. */
static int check_others(struct asking *asking, const struct id *user)
{
    return id_equal(user, &asking->signer.person.user)
               ? asking_refuse(asking, REPLY_DENIED,
                               "that is you: another administrator has to do "
                               "it")
               : 0;
}

static int end_sessions(struct asking *asking, const struct id *user,
                        struct err *err)
{
    return PG(asking->daemon->postgres,
              "UPDATE sessions SET closed_at = $2 "
              "WHERE user_id = $1 AND closed_at IS NULL",
              NULL, err, P_ID(user), P_TIME(asking->decision.at));
}

/* What they signed and no entry keeps is void. */
static int end_signed(struct asking *asking, const struct id *user,
                      const struct log_entry *entry, struct err *err)
{
    _cleanup_free_ char *keep = hashes_array(&entry->keep);
    struct postgres *postgres = asking->daemon->postgres;

    return PG(postgres,
              "UPDATE command_versions SET void = NOT hash = ANY "
              "($2::bytea[]) WHERE saved_by = $1",
              NULL, err, P_ID(user), P_TEXT(keep)) != 0 ||
                   PG(postgres,
                      "UPDATE schedules SET void = NOT hash = ANY "
                      "($2::bytea[]) WHERE set_by = $1",
                      NULL, err, P_ID(user), P_TEXT(keep)) != 0 ||
                   PG(postgres,
                      "DELETE FROM assignments WHERE added_by = $1 "
                      "AND NOT hash = ANY ($2::bytea[])",
                      NULL, err, P_ID(user), P_TEXT(keep)) != 0
               ? -1
               : 0;
}

/* Steps that every one of these verbs ends with. */
static int accept(struct asking *asking, const struct id *user, struct err *err)
{
    return asking_made(asking, &asking->request->hash, user, 0, err)
               ?: asking_store(asking, err)
               ?: entry_store(asking, err);
}

/* suspend, resume, remove */

int on_user_suspend(struct asking *asking, struct err *err)
{
    const struct user_standing *said = asking->request->payload;
    _cleanup_known_ struct known known = {0};
    int done = find_known(asking, &said->user, &known, err)
                   ?: check_others(asking, &said->user);

    if (done == 0 && known.suspended) {
        done = asking_refuse(asking, REPLY_CONFLICT, "%s is suspended already",
                             known.email);
    }
    done = done ?: entry_check(asking, err) ?: accept(asking, &said->user, err);
    if (done != 0) {
        return done;
    }
    return PG(asking->daemon->postgres,
              "UPDATE users SET suspended = true, changed_hash = $2 "
              "WHERE id = $1",
              NULL, err, P_ID(&said->user), P_HASH(&asking->request->hash))
               ?: end_sessions(asking, &said->user, err)
               ?: closings_add(asking, err);
}

int on_user_resume(struct asking *asking, struct err *err)
{
    const struct user_standing *said = asking->request->payload;
    _cleanup_known_ struct known known = {0};
    int done = find_known(asking, &said->user, &known, err);

    if (done == 0 && !known.suspended) {
        done = asking_refuse(asking, REPLY_CONFLICT, "%s is not suspended",
                             known.email);
    }
    done = done ?: entry_check(asking, err) ?: accept(asking, &said->user, err);
    return done
               ?: PG(asking->daemon->postgres,
                     "UPDATE users SET suspended = false, changed_hash = $2 "
                     "WHERE id = $1",
                     NULL, err, P_ID(&said->user),
                     P_HASH(&asking->request->hash));
}

static int store_removed(struct asking *asking,
                         const struct user_standing *said, struct err *err)
{
    struct postgres *postgres = asking->daemon->postgres;

    if (PG(postgres,
           "UPDATE users SET state = 'removed', removed_at = $2, "
           "changed_hash = $3 WHERE id = $1",
           NULL, err, P_ID(&said->user), P_TIME(asking->decision.at),
           P_HASH(&asking->request->hash)) != 0 ||
        PG(postgres, "DELETE FROM assignments WHERE user_id = $1", NULL, err,
           P_ID(&said->user)) != 0) {
        return -1;
    }
    return end_signed(asking, &said->user, &said->entry, err)
               ?: end_sessions(asking, &said->user, err)
               ?: closings_add(asking, err);
}

int on_user_remove(struct asking *asking, struct err *err)
{
    const struct user_standing *said = asking->request->payload;
    _cleanup_known_ struct known known = {0};

    return find_known(asking, &said->user, &known, err)
               ?: check_others(asking, &said->user)
               ?: entry_check(asking, err)
               ?: accept(asking, &said->user, err)
               ?: store_removed(asking, said, err);
}

/* role */

static int check_role(struct asking *asking, const struct user_role *said,
                      const struct known *known)
{
    if (known->state == USER_INVITED) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "%s has not followed the invitation yet: withdraw "
                             "it, and invite them as %s",
                             known->email, word_text(&role_words, said->role));
    }
    if (known->role == said->role) {
        return asking_refuse(asking, REPLY_CONFLICT, "%s is %s already",
                             known->email, word_text(&role_words, said->role));
    }
    return hash_equal(&said->naming, &known->naming)
               ? 0
               : asking_refuse(asking, REPLY_CONFLICT,
                               "%s has another key by now: look again",
                               known->email);
}

static int store_role(struct asking *asking, const struct user_role *said,
                      struct err *err)
{
    return PG(asking->daemon->postgres,
              "UPDATE users SET role = $2, verify_hash = $3, "
              "changed_hash = $3, state = 'active', confirmed_at = $4 "
              "WHERE id = $1",
              NULL, err, P_ID(&said->user),
              P_TEXT(word_text(&role_words, said->role)),
              P_HASH(&asking->request->hash), P_TIME(asking->decision.at))
               ?: end_signed(asking, &said->user, &said->entry, err)
               ?: end_sessions(asking, &said->user, err);
}

int on_user_role(struct asking *asking, struct err *err)
{
    const struct user_role *said = asking->request->payload;
    _cleanup_known_ struct known known = {0};

    return find_known(asking, &said->user, &known, err)
               ?: check_others(asking, &said->user)
               ?: check_role(asking, said, &known)
               ?: entry_check(asking, err)
               ?: accept(asking, &said->user, err)
               ?: store_role(asking, said, err);
}

/* A new invitation */

static int check_reinvite(struct asking *asking,
                          const struct user_reinvite *said,
                          const struct known *known)
{
    int64_t next = known->generation + (known->state != USER_INVITED);

    if (strcmp(said->email, known->email) != 0 || said->role != known->role ||
        said->service != known->service) {
        return asking_refuse(asking, REPLY_INVALID,
                             "another address, role or kind than %s's",
                             known->email);
    }
    if (said->generation != next) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "%s has another key by now: look again",
                             known->email);
    }
    return said->until > asking->now
               ? 0
               : asking_refuse(asking, REPLY_INVALID,
                               "the invitation would have ended already");
}

static int store_reinvited(struct asking *asking,
                           const struct user_reinvite *said, struct err *err)
{
    struct hash key = key_id(&said->invitation);
    struct postgres *postgres = asking->daemon->postgres;

    if (PG(postgres,
           "UPDATE users SET state = 'invited', verify_hash = NULL, "
           "key_id = NULL, confirm_hash = NULL, verified_at = NULL, "
           "confirmed_at = NULL, invite_hash = $2, changed_hash = $2, "
           "invitation_key_id = $3, invited_until = $4, generation = $5, "
           "by_mail = $6, reused_by = NULL WHERE id = $1",
           NULL, err, P_ID(&said->user), P_HASH(&asking->request->hash),
           P_HASH(&key), P_TIME(said->until), P_INT(said->generation),
           P_BOOL(said->sealed.n > 0)) != 0) {
        return -1;
    }
    return invitation_store(asking, &said->user, &key, err)
               ?: end_signed(asking, &said->user, &said->entry, err)
               ?: end_sessions(asking, &said->user, err)
               ?: closings_add(asking, err);
}

int on_user_reinvite(struct asking *asking, struct err *err)
{
    const struct user_reinvite *said = asking->request->payload;
    _cleanup_known_ struct known known = {0};

    return find_known(asking, &said->user, &known, err)
               ?: check_others(asking, &said->user)
               ?: check_reinvite(asking, said, &known)
               ?: entry_check(asking, err)
               ?: accept(asking, &said->user, err)
               ?: store_reinvited(asking, said, err);
}

/* A new key of their own */

static int store_rotated(struct asking *asking, const struct key_rotate *said,
                         struct err *err)
{
    struct hash key = key_id(&said->key);

    return PG(asking->daemon->postgres,
              "UPDATE users SET verify_hash = $2, changed_hash = $2, "
              "key_id = $3, generation = $4 WHERE id = $1",
              NULL, err, P_ID(&said->user), P_HASH(&asking->request->hash),
              P_HASH(&key), P_INT(said->generation))
               ?: end_signed(asking, &said->user, &said->entry, err)
               ?: end_sessions(asking, &said->user, err);
}

int on_key_rotate(struct asking *asking, struct err *err)
{
    const struct key_rotate *said = asking->request->payload;
    _cleanup_known_ struct known known = {0};
    int done = find_known(asking, &said->user, &known, err);

    if (done == 0 && !id_equal(&said->user, &asking->signer.person.user)) {
        done = asking_refuse(asking, REPLY_INVALID,
                             "only their own key can be rotated by anybody");
    }
    return done ?: entry_check(asking, err)
                       ?: accept(asking, &said->user, err)
                       ?: store_rotated(asking, said, err);
}

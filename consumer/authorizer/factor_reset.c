/*
 * factor_reset.c: mfa.reset: an administrator takes away a second factor that
 * was lost or locked. Until its person has set up another, their own key asks
 * for mfa.set and nothing else.
 */
#include "consumer/authorizer/handlers.h"
#include "model/mfa.h"

static int check_reset(struct asking *asking, const struct mfa_reset *reset,
                       struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (id_equal(&reset->user, &asking->signer.person.user)) {
        return asking_refuse(asking, REPLY_DENIED,
                             "nobody resets their own second factor: another "
                             "administrator does, or a recovery code and "
                             "submit mfa setup");
    }
    if (PG(asking->daemon->postgres,
           "SELECT u.email, f.secret IS NOT NULL AS is_on FROM users u "
           "LEFT JOIN factors f ON f.user_id = u.id WHERE u.id = $1 "
           "FOR UPDATE OF u",
           &rows, err, P_ID(&reset->user)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_hide(asking, "no such user");
    }
    return row_bool(rows, 0, "is_on")
               ? 0
               : asking_refuse(asking, REPLY_CONFLICT,
                               "%s has no second factor to be reset",
                               row_text(rows, 0, "email"));
}

/* Their sessions end, too: whoever found the phone may be in one. */
static int store_reset(struct asking *asking, struct err *err)
{
    const struct mfa_reset *reset = asking->request->payload;
    struct postgres *postgres = asking->daemon->postgres;

    return PG(postgres, "UPDATE users SET mfa = true WHERE id = $1", NULL, err,
              P_ID(&reset->user)) != 0 ||
                   PG(postgres,
                      "UPDATE factors SET hash = $2, secret = NULL, "
                      "secret_key_id = NULL, session_key = NULL, failures = 0, "
                      "failed_at = NULL, reset_at = $3 WHERE user_id = $1",
                      NULL, err, P_ID(&reset->user),
                      P_HASH(&asking->request->hash),
                      P_TIME(asking->decision.at)) != 0 ||
                   PG(postgres,
                      "UPDATE sessions SET closed_at = $2 "
                      "WHERE user_id = $1 AND closed_at IS NULL",
                      NULL, err, P_ID(&reset->user),
                      P_TIME(asking->decision.at)) != 0
               ? -1
               : 0;
}

int on_mfa_reset(struct asking *asking, struct err *err)
{
    const struct mfa_reset *reset = asking->request->payload;

    return check_reset(asking, reset, err)
               ?: asking_made(asking, &asking->request->hash, &reset->user, 0,
                              err)
               ?: asking_store(asking, err)
               ?: store_reset(asking, err);
}

/*
 * sessions.c: opening and closing a session, and asking which one this is.
 *
 * Anybody who is here may open one, an administrator who waits to be confirmed
 * too: what it may be used for is said by the verbs' table.
 */
#include <string.h>

#include "consumer/authorizer/factors.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/organisation.h"

/* Enrolments of the authorizers that may decide: codes are sealed to them. */
static int add_authorizers(struct asking *asking, struct list *ret_envelopes,
                           struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT e.envelope FROM services s JOIN envelopes e "
           "ON e.hash = s.hash WHERE s.kind = 'authorizer' AND s.until > $1 "
           "AND s.revoked_at IS NULL "
           "ORDER BY s.enrolled_at DESC LIMIT $2::integer",
           &rows, err, P_TIME(asking->now), P_INT(AUTHORIZERS_MAX)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        _cleanup_buf_ struct buf json = row_bytes(rows, i, "envelope");
        _cleanup_envelope_ struct envelope envelope = {0};
        if (envelope_decode(json.data, json.len, &envelope, err) != 0) {
            return err_wrap(err, "table envelopes");
        }
        envelopes_add(ret_envelopes, &envelope);
    }
    return 0;
}

static int answer_session(struct asking *asking, const struct hash *session,
                          int64_t until, struct err *err)
{
    const struct person *person = &asking->signer.person;
    bool shown = asking->request->kind == EVENT_SESSION_SHOW;
    struct session_answer answer = {
        .user = person->user,
        .email = must_strdup(person->email),
        .role = person->role,
        .state = asking->state,
        .session = *session,
        .until = until,
        .mfa = asking->mfa,
        .service = person->service,
    };

    if (rules_now(asking, &answer.rules, err) != 0 ||
        (shown && asking->signer.kind == SIGNER_OWN &&
         add_authorizers(asking, &answer.authorizers, err) != 0)) {
        table_done(&session_answer_table, &answer);
        return -1;
    }
    return asking_answer_take(asking, &session_answer_table, &answer, err);
}

static int check_open(struct asking *asking, const struct session_open *open,
                      struct err *err)
{
    struct session session;

    if (proof_add(asking->proof, &asking->request->envelope, err) != 0 ||
        proof_session(asking->proof, &asking->request->hash, &session, err)) {
        return err->kind == ERR_REJECT
                   ? asking_refuse(asking, REPLY_INVALID, "%s", err->text)
                   : -1;
    }
    return open->until > asking->now ? 0
                                     : asking_refuse(asking, REPLY_INVALID,
                                                     "the session would have "
                                                     "ended already");
}

static int check_new_key(struct asking *asking, const struct hash *key,
                         struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT 1 AS one FROM sessions WHERE key_id = $1", &rows, err,
           P_HASH(key)) != 0) {
        return -1;
    }
    return rows_n(rows) == 0 ? 0
                             : asking_refuse(asking, REPLY_INVALID,
                                             "this session key was "
                                             "used before");
}

/* The policy may let it end earlier than was signed: this database refuses it
 * then. */
static int find_end(const struct asking *asking,
                    const struct session_open *open, int64_t *ret_until,
                    struct err *err)
{
    struct rules rules;

    if (rules_now(asking, &rules, err) != 0) {
        return -1;
    }
    int64_t latest = open->request.head.issued + rules.session_ttl * 1000;
    *ret_until = open->until < latest ? open->until : latest;
    return 0;
}

static int store_opened(struct asking *asking, const struct hash *key,
                        int64_t until, struct err *err)
{
    const struct session_open *open = asking->request->payload;

    return PG(asking->daemon->postgres,
              "INSERT INTO sessions (hash, user_id, key_id, until, opened_at) "
              "VALUES ($1, $2, $3, $4, $5)",
              NULL, err, P_HASH(&asking->request->hash),
              P_ID(&asking->signer.person.user), P_HASH(key), P_TIME(until),
              P_TIME(open->request.head.issued));
}

int on_session_open(struct asking *asking, struct err *err)
{
    const struct session_open *open = asking->request->payload;
    struct hash key = key_id(&open->key);
    int64_t until = 0;

    return check_open(asking, open, err)
               ?: check_new_key(asking, &key, err)
               ?: factor_check_open(asking, err)
               ?: find_end(asking, open, &until, err)
               ?: answer_session(asking, &asking->request->hash, until, err)
               ?: asking_store(asking, err)
               ?: store_opened(asking, &key, until, err);
}

/* Their own, or anybody's where an administrator asks. */
static int check_theirs(struct asking *asking, const struct hash *session,
                        struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT user_id FROM sessions WHERE hash = $1", &rows, err,
           P_HASH(session)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_hide(asking, "no such session");
    }
    struct id user = row_id(rows, 0, "user_id");
    return id_equal(&user, &asking->signer.person.user) ||
                   asking_by_administrator(asking)
               ? 0
               : asking_hide(asking, "the session is another user's");
}

int on_session_close(struct asking *asking, struct err *err)
{
    const struct session_close *close = asking->request->payload;
    int done = check_theirs(asking, &close->session, err)
                   ?: asking_made(asking, &close->session, NULL, 0, err)
                   ?: asking_store(asking, err);

    return done != 0 ? done
                     : PG(asking->daemon->postgres,
                          "UPDATE sessions SET closed_at = $2 "
                          "WHERE hash = $1 AND closed_at IS NULL",
                          NULL, err, P_HASH(&close->session),
                          P_TIME(asking->decision.at));
}

int on_session_show(struct asking *asking, struct err *err)
{
    const struct session *session = &asking->signer.session;

    return answer_session(asking, &session->hash, asking->until, err);
}

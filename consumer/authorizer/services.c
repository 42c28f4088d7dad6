/*
 * services.c: enrolling daemons, and which there are. Authorizers are enrolled
 * by the root key alone, off line (installation.c reads that).
 */
#include <string.h>

#include "consumer/authorizer/handlers.h"
#include "model/read.h"
#include "consumer/authorizer/revocations.h"
#include "model/log_entry.h"

static int check_kind(struct asking *asking, const struct service_enrol *enrol)
{
    bool executor = enrol->kind == SERVICE_EXECUTOR;

    if (enrol->kind == SERVICE_AUTHORIZER || enrol->kind == SERVICE_RECORDER) {
        return asking_refuse(asking, REPLY_INVALID, "%s",
                             enrol->kind == SERVICE_AUTHORIZER
                                 ? "only the root key enrols an authorizer"
                                 : "a recorder signs nothing: there is "
                                   "nothing to enrol");
    }
    if (executor != (enrol->target != NULL)) {
        return asking_refuse(asking, REPLY_INVALID, "%s",
                             executor ? "an executor is enrolled for a target"
                                      : "only executors have a target");
    }
    return 0;
}

static int check_enrol(struct asking *asking, const struct service_enrol *enrol,
                       struct err *err)
{
    const struct service_enrol *checked;

    if (proof_add(asking->proof, &asking->request->envelope, err) != 0 ||
        proof_service(asking->proof, &asking->request->hash,
                      (enum service_kind)enrol->kind, enrol->target,
                      asking->now, &checked, err) != 0) {
        return err->kind == ERR_REJECT
                   ? asking_refuse(asking, REPLY_INVALID, "%s", err->text)
                   : -1;
    }
    return 0;
}

static int refuse_taken(struct asking *asking,
                        const struct service_enrol *enrol,
                        const struct rows *rows)
{
    const char *name = row_text(rows, 0, "key_of");
    const char *revoked = row_text(rows, 0, "was_key_of");
    const char *target = row_text(rows, 0, "serves");

    if (revoked != NULL) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "this key was revoked as %s's: make a new one "
                             "(--make-key)",
                             revoked);
    }
    if (name != NULL) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "this key is %s's: each daemon makes its own "
                             "(--make-key)",
                             name);
    }
    return target == NULL ? 0
                          : asking_refuse(asking, REPLY_CONFLICT,
                                          "%s serves target %s already: give "
                                          "this one another name",
                                          enrol->name, target);
}

/* The target is there; neither key nor name is another service's. */
static int check_rows(struct asking *asking, const struct service_enrol *enrol,
                      struct err *err)
{
    struct hash key = key_id(&enrol->key);
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT $1::text IS NULL OR EXISTS (SELECT FROM targets "
           "WHERE name = $1::text AND state <> 'removed') AS target, "
           "(SELECT generation FROM targets WHERE name = $1::text), "
           "(SELECT max(name) FROM services WHERE key_id = $2 AND revoked_at "
           "IS NULL "
           "AND (kind, name) <> ($3::text, $4::text)) AS key_of, "
           "(SELECT max(name) FROM services WHERE key_id = $2 "
           "AND revoked_at IS NOT NULL) AS was_key_of, "
           "(SELECT max(s.target) FROM services s JOIN targets t "
           "ON t.name = s.target AND t.state <> 'removed' "
           "WHERE s.revoked_at IS NULL AND s.kind = $3::text "
           "AND s.name = $4::text AND s.target <> $1::text) AS serves",
           &rows, err, P_TEXT(enrol->target), P_HASH(&key),
           P_TEXT(word_text(&service_kind_words, enrol->kind)),
           P_TEXT(enrol->name)) != 0) {
        return -1;
    }
    if (enrol->target != NULL && row_bool(rows, 0, "target") &&
        row_int(rows, 0, "generation") != enrolled_generation(enrol)) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "target %s is another one now: enrol it again",
                             enrol->target);
    }
    return row_bool(rows, 0, "target")
               ? refuse_taken(asking, enrol, rows)
               : asking_refuse(asking, REPLY_NOT_FOUND,
                               "no target %s: submit target add %s",
                               enrol->target, enrol->target);
}

static int store_enrolled(struct asking *asking, struct err *err)
{
    const struct service_enrol *enrol = asking->request->payload;
    struct hash key = key_id(&enrol->key);

    return PG(asking->daemon->postgres,
              "INSERT INTO services (hash, kind, name, target, key_id, until, "
              "enrolled_by, enrolled_at) "
              "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
              NULL, err, P_HASH(&asking->request->hash),
              P_TEXT(word_text(&service_kind_words, enrol->kind)),
              P_TEXT(enrol->name), P_TEXT(enrol->target), P_HASH(&key),
              P_TIME(enrol->until), P_ID(&asking->signer.person.user),
              P_TIME(enrol->request.head.issued));
}

int on_service_enrol(struct asking *asking, struct err *err)
{
    const struct service_enrol *enrol = asking->request->payload;

    return check_kind(asking, enrol)
               ?: check_enrol(asking, enrol, err)
               ?: check_rows(asking, enrol, err)
               ?: asking_made(asking, &asking->request->hash, NULL, 0, err)
               ?: asking_store(asking, err)
               ?: store_enrolled(asking, err);
}

/* service.list */

static struct service_row service_row_of(const struct rows *rows, size_t i)
{
    const char *target = row_text(rows, i, "target");
    const char *by = row_text(rows, i, "enrolled_by");

    return (struct service_row){
        .kind = word_value(&service_kind_words, row_text(rows, i, "kind")),
        .name = must_strdup(row_text(rows, i, "name")),
        .target = target == NULL ? NULL : must_strdup(target),
        .enrolled = row_time(rows, i, "enrolled_at"),
        .enrolled_by = by == NULL ? NULL : must_strdup(by),
        .until = row_time(rows, i, "until"),
        .hash = row_hash(rows, i, "hash"),
    };
}

/* How it stands by the revocation log; and by `chain`, which knows of none,
 * what enrolled it is marked, so that whoever asks can check it. */
static int judge_row(struct asking *asking, struct proof *chain,
                     struct service_row *row, struct err *err)
{
    enum service_kind kind = (enum service_kind)row->kind;
    const struct service_enrol *enrol;
    bool over = row->until != 0 && asking->now > row->until;

    if (proof_service(chain, &row->hash, kind, NULL, 0, &enrol, err) != 0 &&
        err->kind != ERR_REJECT) {
        return -1;
    }
    err_clear(err);
    if (proof_service(asking->proof, &row->hash, kind, NULL, asking->now,
                      &enrol, err) == 0) {
        row->state = SERVICE_IN_FORCE;
        return 0;
    }
    if (err->kind != ERR_REJECT) {
        return -1;
    }
    row->state = over ? SERVICE_ENDED : SERVICE_VOID;
    err_clear(err);
    return 0;
}

int on_service_list(struct asking *asking, struct err *err)
{
    const struct service_list *list = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;
    _cleanup_proof_ struct proof *chain =
        proof_new(&asking->daemon->roots, source_fetch, asking->source);
    struct services_answer answer = {0};
    const char *kind =
        list->kind == 0 ? NULL : word_text(&service_kind_words, list->kind);
    int done = 0;

    if (PG(asking->daemon->postgres,
           "SELECT s.hash, s.kind, s.name, s.target, s.until, s.enrolled_at, "
           "u.email AS enrolled_by "
           "FROM services s LEFT JOIN users u ON u.id = s.enrolled_by "
           "WHERE s.revoked_at IS NULL "
           "AND ($1::text IS NULL OR s.kind = $1::text) "
           "ORDER BY s.kind, s.name, s.enrolled_at DESC LIMIT $2::integer",
           &rows, err, P_TEXT(kind), P_INT(ROWS_MAX)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows) && done == 0; i++) {
        struct service_row *to = list_grow(&answer.services, sizeof(*to));
        *to = service_row_of(rows, i);
        done = judge_row(asking, chain, to, err);
    }
    if (done != 0) {
        table_done(&services_answer_table, &answer);
        return -1;
    }
    proof_used(chain, &answer.envelopes);
    return asking_answer_take(asking, &services_answer_table, &answer, err);
}

/* service.revoke */

static int check_enrolled(struct asking *asking, const struct hash *service,
                          struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT kind, name, revoked_at, NOT EXISTS (SELECT FROM services o "
           "WHERE o.kind = 'authorizer' AND o.hash <> s.hash "
           "AND o.revoked_at IS NULL AND o.until > $2) AS last "
           "FROM services s WHERE hash = $1 FOR UPDATE",
           &rows, err, P_HASH(service), P_TIME(asking->now)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_refuse(asking, REPLY_NOT_FOUND,
                             "there is no such enrolment");
    }
    if (!row_is_null(rows, 0, "revoked_at")) {
        return asking_refuse(asking, REPLY_CONFLICT, "%s is revoked already",
                             row_text(rows, 0, "name"));
    }
    return strcmp(row_text(rows, 0, "kind"), "authorizer") != 0 ||
                   !row_bool(rows, 0, "last")
               ? 0
               : asking_refuse(asking, REPLY_CONFLICT,
                               "%s is the only authorizer: enrol another one "
                               "first, by the root key",
                               row_text(rows, 0, "name"));
}

int on_service_revoke(struct asking *asking, struct err *err)
{
    const struct service_revoke *said = asking->request->payload;

    return check_enrolled(asking, &said->service, err)
               ?: entry_check(asking, err)
               ?: asking_made(asking, &asking->request->hash, NULL, 0, err)
               ?: asking_store(asking, err)
               ?: entry_store(asking, err)
               ?: PG(asking->daemon->postgres,
                     "UPDATE services SET revoked_at = $2 WHERE hash = $1",
                     NULL, err, P_HASH(&said->service),
                     P_TIME(asking->decision.at));
}

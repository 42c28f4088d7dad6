/*
 * installation.c: what the root key signed, from the own enrolment's file into
 * PostgreSQL; see installation_store() in authorizer.h.
 *
 * service.c has checked that the file's chain goes up to a pinned root and is
 * for this daemon's key. Root-signed envelopes never come by errand.requests.
 */
#include <string.h>

#include "base/clock.h"
#include "consumer/authorizer/authorizer.h"

static int store_envelope(const struct authorizer *authorizer,
                          const struct event *event, struct err *err)
{
    _cleanup_buf_ struct buf json = {0};

    if (envelope_encode(&event->envelope, &json, err) != 0) {
        return -1;
    }
    return PG(authorizer->daemon->postgres,
              "INSERT INTO envelopes (hash, type, envelope) "
              "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
              NULL, err, P_HASH(&event->hash), P_TEXT(event->envelope.type),
              P_BUF(&json));
}

/* The first administrator's id follows from the root and their first key; what
 * names their key now may be another envelope, which the log holds. */
static int store_administrator(const struct authorizer *authorizer,
                               const struct event *event, struct err *err)
{
    const struct root_init *init = event->payload;
    struct hash key = key_id(&init->key);
    struct postgres *postgres = authorizer->daemon->postgres;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(postgres,
           "INSERT INTO users (id, email, role, state, verify_hash, key_id, "
           "invited_at, verified_at, confirmed_at) VALUES ($1, $2, "
           "'administrator', 'active', $3, $4, $5, $5, $5) "
           "ON CONFLICT DO NOTHING",
           NULL, err, P_ID(&init->user), P_TEXT(init->email),
           P_HASH(&event->hash), P_HASH(&key),
           P_TIME(init->head.issued)) != 0 ||
        PG(postgres,
           "SELECT 1 AS one FROM users WHERE id = $1 AND NOT EXISTS (SELECT "
           "FROM envelopes WHERE type = 'errand.root.init.v1' AND hash <> $2)",
           &rows, err, P_ID(&init->user), P_HASH(&event->hash)) != 0) {
        return -1;
    }
    return rows_n(rows) == 1
               ? 0
               : err_set(err, ERR_FATAL,
                         "the database has %s by another "
                         "root.init: it is another installation's",
                         init->email);
}

static int store_authorizer(struct authorizer *authorizer,
                            const struct event *event, struct err *err)
{
    const struct service_enrol *enrol = event->payload;
    struct hash key = key_id(&enrol->key);

    authorizer->until = enrol->until;
    return PG(authorizer->daemon->postgres,
              "INSERT INTO services (hash, kind, name, key_id, until, "
              "enrolled_at) VALUES ($1, 'authorizer', $2, $3, $4, $5) "
              "ON CONFLICT DO NOTHING",
              NULL, err, P_HASH(&event->hash), P_TEXT(enrol->name),
              P_HASH(&key), P_TIME(enrol->until),
              P_TIME(enrol->request.head.issued));
}

static int store_one(struct authorizer *authorizer, const struct event *event,
                     struct err *err)
{
    if (event->kind != EVENT_ROOT_INIT && event->kind != EVENT_SERVICE_ENROL) {
        return 0;
    }
    if (store_envelope(authorizer, event, err) != 0) {
        return -1;
    }
    if (event->kind == EVENT_SERVICE_ENROL) {
        return store_authorizer(authorizer, event, err);
    }
    authorizer->revocations.init = event->hash;
    return store_administrator(authorizer, event, err);
}

/* The root.init goes up to a pinned root, too, and to the same. */
static int check_init(const struct authorizer *authorizer, struct err *err)
{
    const struct daemon *daemon = authorizer->daemon;
    _cleanup_proof_ struct proof *proof = proof_new(&daemon->roots, NULL, NULL);
    struct person first;

    for (size_t i = 0; i < daemon->enrolment.n; i++) {
        const struct envelope *envelope =
            &list_at(&daemon->enrolment, struct envelope, i);
        struct hash hash = envelope_hash(envelope);
        if (strcmp(envelope->type, event_types[EVENT_ROOT_INIT].type) != 0) {
            continue;
        }
        return proof_add(proof, envelope, err) == 0 &&
                       proof_person(proof, &hash, &first, err) == 0 &&
                       hash_equal(&first.root, &daemon->root)
                   ? 0
                   : err_wrap(err, "[service] enrolment: root.init");
    }
    return err_set(err, ERR_FATAL,
                   "[service] enrolment: the file holds no "
                   "root.init");
}

static int store_all(struct authorizer *authorizer, struct err *err)
{
    const struct list *enrolment = &authorizer->daemon->enrolment;

    for (size_t i = 0; i < enrolment->n; i++) {
        struct envelope copy =
            envelope_dup(&list_at(enrolment, struct envelope, i));
        _cleanup_event_ struct event *event = event_new_take(&copy, err);
        if (event == NULL || store_one(authorizer, event, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int installation_store(struct authorizer *authorizer, struct err *err)
{
    struct postgres *postgres = authorizer->daemon->postgres;

    if (check_init(authorizer, err) != 0) {
        err->kind = ERR_FATAL;
        return -1;
    }
    if (postgres_begin(postgres, err) != 0 || store_all(authorizer, err) != 0 ||
        postgres_commit(postgres, err) != 0) {
        postgres_rollback(postgres);
        return -1;
    }
    return 0;
}

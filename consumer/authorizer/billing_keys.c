/*
 * billing_keys.c: publishing a billing key, and telling the newest one to who
 * seals cards to it. Its secret half never comes here.
 */
#include "consumer/authorizer/handlers.h"
#include "model/billing.h"
#include "trust/wallet.h"

#define BILLING_LOCK 0x62696c6c /* "bill" */

static int check_init(struct asking *asking, struct err *err)
{
    const struct billing_init *checked;

    if (proof_add(asking->proof, &asking->request->envelope, err) != 0 ||
        proof_billing(asking->proof, &asking->request->hash, &checked, err)) {
        return err->kind == ERR_REJECT
                   ? asking_refuse(asking, REPLY_INVALID, "%s", err->text)
                   : -1;
    }
    return 0;
}

/* The next generation, and a key that was in none; one asks at a time. */
static int check_next(struct asking *asking, const struct billing_init *init,
                      struct err *err)
{
    struct hash key = key_id(&init->box);
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT pg_advisory_xact_lock($1::bigint)::text AS one", NULL, err,
           P_INT(BILLING_LOCK)) != 0 ||
        PG(asking->daemon->postgres,
           "SELECT coalesce(max(generation), 0) AS generation, "
           "(SELECT hash FROM billing_keys ORDER BY generation DESC LIMIT 1) "
           "AS hash, coalesce(bool_or(key_id = $1), false) AS used "
           "FROM billing_keys",
           &rows, err, P_HASH(&key)) != 0) {
        return -1;
    }
    struct hash previous = row_hash(rows, 0, "hash");
    if (init->generation != row_int(rows, 0, "generation") + 1 ||
        !hash_equal(&init->previous, &previous)) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "the billing key is of generation %lld by now: "
                             "ask again",
                             (long long)row_int(rows, 0, "generation"));
    }
    return row_bool(rows, 0, "used")
               ? asking_refuse(asking, REPLY_INVALID,
                               "this key was a billing key before: make a new "
                               "one")
               : 0;
}

static int store_made(struct asking *asking, struct err *err)
{
    const struct billing_init *init = asking->request->payload;
    struct hash key = key_id(&init->box);

    return PG(asking->daemon->postgres,
              "INSERT INTO billing_keys (generation, hash, key_id, made_by, "
              "made_at) VALUES ($1, $2, $3, $4, $5)",
              NULL, err, P_INT(init->generation),
              P_HASH(&asking->request->hash), P_HASH(&key),
              P_ID(&asking->signer.person.user),
              P_TIME(init->request.head.issued));
}

int on_billing_init(struct asking *asking, struct err *err)
{
    const struct billing_init *init = asking->request->payload;

    return check_init(asking, err)
               ?: check_next(asking, init, err)
               ?: asking_made(asking, &asking->request->hash, NULL,
                              init->generation, err)
               ?: asking_store(asking, err)
               ?: store_made(asking, err);
}

/* A key that nobody of standing signed is told without its chain: nothing is
 * sealed to it any more, and the next generation still names it. */
static int add_chain(struct asking *asking, struct billing_answer *answer,
                     struct err *err)
{
    const struct billing_init *init;

    proof_forget_used(asking->proof);
    if (proof_billing(asking->proof, &answer->hash, &init, err) != 0) {
        return err->kind == ERR_REJECT ? 0 : -1;
    }
    proof_used(asking->proof, &answer->envelopes);
    return 0;
}

int on_billing_show(struct asking *asking, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct billing_answer answer = {0};

    if (PG(asking->daemon->postgres,
           "SELECT generation, hash FROM billing_keys "
           "ORDER BY generation DESC LIMIT 1",
           &rows, err) != 0) {
        return -1;
    }
    if (rows_n(rows) > 0) {
        answer.generation = row_int(rows, 0, "generation");
        answer.hash = row_hash(rows, 0, "hash");
        if (add_chain(asking, &answer, err) != 0) {
            return -1;
        }
    }
    return asking_answer_take(asking, &billing_answer_table, &answer, err);
}

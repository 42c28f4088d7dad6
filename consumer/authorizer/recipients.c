/*
 * recipients.c: to whom a run's secrets are sealed: the executors that serve
 * its targets, as they are enrolled now.
 *
 * Whoever may run a command is told who these are, each with the chain of its
 * enrolment: from that alone their submit takes a key. What a row says without
 * a good envelope behind it is passed over.
 */
#include "consumer/authorizer/recipients.h"

#include <string.h>

#include "consumer/authorizer/source.h"
#include "trust/reach.h"

/* In force by the revocation log, for this very target. */
static int in_force(struct asking *asking, const struct hash *hash,
                    const char *target, const struct service_enrol **ret_enrol,
                    struct err *err)
{
    if (proof_service(asking->proof, hash, SERVICE_EXECUTOR, target,
                      asking->now, ret_enrol, err) == 0) {
        return 1;
    }
    if (err->kind != ERR_REJECT) {
        return -1;
    }
    err_clear(err);
    return 0;
}

static int find_enrolled(struct asking *asking, const struct list *targets,
                         struct rows **ret_rows, struct err *err)
{
    _cleanup_free_ char *names = names_array(targets);

    return PG(asking->daemon->postgres,
              "SELECT hash, target FROM services WHERE kind = 'executor' "
              "AND revoked_at IS NULL AND target = ANY ($1::text[]) "
              "ORDER BY target, name, enrolled_at LIMIT $2::integer",
              ret_rows, err, P_TEXT(names), P_INT(ROWS_MAX));
}

/* `chain` knows of no revocation: what enrolled it is marked there. */
static int add_one(struct asking *asking, struct proof *chain,
                   const struct rows *rows, size_t i, struct err *err)
{
    struct hash hash = row_hash(rows, i, "hash");
    const char *target = row_text(rows, i, "target");
    const struct service_enrol *enrol;
    int held = in_force(asking, &hash, target, &enrol, err);

    if (held <= 0) {
        return held;
    }
    return proof_service(chain, &hash, SERVICE_EXECUTOR, target, asking->now,
                         &enrol, err) == 0
               ? 1
               : -1;
}

static int add_all(struct asking *asking, const struct rows *rows,
                   struct command_answer *answer, struct err *err)
{
    _cleanup_proof_ struct proof *chain =
        proof_new(&asking->daemon->roots, source_fetch, asking->source);

    for (size_t i = 0; i < rows_n(rows); i++) {
        int added = add_one(asking, chain, rows, i, err);
        if (added < 0) {
            return -1;
        }
        if (added > 0) {
            struct hash *to = list_grow(&answer->executors, sizeof(*to));
            *to = row_hash(rows, i, "hash");
        }
    }
    proof_used(chain, &answer->envelopes);
    return 0;
}

int recipients_add(struct asking *asking, const struct list *targets,
                   struct command_answer *answer, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct list reached = {0};
    int done = 0;

    for (size_t i = 0; i < targets->n; i++) {
        const char *target = list_at(targets, char *, i);
        if (reach_holds(asking_standing(asking), &answer->command.targets,
                        target)) {
            texts_add(&reached, target);
        }
    }
    if (reached.n > 0) {
        done = find_enrolled(asking, &reached, &rows, err) != 0
                   ? -1
                   : add_all(asking, rows, answer, err);
    }
    texts_done(&reached);
    return done;
}

/* 1: one of this target's executors can open them. */
static int can_open(struct asking *asking, const struct rows *rows,
                    const char *target, const struct list *boxes,
                    struct err *err)
{
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct hash hash = row_hash(rows, i, "hash");
        const struct service_enrol *enrol;
        if (strcmp(row_text(rows, i, "target"), target) != 0) {
            continue;
        }
        int held = in_force(asking, &hash, target, &enrol, err);
        if (held < 0) {
            return -1;
        }
        struct hash box = held == 0 ? (struct hash){0} : key_id(&enrol->box);
        if (held > 0 && secrets_reach(boxes, &box)) {
            return 1;
        }
    }
    return 0;
}

int recipients_check(struct asking *asking, const struct run_start *run,
                     struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (run->boxes.n == 0) {
        return 0;
    }
    if (find_enrolled(asking, &run->targets, &rows, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < run->targets.n; i++) {
        const char *target = list_at(&run->targets, char *, i);
        int can = can_open(asking, rows, target, &run->boxes, err);
        if (can < 0) {
            return -1;
        }
        if (can == 0) {
            return asking_refuse(asking, REPLY_CONFLICT,
                                 "no executor of %s could open the secrets: "
                                 "its keys are other ones now; ask again",
                                 target);
        }
    }
    return 0;
}

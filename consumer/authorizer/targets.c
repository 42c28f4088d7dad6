/*
 * targets.c: adding targets, and which there are, with who serves them.
 *
 * A target is set once for now: what changes one is an entry of the revocation
 * log. Setting it again as it is changes nothing, and says so. Its two topics
 * are made after the commit and before the reply, also the second time.
 */
#include <string.h>

#include "base/clock.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/revocations.h"
#include "model/target.h"

static int check_set(struct asking *asking, const struct target_set *set)
{
    if (set->generation != 1) {
        return asking_refuse(asking, REPLY_INVALID,
                             "a new target's generation "
                             "is 1");
    }
    return 0;
}

static bool same_pairs(const struct list *a, const struct list *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct pair *pair = &list_at(a, struct pair, i);
        const char *value = pairs_get(b, pair->name);
        if (value == NULL || strcmp(value, pair->value) != 0) {
            return false;
        }
    }
    return a->n == b->n;
}

/* It is there: either just so, or it is refused. */
static int answer_known(struct asking *asking, const struct target_set *set,
                        const struct rows *rows, struct err *err)
{
    struct hash hash = row_hash(rows, 0, "hash");
    _cleanup_event_ struct event *event =
        source_event(asking->source, &hash, EVENT_TARGET_SET, err);

    if (event == NULL) {
        return err->kind == ERR_REJECT
                   ? asking_refuse(asking, REPLY_CONFLICT, "%s", err->text)
                   : -1;
    }
    const struct target_set *known = event->payload;
    if (known->max_wait != set->max_wait ||
        !same_pairs(&known->labels, &set->labels)) {
        char moment[TIME_TEXT];
        time_format(row_time(rows, 0, "set_at"), moment);
        return asking_refuse(asking, REPLY_CONFLICT,
                             "target %s is there "
                             "already, set otherwise by %s at %s",
                             set->name, row_text(rows, 0, "email"), moment);
    }
    if (asking_made(asking, &hash, NULL, 0, err) != 0) {
        return -1;
    }
    asking->decision.status = REPLY_OK;
    asking->decision.text = must_strdup("unchanged");
    asking_place(asking, set->name, known->generation, known->max_wait);
    return 1;
}

static int check_known(struct asking *asking, const struct target_set *set,
                       struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT t.hash, t.set_at, u.email FROM targets t "
           "JOIN users u ON u.id = t.set_by WHERE t.name = $1",
           &rows, err, P_TEXT(set->name)) != 0) {
        return -1;
    }
    return rows_n(rows) == 0 ? 0 : answer_known(asking, set, rows, err);
}

static int store_set(struct asking *asking, struct err *err)
{
    const struct target_set *set = asking->request->payload;

    asking_place(asking, set->name, set->generation, set->max_wait);
    return PG(asking->daemon->postgres,
              "INSERT INTO targets (name, generation, hash, max_wait, set_by, "
              "set_at) VALUES ($1, $2, $3, $4, $5, $6)",
              NULL, err, P_TEXT(set->name), P_INT(set->generation),
              P_HASH(&asking->request->hash), P_INT(set->max_wait),
              P_ID(&asking->signer.person.user),
              P_TIME(set->entry.request.head.issued));
}

int on_target_set(struct asking *asking, struct err *err)
{
    const struct target_set *set = asking->request->payload;

    return check_set(asking, set)
               ?: check_known(asking, set, err)
               ?: entry_check(asking, err)
               ?: asking_made(asking, &asking->request->hash, NULL, 0, err)
               ?: asking_store(asking, err)
               ?: entry_store(asking, err)
               ?: store_set(asking, err);
}

/* One row for each executor of each target, or one where it has none. */
static void add_row(struct targets_answer *answer, const struct rows *rows,
                    size_t i)
{
    const char *name = row_text(rows, i, "name");
    struct target_row *target =
        answer->targets.n == 0 ? NULL
                               : &list_at(&answer->targets, struct target_row,
                                          answer->targets.n - 1);

    if (target == NULL || strcmp(target->name, name) != 0) {
        target = list_grow(&answer->targets, sizeof(*target));
        target->name = must_strdup(name);
        target->generation = row_int(rows, i, "generation");
        target->max_wait = row_int(rows, i, "max_wait");
    }
    if (!row_is_null(rows, i, "executor")) {
        struct executor_row *executor =
            list_grow(&target->executors, sizeof(*executor));
        const char *version = row_text(rows, i, "version");
        executor->name = must_strdup(row_text(rows, i, "executor"));
        executor->heard = row_time(rows, i, "heard_at");
        executor->slots = row_int(rows, i, "slots");
        executor->version = version == NULL ? NULL : must_strdup(version);
    }
}

int on_target_list(struct asking *asking, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct targets_answer answer = {0};

    if (PG(asking->daemon->postgres,
           "SELECT t.name, t.generation, t.max_wait, s.name AS executor, "
           "e.heard_at, e.slots, e.version FROM (SELECT * FROM targets "
           "ORDER BY name LIMIT $1::integer) t LEFT JOIN (SELECT DISTINCT "
           "name, target FROM services WHERE kind = 'executor') s "
           "ON s.target = t.name LEFT JOIN executors e ON e.name = s.name "
           "AND e.target = t.name ORDER BY t.name, s.name",
           &rows, err, P_INT(ROWS_MAX)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        add_row(&answer, rows, i);
    }
    return asking_answer_take(asking, &targets_answer_table, &answer, err);
}

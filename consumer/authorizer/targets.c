/*
 * targets.c: target.set: adding a target, and changing what it is.
 *
 * A target is said whole each time, as an entry of the revocation log, and
 * names the target.set that it follows: so nobody undoes what they have not
 * seen. One that follows none is a new name; one that follows a removal makes
 * the next generation. Its two topics are made after the commit and before the
 * reply, also the second time. Adding what is there just so changes nothing,
 * and says so. Which there are is target_views.c.
 */
#include <string.h>

#include "base/clock.h"
#include "consumer/authorizer/closings.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/revocations.h"
#include "consumer/authorizer/targets.h"
#include "consumer/authorizer/views.h"
#include "model/target.h"
#include "model/where.h"

static int check_set(struct asking *asking, const struct target_set *set)
{
    struct err bad = {0};

    if (set->generation != 1 && hash_is_zero(&set->previous)) {
        return asking_refuse(asking, REPLY_INVALID,
                             "a new target's generation "
                             "is 1");
    }
    return labels_check(&set->labels, &bad) == 0
               ? 0
               : asking_refuse(asking, REPLY_INVALID, "%s", bad.text);
}

/* Added, and it is there: either just so, or it is refused. */
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
    if (known->state == TARGET_REMOVED) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "there was a target %s, and it was removed: what "
                             "named it would name the new one, too. If that is "
                             "meant: submit target add %s --again",
                             set->name, set->name);
    }
    if (known->max_wait != set->max_wait || known->state != set->state ||
        !pairs_same(&known->labels, &set->labels)) {
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
    asking_place(asking, set->name, known->generation,
                 row_int(rows, 0, "longest_wait"));
    return 1;
}

/* What ran on the one before has to be told while its executors still count. */
static int check_told(struct asking *asking, const struct target_set *set,
                      struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT FROM executions WHERE target = $1 AND NOT ended LIMIT 1",
           &rows, err, P_TEXT(set->name)) != 0) {
        return -1;
    }
    return rows_n(rows) == 0
               ? 0
               : asking_refuse(asking, REPLY_CONFLICT,
                               "what ran on the %s that was removed is not "
                               "told yet: try again in a moment",
                               set->name);
}

/* One that was removed may be followed by another of its name. */
static int check_again(struct asking *asking, const struct target_set *set,
                       const struct rows *rows, struct err *err)
{
    int done = check_told(asking, set, err);

    if (done != 0) {
        return done;
    }
    return set->generation == row_int(rows, 0, "generation") + 1 &&
                   set->state == TARGET_IN_USE
               ? 0
               : asking_refuse(asking, REPLY_CONFLICT,
                               "target %s was removed: that is for good. Add "
                               "another one of its name",
                               set->name);
}

static int check_change(struct asking *asking, const struct target_set *set,
                        const struct rows *rows, struct err *err)
{
    struct hash last = row_hash(rows, 0, "hash");
    char text[TIME_TEXT];

    if (!hash_equal(&set->previous, &last)) {
        time_format(row_time(rows, 0, "set_at"), text);
        return asking_refuse(asking, REPLY_CONFLICT,
                             "target %s was changed by %s at %s: look at it, "
                             "then change it again",
                             set->name, row_text(rows, 0, "email"), text);
    }
    if (strcmp(row_text(rows, 0, "state"), "removed") == 0) {
        return check_again(asking, set, rows, err);
    }
    return set->generation == row_int(rows, 0, "generation")
               ? 0
               : asking_refuse(asking, REPLY_INVALID,
                               "target %s is of another generation", set->name);
}

static int check_known(struct asking *asking, const struct target_set *set,
                       struct err *err)
{
    bool adds = hash_is_zero(&set->previous);
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT t.hash, t.set_at, t.state, t.generation, t.longest_wait, "
           "u.email "
           "FROM targets t JOIN users u ON u.id = t.set_by WHERE t.name = $1 "
           "FOR UPDATE OF t",
           &rows, err, P_TEXT(set->name)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return adds ? 0
                    : asking_refuse(asking, REPLY_NOT_FOUND,
                                    "there is no such target");
    }
    return adds ? answer_known(asking, set, rows, err)
                : check_change(asking, set, rows, err);
}

static int store_set(struct asking *asking, struct err *err)
{
    const struct target_set *set = asking->request->payload;
    const char *state = set->state == TARGET_IN_USE
                            ? "in_use"
                            : word_text(&target_state_words, set->state);
    _cleanup_free_ char *labels = NULL;

    return arguments_json(&set->labels, &labels, err) != 0
               ? -1
               : PG(asking->daemon->postgres,
                    "INSERT INTO targets (name, generation, hash, max_wait, "
                    "longest_wait, labels, state, set_by, set_at) VALUES "
                    "($1, $2, $3, $4, $4, $5::jsonb -> 'arguments', $6, $7, "
                    "$8) ON CONFLICT (name) DO UPDATE SET "
                    "generation = excluded.generation, longest_wait = "
                    "CASE WHEN excluded.generation = targets.generation "
                    "THEN greatest(targets.longest_wait, excluded.max_wait) "
                    "ELSE excluded.max_wait END, "
                    "hash = excluded.hash, max_wait = excluded.max_wait, "
                    "labels = excluded.labels, state = excluded.state, "
                    "set_by = excluded.set_by, set_at = excluded.set_at",
                    NULL, err, P_TEXT(set->name), P_INT(set->generation),
                    P_HASH(&asking->request->hash), P_INT(set->max_wait),
                    P_TEXT(labels), P_TEXT(state),
                    P_ID(&asking->signer.person.user),
                    P_TIME(set->entry.request.head.issued));
}

/* Who served the one before of that name has no more to say: the log tells so
 * by its generation. */
static int end_executors(struct asking *asking, struct err *err)
{
    const struct target_set *set = asking->request->payload;

    return PG(asking->daemon->postgres,
              "UPDATE services s SET revoked_at = $3 FROM targets t "
              "WHERE t.name = $1 AND t.generation < $2 AND s.target = t.name "
              "AND s.revoked_at IS NULL",
              NULL, err, P_TEXT(set->name), P_INT(set->generation),
              P_TIME(asking->decision.at));
}

/* Whether it may be waited for longer than before: by what was signed, so that
 * it is the same when the decision is told again. */
static int find_growth(struct asking *asking, const struct target_set *set,
                       bool *ret_grew, struct err *err)
{
    *ret_grew = false;
    if (hash_is_zero(&set->previous)) {
        return 0;
    }
    _cleanup_event_ struct event *event =
        source_event(asking->source, &set->previous, EVENT_TARGET_SET, err);
    if (event == NULL) {
        return -1;
    }
    const struct target_set *before = event->payload;
    *ret_grew = set->max_wait > before->max_wait;
    return 0;
}

int target_place(struct asking *asking, struct err *err)
{
    const struct target_set *set = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;
    bool grew;

    if (find_growth(asking, set, &grew, err) != 0) {
        return -1;
    }

    if (PG(asking->daemon->postgres,
           "SELECT longest_wait FROM targets WHERE name = $1 "
           "AND generation = $2 AND state <> 'removed'",
           &rows, err, P_TEXT(set->name), P_INT(set->generation)) != 0) {
        return -1;
    }
    if (rows_n(rows) > 0) {
        struct list *places = &asking->decision.places;
        asking_place(asking, set->name, set->generation,
                     row_int(rows, 0, "longest_wait"));
        list_at(places, struct place, places->n - 1).changed = grew;
    }
    return 0;
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
               ?: end_executors(asking, err)
               ?: store_set(asking, err)
               ?: target_place(asking, err)
               ?: closings_add(asking, err);
}

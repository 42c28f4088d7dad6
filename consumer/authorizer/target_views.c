/*
 * target_views.c: target.list, target.show: which targets there are, what they
 * are, and who serves them.
 *
 * Labels and state are the revocation log's word; who was heard and what is
 * free is what the recorder wrote down of the executors' newest hellos.
 */
#include <string.h>

#include "consumer/authorizer/handlers.h"
#include "model/target.h"

static int seen_of(const struct executor_row *executor, int64_t now)
{
    return executor->heard == 0                   ? SEEN_NEVER
           : executor->heard < now - SILENT_AFTER ? SEEN_SILENT
                                                  : SEEN_LIVE;
}

static void add_executor(struct target_row *target, const struct rows *rows,
                         size_t i, int64_t now)
{
    struct executor_row *executor =
        list_grow(&target->executors, sizeof(*executor));
    const char *version = row_text(rows, i, "version");
    int64_t slots = row_int(rows, i, "slots");
    int64_t busy = row_int(rows, i, "busy");

    *executor = (struct executor_row){
        .name = must_strdup(row_text(rows, i, "executor")),
        .heard = row_time(rows, i, "heard_at"),
        .slots = slots,
        .version = version == NULL ? NULL : must_strdup(version),
    };
    executor->seen = seen_of(executor, now);
    if (executor->seen == SEEN_LIVE) {
        executor->free = busy < slots ? slots - busy : 0;
        target->slots += slots;
        target->free += executor->free;
    }
    if (target->executors.n == 1 || executor->seen < target->seen) {
        target->seen = executor->seen;
    }
}

static struct target_row target_row_of(const struct asking *asking,
                                       const struct rows *rows, size_t i)
{
    const char *name = row_text(rows, i, "name");
    const struct place_standing *place =
        standing_place(asking_standing(asking), name);
    struct target_row row = {
        .name = must_strdup(name),
        .generation = row_int(rows, i, "generation"),
        .max_wait = row_int(rows, i, "max_wait"),
        .seen = SEEN_NEVER,
        .set = row_time(rows, i, "set_at"),
        .set_by = must_strdup(row_text(rows, i, "set_by")),
        .waiting = row_int(rows, i, "waiting"),
        .running = row_int(rows, i, "running"),
    };

    if (place != NULL) {
        pairs_add_all(&row.labels, &place->labels);
    }
    row.state = place == NULL ? TARGET_IN_USE : (int)place->state;
    return row;
}

/* One row for each executor of each target, or one where it has none. */
static void add_rows(const struct asking *asking, const struct rows *rows,
                     struct list *targets)
{
    struct target_row *target = NULL;

    for (size_t i = 0; i < rows_n(rows); i++) {
        if (target == NULL ||
            strcmp(target->name, row_text(rows, i, "name")) != 0) {
            target = list_grow(targets, sizeof(*target));
            *target = target_row_of(asking, rows, i);
        }
        if (!row_is_null(rows, i, "executor")) {
            add_executor(target, rows, i, asking->now);
        }
    }
}

/* $1: this one alone, or all; $2: how many. */
#define TARGETS(columns)                                                      \
    "SELECT t.name, t.generation, t.max_wait, t.set_at, u.email AS set_by, "  \
    "s.name AS executor, e.heard_at, e.slots, e.version, "                    \
    "cardinality(e.running) AS busy, " columns                                \
    " FROM (SELECT * FROM targets WHERE state <> 'removed' AND "              \
    "($1::text IS NULL OR name = $1::text) ORDER BY name LIMIT $2::integer) " \
    "t JOIN users u ON u.id = t.set_by LEFT JOIN (SELECT DISTINCT "           \
    "name, target FROM services WHERE kind = 'executor' "                     \
    "AND revoked_at IS NULL) s ON s.target = t.name "                         \
    "LEFT JOIN executors e ON e.name = s.name "                               \
    "AND e.target = t.name ORDER BY t.name, s.name"

#define OPEN(state)                                               \
    "(SELECT count(*) FROM execution_states x JOIN executions o " \
    "ON o.id = x.id AND NOT o.ended WHERE x.target = t.name "     \
    "AND x.generation = t.generation AND "                        \
    "x.state " state ")"

int on_target_list(struct asking *asking, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct targets_answer answer = {0};

    if (PG(asking->daemon->postgres,
           TARGETS("0::bigint AS waiting, 0::bigint AS running"), &rows, err,
           P_NULL, P_INT(ROWS_MAX)) != 0) {
        return -1;
    }
    add_rows(asking, rows, &answer.targets);
    return asking_answer_take(asking, &targets_answer_table, &answer, err);
}

int on_target_show(struct asking *asking, struct err *err)
{
    const struct target_named *named = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;
    struct list found = {0};

    if (PG(asking->daemon->postgres,
           TARGETS(OPEN("= 'waiting'") " AS waiting, " OPEN(
               "IN ('claimed', 'running')") " AS running"),
           &rows, err, P_TEXT(named->name), P_INT(1)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return standing_place(asking_standing(asking), named->name) == NULL
                   ? asking_refuse(asking, REPLY_NOT_FOUND,
                                   "there is no such target: submit target "
                                   "list")
                   : asking_refuse(asking, REPLY_NOT_FOUND,
                                   "target %s was removed: that is for good",
                                   named->name);
    }
    add_rows(asking, rows, &found);
    struct target_answer answer = {.target =
                                       list_at(&found, struct target_row, 0)};
    free(found.items);
    return asking_answer_take(asking, &target_answer_table, &answer, err);
}

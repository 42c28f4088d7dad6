/* turns.c: see turns.h. */
#include "consumer/authorizer/turns.h"

#include <string.h>

#include "consumer/authorizer/closings.h"

#define SHOWN 12 /* digits of a run's id that people are told */

int turn_lock(struct asking *asking, const struct id *command, struct err *err)
{
    return PG(asking->daemon->postgres,
              "SELECT FROM commands WHERE id = $1 FOR NO KEY UPDATE", NULL, err,
              P_ID(command));
}

/* The key, with the values that the script would find. */
static int turn_key(const struct order *order, struct hash *ret_key,
                    struct err *err)
{
    const struct command_save *save = order->command;
    struct list values = {0};

    if (arguments_check(&save->parameters, &order->run->arguments, &values,
                        err) != 0) {
        return -1;
    }
    *ret_key = pace_turn(&save->pace, &save->command, &values);
    pairs_done(&values);
    return 0;
}

static int refuse(struct asking *asking, const struct order *order,
                  const struct id *other)
{
    bool any = order->command->pace.concurrency_key == NULL;
    char id[ID_TEXT];

    id_format(other, id);
    const char *shown = id + strlen(id) - SHOWN;
    return asking_refuse(asking, REPLY_CONFLICT,
                         "run %s of %s goes on%s, and one at a time may: "
                         "submit watch %s",
                         shown, order->command->name,
                         any ? "" : " with the same values", shown);
}

int turn_take(struct asking *asking, const struct order *order,
              struct turn *ret_turn, struct err *err)
{
    const struct pace *pace = &order->command->pace;
    _cleanup_rows_ struct rows *rows = NULL;
    struct turn turn = {0};

    if (pace->concurrency == CONCURRENCY_ALLOW) {
        return 0;
    }
    if (order->command->approve.count > 0) { /* it takes it when approved */
        return turn_key(order, &ret_turn->key, err);
    }
    if (turn_key(order, &turn.key, err) != 0 ||
        turn_lock(asking, &order->command->command, err) != 0 ||
        PG(asking->daemon->postgres,
           "SELECT id FROM runs WHERE turn = $1 AND advancing "
           "ORDER BY place LIMIT 1",
           &rows, err, P_HASH(&turn.key)) != 0) {
        return -1;
    }
    turn.waits = rows_n(rows) > 0;
    if (turn.waits && pace->concurrency == CONCURRENCY_REFUSE) {
        struct id other = row_id(rows, 0, "id");
        return refuse(asking, order, &other);
    }
    turn.replaces = turn.waits && pace->concurrency == CONCURRENCY_REPLACE;
    *ret_turn = turn;
    return 0;
}

/* Their rows are held, so that nothing is tried again meanwhile. */
int turn_replace(struct asking *asking, const struct turn *turn,
                 struct err *err)
{
    const struct head *head = asking->request->payload;
    struct postgres *postgres = asking->daemon->postgres;

    if (!turn->replaces) {
        return 0;
    }
    return PG(postgres,
              "SELECT FROM runs WHERE turn = $1 AND advancing AND id <> $2 "
              "ORDER BY id FOR NO KEY UPDATE",
              NULL, err, P_HASH(&turn->key), P_ID(&head->id)) != 0 ||
                   PG(postgres,
                      "INSERT INTO cancellations (execution_id, request_id, "
                      "asked_at) SELECT e.id, $2, $3 FROM executions e "
                      "JOIN runs r ON r.id = e.run_id WHERE r.turn = $1 "
                      "AND r.advancing AND r.id <> $2 AND " CANCELLABLE
                      " ON CONFLICT DO NOTHING",
                      NULL, err, P_HASH(&turn->key), P_ID(&head->id),
                      P_TIME(asking->now)) != 0
               ? -1
               : closings_add(asking, err);
}

int turn_come(struct asking *asking, const struct id *run, bool *ret_come,
              struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT turn IS NULL OR run_ahead(id) = 0 AS come FROM runs "
           "WHERE id = $1",
           &rows, err, P_ID(run)) != 0) {
        return -1;
    }
    *ret_come = row_bool(rows, 0, "come");
    return 0;
}

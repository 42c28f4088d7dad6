/*
 * runs.c: showing a run, and its executions. Asking for one is start.c, ending
 * one cancels.c.
 */
#include <string.h>

#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/views.h"
#include "model/read.h"

static int state_of(const char *text)
{
    int state = word_value(&execution_state_words, text);

    return state == EXECUTION_NONE ? EXECUTION_ENDED : state;
}

/* What the recorder wrote as jsonb; stays all zero where there is none. */
static void set_usage(const char *json, struct usage *usage)
{
    struct err ignored = {0};

    if (json != NULL) {
        (void)table_decode(&usage_table, json, strlen(json), usage, &ignored);
    }
}

static struct execution_row execution_row_of(const struct rows *rows, size_t i,
                                             int64_t now)
{
    const char *outcome = row_text(rows, i, "outcome");
    const char *reason = row_text(rows, i, "reason");
    int64_t heard = row_time(rows, i, "heard");

    struct execution_row row = {
        .execution = row_id(rows, i, "id"),
        .target = must_strdup(row_text(rows, i, "target")),
        .attempt = row_int(rows, i, "attempt"),
        .state = state_of(row_text(rows, i, "state")),
        .outcome = outcome == NULL ? 0 : word_value(&outcome_words, outcome),
        .expires = row_time(rows, i, "expires"),
        .heard = heard,
        .silent = heard < now - SILENT_AFTER,
        .started = row_time(rows, i, "started_at"),
        .finished = row_time(rows, i, "finished_at"),
        .was_started = row_bool(rows, i, "was_started"),
        .exit = row_int(rows, i, "exit_status"),
        .signal = row_int(rows, i, "signal"),
        .chunks = row_int(rows, i, "chunks"),
        .dropped = row_int(rows, i, "dropped"),
        .reason = reason == NULL ? NULL : must_strdup(reason),
        .core = row_bool(rows, i, "core"),
        .cancelled = row_time(rows, i, "cancelled_at"),
        .due = row_time(rows, i, "due"),
    };
    set_usage(row_text(rows, i, "usage"), &row.usage);
    return row;
}

static int add_executions(struct asking *asking, struct run_answer *answer,
                          struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT s.*, c.asked_at AS cancelled_at, r.core, r.usage, "
           "(SELECT o.due FROM executions o WHERE o.id = s.id) AS due, "
           "(SELECT max(e.heard_at) FROM executors e "
           "WHERE e.target = s.target) AS heard FROM execution_states s "
           "LEFT JOIN cancellations c ON c.execution_id = s.id "
           "LEFT JOIN results r ON r.execution_id = s.id "
           "WHERE s.run_id = $1 ORDER BY s.target, s.attempt",
           &rows, err, P_ID(&answer->run.run)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct execution_row *to = list_grow(&answer->executions, sizeof(*to));
        *to = execution_row_of(rows, i, asking->now);
    }
    return 0;
}

static int answer_run(struct asking *asking, const struct id *run,
                      struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct run_answer answer = {0};

    if (PG(asking->daemon->postgres,
           "SELECT " RUN_COLUMNS ", r.attempts FROM runs r " RUN_JOINS
           "WHERE r.id = $1",
           &rows, err, P_ID(run)) != 0 ||
        run_row_of(rows, 0, &answer.run, err) != 0) {
        return -1;
    }
    answer.attempts = row_int(rows, 0, "attempts");
    if (add_executions(asking, &answer, err) != 0) {
        table_done(&run_answer_table, &answer);
        return -1;
    }
    return asking_answer_take(asking, &run_answer_table, &answer, err);
}

int on_run_show(struct asking *asking, struct err *err)
{
    const struct run_named *named = asking->request->payload;
    struct id run;

    return run_find(asking, named->run, &run, err)
               ?: answer_run(asking, &run, err);
}

/*
 * executions.c: all that this host holds, by id: each from its claim until its
 * `finished` is delivered.
 */
#include "consumer/executor/executor.h"

struct execution *execution_find(const struct executor *executor,
                                 const struct id *id)
{
    struct execution *execution = NULL;

    HASH_FIND(hh, executor->all, id->b, sizeof(id->b), execution);
    return execution;
}

struct execution *execution_new(struct executor *executor, const struct id *id,
                                const struct id *incarnation)
{
    struct execution *execution = must_calloc(1, sizeof(*execution));

    execution->id = *id;
    execution->incarnation = *incarnation;
    execution->serial = ++executor->serials;
    execution->output.fds[0] = -1;
    execution->output.fds[1] = -1;
    HASH_ADD(hh, executor->all, id.b, sizeof(id->b), execution);
    return execution;
}

void execution_free(struct executor *executor, struct execution *execution)
{
    HASH_DEL(executor->all, execution);
    envelope_done(&execution->dispatch);
    envelope_done(&execution->unsent);
    record_done(&execution->claim);
    output_done(&execution->output);
    table_done(&execution_finished_table, &execution->finished);
    free(execution);
}

size_t executions_active(const struct executor *executor)
{
    size_t n = 0;

    for (struct execution *e = executor->all; e != NULL; e = e->hh.next) {
        n += e->phase < PHASE_ENDED;
    }
    return n;
}

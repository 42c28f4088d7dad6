/*
 * tell.c: what an executor says: results, each numbered, chained, on this
 * host's disk before it is produced; the same, sealed, to who follows; and
 * hello.
 */
#include <string.h>

#include "base/clock.h"
#include "consumer/executor/executor.h"
#include "model/reply.h"
#include "model/result.h"

static char *source(const struct executor *executor)
{
    return must_printf("executor/%s", executor->daemon->name);
}

static struct head new_head(const struct executor *executor)
{
    return head_new(&executor->daemon->root, &executor->daemon->by,
                    clock_now());
}

static int produce(struct executor *executor, const struct envelope *envelope,
                   const char *topic, int64_t partition, const char *key,
                   uint64_t tag, struct err *err)
{
    _cleanup_record_ struct record record = {0};
    _cleanup_free_ char *from = source(executor);

    if (event_to_record(envelope, from, topic, partition, key, &record, err)) {
        return -1;
    }
    return kafka_writer_send(executor->daemon->writer, &record, tag, err);
}

/* A reply's record, sealed to the asker: nobody else reads it. */
static int send_sealed(struct executor *executor, struct execution *execution,
                       const struct envelope *reply, struct err *err)
{
    const struct asker *asker = &execution->asker;
    _cleanup_buf_ struct buf json = {0};
    struct sealed_reply sealed = {0};
    struct record record = {.topic = must_strdup("errand.replies"),
                            .partition = asker->reply.partition};
    char key[ID_TEXT];
    int done = -1;

    id_format(&asker->run, key);
    if (envelope_encode(reply, &json, err) == 0 &&
        box_seal(&asker->reply.box, json.data, json.len, &sealed.box) == 0 &&
        buf_adds(&record.key, key) == 0 &&
        table_encode(&sealed_reply_table, &sealed, &record.value, err) == 0) {
        record_header_add(&record, "content-type", "application/json");
        done = kafka_writer_send(executor->daemon->writer, &record,
                                 execution->serial | REPLY_TAG, err);
        execution->replies += done == 0;
    }
    table_done(&sealed_reply_table, &sealed);
    record_done(&record);
    return done;
}

/* The same result to who follows the run. The asker can do without (it asks
 * run.show), so what fails here, or waits for too long, is no reason to stop.
 */
static void tell_asker(struct executor *executor, struct execution *execution,
                       const struct envelope *result, bool last)
{
    struct asker *asker = &execution->asker;
    _cleanup_envelope_ struct envelope envelope = {0};
    struct err err = {0};
    struct reply reply = {.head = new_head(executor),
                          .to = asker->run,
                          .request = asker->request,
                          .part = asker->part,
                          .last = last,
                          .seq = asker->seq,
                          .log = asker->log,
                          .status = REPLY_RESULT};

    if (!asker->follows) {
        return;
    }
    if (execution->replies >= 4 * executor->share && !last) {
        asker->part++; /* which is then seen to be missing */
        return;
    }
    if (asker->part == 0) {
        reply.proof = executor->daemon->enrolment; /* lent */
    }
    if (envelope_encode(result, &reply.body, &err) == 0 &&
        event_sign(EVENT_REPLY, &reply, executor->daemon->keys, NULL, &envelope,
                   &err) == 0) {
        (void)send_sealed(executor, execution, &envelope, &err);
    }
    asker->part++;
    reply.proof = (struct list){0};
    table_done(&reply_table, &reply);
}

static int send_result(struct executor *executor, struct execution *execution,
                       const struct envelope *envelope, struct err *err)
{
    char key[ID_TEXT];

    id_format(&execution->id, key);
    if (produce(executor, envelope, "errand.results", PARTITION_BY_KEY, key,
                execution->serial, err) != 0) {
        return -1;
    }
    execution->undelivered++;
    return 0;
}

static struct result next_result(const struct executor *executor,
                                 const struct execution *execution)
{
    return (struct result){.head = new_head(executor),
                           .execution = execution->id,
                           .incarnation = execution->incarnation,
                           .number = execution->number,
                           .previous = execution->previous};
}

/* Signs, spools, sends; the chain goes on from here. */
static int tell(struct executor *executor, struct execution *execution,
                enum event_kind kind, const void *payload, struct err *err)
{
    _cleanup_envelope_ struct envelope envelope = {0};

    if (event_sign(kind, payload, executor->daemon->keys, NULL, &envelope,
                   err) != 0) {
        return -1;
    }
    if (spool_add(executor->spool, &execution->id, &envelope,
                  &execution->spooled, err) != 0) {
        room_lacks(executor);
        return -1;
    }
    execution->number++;
    execution->previous = envelope_hash(&envelope);
    tell_asker(executor, execution, &envelope, false);
    if (send_result(executor, execution, &envelope, err) != 0) {
        err->kind = ERR_FATAL; /* it's in the spool: the next life sends it */
        return -1;
    }
    return 0;
}

int tell_started(struct executor *executor, struct execution *execution,
                 struct err *err)
{
    struct execution_started started = {.result =
                                            next_result(executor, execution),
                                        .claim = execution->claim_offset};

    if (tell(executor, execution, EVENT_STARTED, &started, err) != 0) {
        return -1;
    }
    execution->said_started = true;
    return 0;
}

int tell_chunk(struct executor *executor, struct execution *execution,
               const struct chunk *chunk, struct err *err)
{
    struct execution_output output = {
        .result = next_result(executor, execution), .chunk = *chunk};

    if (tell(executor, execution, EVENT_OUTPUT, &output, err) != 0) {
        return -1;
    }
    execution->chunks++;
    return 0;
}

/* What the spawner said of it may end no more than this execution: a reason
 * that can't be told is left out. */
static int sign_finished(struct executor *executor,
                         struct execution_finished *finished,
                         struct envelope *ret_envelope, struct err *err)
{
    const struct key_pair *keys = executor->daemon->keys;

    if (event_sign(EVENT_FINISHED, finished, keys, NULL, ret_envelope, err) ==
        0) {
        return 0;
    }
    if (err->kind != ERR_REJECT || finished->reason == NULL) {
        return -1;
    }
    log_error(&executor->daemon->log, "a reason that can't be told",
              L_ERR(err));
    free(finished->reason);
    finished->reason = NULL;
    return event_sign(EVENT_FINISHED, finished, keys, NULL, ret_envelope, err);
}

int tell_finished(struct executor *executor, struct execution *execution,
                  struct err *err)
{
    struct execution_finished *finished = &execution->finished;
    _cleanup_envelope_ struct envelope envelope = {0};

    finished->result = next_result(executor, execution);
    finished->claim = execution->claim_offset;
    finished->chunks = execution->chunks + (int64_t)finished->output.n;
    finished->dropped = execution->output.dropped;
    if (sign_finished(executor, finished, &envelope, err) != 0) {
        return -1;
    }
    if (ledger_exit(executor->ledger, &execution->id, &execution->incarnation,
                    &envelope, err) != 0) {
        room_lacks(executor);
        return -1;
    }
    execution->phase = PHASE_ENDED;
    execution->unsent = envelope;
    envelope = (struct envelope){0};
    tell_asker(executor, execution, &execution->unsent, true);
    return 0;
}

int tell_unsent(struct executor *executor, struct execution *execution,
                struct err *err)
{
    if (send_result(executor, execution, &execution->unsent, err) != 0) {
        return -1; /* it stays unsent */
    }
    envelope_done(&execution->unsent);
    return 0;
}

int tell_again(struct executor *executor, struct execution *execution,
               const struct envelope *envelope, struct err *err)
{
    return send_result(executor, execution, envelope, err);
}

int tell_hello(struct executor *executor, struct err *err)
{
    struct executor_hello hello = {.head = new_head(executor),
                                   .name = (char *)executor->daemon->name,
                                   .target = (char *)executor->target,
                                   .incarnation = executor->incarnation,
                                   .slots = executor->slots,
                                   .version = (char *)ERRAND_VERSION};
    _cleanup_envelope_ struct envelope envelope = {0};
    int done = -1;

    for (struct execution *e = executor->all; e != NULL; e = e->hh.next) {
        struct id *id = list_grow(&hello.running, sizeof(*id));
        *id = e->id;
    }
    if (event_sign(EVENT_HELLO, &hello, executor->daemon->keys, NULL, &envelope,
                   err) == 0) {
        done =
            produce(executor, &envelope, "errand.executors", PARTITION_BY_KEY,
                    executor->daemon->name, HELLO_TAG, err);
    }
    executor->hello_waits = done == 0;
    free(hello.running.items);
    return done;
}

/*
 * recorder.c: errand-recorder: what the executors say, into PostgreSQL.
 *
 * In come errand.results, errand.executors, every target's claim log and, of
 * errand.events, what became of mails, read from positions in PostgreSQL; out
 * go rows, and errand.dead. An advisory lock says who works, the
 * compare-and-set on the positions who is right. Any error that may pass makes
 * it forget everything and begin again from the positions. This file is the
 * service row and the turn.
 */
#include "base/clock.h"
#include "consumer/recorder/recorder.h"

#define LOCK 0x657272616e6401 /* "errand", 1 */
#define STANDBY 500           /* ms between looks at the lock */
#define LOOK 1000             /* ms between looks for new targets */
#define LOOK_WIDE 60000       /* ms between looks for new partitions */
#define ASK 5000              /* ms for an answer of the broker */
#define LAG 10000             /* ms for records that are known to be there */
#define SETTLED 1000          /* ms after which an end is one */

static const struct config_key keys[] = {
    {.section = "recorder",
     .key = "batch",
     .kind = CONFIG_INT,
     .fallback = "1000",
     .min = 1,
     .max = 10000,
     .help = "records that are written in one transaction at most"},
};

static void close_reader(struct recorder *recorder,
                         struct kafka_reader **reader)
{
    if (*reader != NULL) {
        daemon_unwatch(recorder->daemon, *reader);
        kafka_reader_free(*reader);
        *reader = NULL;
    }
}

static void forget(struct recorder *recorder)
{
    batch_clear(&recorder->results_batch);
    batch_clear(&recorder->claims_batch);
    sources_done(&recorder->sources);
    close_reader(recorder, &recorder->sources.results);
    close_reader(recorder, &recorder->sources.claims);
    close_reader(recorder, &recorder->sources.asker);
    recorder->working = false;
}

static int start(struct daemon *daemon, struct err *err)
{
    struct recorder *recorder = must_calloc(1, sizeof(*recorder));

    (void)err;
    daemon->state = recorder;
    recorder->daemon = daemon;
    recorder->batch_max =
        (size_t)config_int(&daemon->config, "recorder", "batch");
    recorder->results_batch.items =
        must_calloc(recorder->batch_max, sizeof(struct item));
    recorder->claims_batch.items =
        must_calloc(recorder->batch_max, sizeof(struct item));
    recorder->speakers = speakers_new(&daemon->roots, daemon->postgres);
    return 0;
}

static void stop(struct daemon *daemon)
{
    struct recorder *recorder = daemon->state;

    forget(recorder);
    speakers_free(recorder->speakers);
    free(recorder->results_batch.items);
    free(recorder->claims_batch.items);
    free(recorder);
}

static struct kafka_reader *open_reader(struct recorder *recorder,
                                        struct err *err)
{
    struct list properties = kafka_unhurried(&recorder->daemon->kafka);
    struct kafka_reader *reader = kafka_reader_new(&properties, err);

    pairs_done(&properties);
    if (reader != NULL) {
        daemon_watch(recorder->daemon, reader);
    }
    return reader;
}

static int open_readers(struct recorder *recorder, struct err *err)
{
    struct sources *sources = &recorder->sources;

    sources->results = open_reader(recorder, err);
    sources->claims = open_reader(recorder, err);
    sources->asker = open_reader(recorder, err);
    return sources->results == NULL || sources->claims == NULL ||
                   sources->asker == NULL
               ? -1
               : 0;
}

/* Without the lock this one waits for whoever has it to go. */
static int stand_by(struct recorder *recorder)
{
    if (!recorder->told_standby) {
        log_info(&recorder->daemon->log,
                 "another recorder works: this one waits");
        recorder->told_standby = true;
    }
    daemon_ready(recorder->daemon);
    daemon_wait(recorder->daemon, NULL, 0, STANDBY);
    return 0;
}

static int begin(struct recorder *recorder, struct err *err)
{
    struct postgres *postgres = recorder->daemon->postgres;
    bool held = false;

    if (postgres_try_lock(postgres, LOCK, &held, err) != 0) {
        return -1;
    }
    if (!held) {
        return stand_by(recorder);
    }
    if (open_readers(recorder, err) != 0 ||
        sources_follow_results(&recorder->sources, postgres, err) != 0 ||
        sources_follow_claims(&recorder->sources, postgres, err) != 0) {
        return -1;
    }
    recorder->working = true;
    recorder->look_at = clock_steady() + LOOK;
    recorder->look_wide_at = clock_steady() + LOOK_WIDE;
    log_info(&recorder->daemon->log, "recording",
             L_INT("partitions", (int64_t)recorder->sources.list.n));
    daemon_ready(recorder->daemon);
    return 0;
}

static int record_claims(struct recorder *recorder, struct err *err)
{
    struct batch *batch = &recorder->claims_batch;
    int failed =
        batch_fill(recorder, recorder->sources.claims, batch, err) != 0 ||
        write_claims(recorder, batch, err) != 0;

    batch_clear(batch);
    return failed ? -1 : 0;
}

/* The offset of the claim that an event names; -1: it names none. */
static int64_t claim_named(const struct event *event)
{
    const struct execution_started *started = event->payload;
    const struct execution_finished *finished = event->payload;

    switch ((int)event->kind) {
    case EVENT_STARTED:
        return started->claim;
    case EVENT_FINISHED:
        return finished->claim;
    default:
        return -1;
    }
}

/* The log in which an execution was claimed, where we can tell. */
static int find_log(struct recorder *recorder, const struct item *item,
                    struct source **ret_log, struct err *err)
{
    const struct result *result = item->event->payload;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(recorder->daemon->postgres,
           "SELECT target, generation FROM executions WHERE id = $1", &rows,
           err, P_ID(&result->execution)) != 0) {
        return -1;
    }
    bool known = rows_n(rows) == 1;
    const char *target =
        known ? row_text(rows, 0, "target") : item->speaker.target;
    int64_t generation =
        known ? row_int(rows, 0, "generation") : item->speaker.generation;
    *ret_log = sources_log(&recorder->sources, target, generation);
    if (*ret_log == NULL) {
        if (sources_follow_claims(&recorder->sources,
                                  recorder->daemon->postgres, err) != 0) {
            return -1;
        }
        *ret_log = sources_log(&recorder->sources, target, generation);
    }
    return 0;
}

/* Records the log through this offset, which it has. An offset at its end that
 * never comes is no record (a transaction's marker). */
static int read_through(struct recorder *recorder, const struct source *log,
                        int64_t offset, struct err *err)
{
    int64_t begun = clock_steady();

    while (log->next <= offset) {
        int fd = kafka_reader_fd(recorder->sources.claims);
        int64_t waited = clock_steady() - begun;
        if (waited > SETTLED &&
            kafka_reader_at_end(recorder->sources.claims, log->topic, 0)) {
            return 0;
        }
        if (waited > LAG || daemon_ending(recorder->daemon)) {
            return err_set(err, ERR_RETRY,
                           "%s: the record at %lld does not "
                           "come",
                           log->topic, (long long)offset);
        }
        daemon_wait(recorder->daemon, &fd, 1, 100);
        if (record_claims(recorder, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Before a result is judged, the claim that it names has been recorded. */
static int await_claim(struct recorder *recorder, struct item *item,
                       struct err *err)
{
    const struct speaker *speaker = &item->speaker;
    int64_t offset = claim_named(item->event);
    struct source *log =
        sources_log(&recorder->sources, speaker->target, speaker->generation);
    int64_t low = 0;
    int64_t high = 0;

    if (offset < 0 || (log != NULL && log->next > offset)) {
        return 0;
    }
    if (find_log(recorder, item, &log, err) != 0) {
        return -1;
    }
    if (log == NULL || log->next > offset) {
        return 0;
    }
    if (kafka_bounds(recorder->sources.asker, log->topic, 0, ASK, &low, &high,
                     err)) {
        return -1;
    }
    if (offset >= high) {
        (void)err_set(&item->reason, ERR_REJECT,
                      "it names a claim beyond the "
                      "end of %s",
                      log->topic);
        return 0;
    }
    return read_through(recorder, log, offset, err);
}

static int record_results(struct recorder *recorder, struct err *err)
{
    struct batch *batch = &recorder->results_batch;
    int failed = batch_fill(recorder, recorder->sources.results, batch, err);

    for (size_t i = 0; i < batch->n && !failed; i++) {
        struct item *item = &batch->items[i];
        failed = item->speaker.kind != SERVICE_NONE &&
                 await_claim(recorder, item, err) != 0;
    }
    failed = failed || write_results(recorder, batch, err) != 0;
    batch_clear(batch);
    return failed ? -1 : 0;
}

/* Now and then: new targets, new partitions, and how far we have read of those
 * where nothing comes. */
static int look_around(struct recorder *recorder, struct err *err)
{
    struct postgres *postgres = recorder->daemon->postgres;
    int64_t now = clock_steady();

    if (now < recorder->look_at) {
        return 0;
    }
    recorder->look_at = now + LOOK;
    if (now >= recorder->look_wide_at) {
        recorder->look_wide_at = now + LOOK_WIDE;
        if (sources_follow_results(&recorder->sources, postgres, err) != 0) {
            return -1;
        }
    }
    return sources_follow_claims(&recorder->sources, postgres, err) != 0
               ? -1
               : sources_freshen(&recorder->sources, postgres, err);
}

static int work(struct recorder *recorder, struct err *err)
{
    if (!recorder->working) {
        return begin(recorder, err);
    }
    int fds[] = {kafka_reader_fd(recorder->sources.results),
                 kafka_reader_fd(recorder->sources.claims)};
    int64_t left = recorder->look_at - clock_steady();
    daemon_wait(recorder->daemon, fds, ARRAY_SIZE(fds),
                left < 0 ? 0 : (int)left);
    return record_claims(recorder, err) != 0 ||
                   record_results(recorder, err) != 0 ||
                   look_around(recorder, err) != 0
               ? -1
               : 0;
}

static int turn(struct daemon *daemon, struct err *err)
{
    struct recorder *recorder = daemon->state;
    int failed = work(recorder, err);

    if (failed) {
        forget(recorder);
    }
    return failed;
}

static const struct service recorder_service = {
    .name = "errand-recorder",
    .kind = SERVICE_RECORDER,
    .postgres = true,
    .keys = keys,
    .n_keys = ARRAY_SIZE(keys),
    .start = start,
    .turn = turn,
    .stop = stop,
};

int main(int argc, char **argv)
{
    return service_main(&recorder_service, argc, argv);
}

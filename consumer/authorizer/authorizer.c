/*
 * authorizer.c: the daemon that decides: its row, its start, its turn.
 *
 * In come signed requests (errand.requests, by a consumer group), out go
 * dispatches, sealed replies and events, and errand.dead for what nobody known
 * has signed. Nothing is said before it is in PostgreSQL; nothing that is there
 * is decided twice. A batch is what is there now: it never waits to be full.
 */
#include "consumer/authorizer/authorizer.h"

#include "base/clock.h"
#include "consumer/authorizer/ends.h"
#include "consumer/authorizer/factor_key.h"
#include "consumer/authorizer/retention.h"
#include "model/parameter.h"

#define ASK_MS 3000
#define IDLE_MS 1000 /* a group wants to be polled once a second */

struct state {
    struct authorizer authorizer;
    struct requests batch;
    size_t max; /* records in a batch */
};

static const struct config_key keys[] = {
    {"authorizer", "batch", CONFIG_INT, .fallback = "500", .min = 1,
     .max = 10000, .help = "records that are decided in one transaction"},
    {"authorizer", "notices", CONFIG_INT, .fallback = "3", .min = 1,
     .max = 1000000,
     .help = "mails to one address about one command's ends, within …"},
    {"authorizer", "notices_in", CONFIG_DURATION, .fallback = "1h", .min = 1,
     .max = 7 * 86400,
     .help = "… this time: what comes beyond is held back, and the next mail "
             "says how many were"},
    {"authorizer", "retention", CONFIG_DURATION, .fallback = "1h", .min = 1,
     .max = 86400,
     .help = "how often it looks which months are to be made or dropped"},
    {"authorizer", "factor_key", CONFIG_TEXT,
     .help = "the file of the key that second factors are stored under, the "
             "same for all authorizers (factor.key beside [service] key; made "
             "at the first start)"},
};

/* The topics that every answer needs, known before the first. */
static int know_topics(struct authorizer *authorizer, struct err *err)
{
    static const char *const topics[] = {"errand.replies", "errand.events",
                                         "errand.revocations", "errand.dead"};
    struct kafka_writer *writer = authorizer->daemon->writer;

    for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
        if (kafka_writer_know(writer, topics[i], ASK_MS, err) != 0) {
            return -1;
        }
    }
    return kafka_partitions(authorizer->reader, topics[0], ASK_MS,
                            &authorizer->reply_partitions, err);
}

static int start(struct daemon *daemon, struct err *err)
{
    struct state *state = must_calloc(1, sizeof(*state));
    struct authorizer *authorizer = &state->authorizer;

    daemon->state = state;
    state->max = (size_t)config_int(&daemon->config, "authorizer", "batch");
    authorizer->daemon = daemon;
    authorizer->source = source_new(daemon->postgres);
    authorizer->chains = chains_new();
    authorizer->factor_key = factor_key_open(daemon, err);
    if (authorizer->factor_key == NULL ||
        installation_store(authorizer, err) != 0) {
        return -1;
    }
    authorizer->reader = kafka_group_new(&daemon->kafka, "errand-authorizer",
                                         "errand.requests", err);
    if (authorizer->reader == NULL || know_topics(authorizer, err) != 0 ||
        revocations_start(authorizer, err) != 0) {
        return -1;
    }
    daemon_watch(daemon, authorizer->reader);
    daemon_ready(daemon);
    return 0;
}

static void stop(struct daemon *daemon)
{
    struct state *state = daemon->state;

    if (state->authorizer.reader != NULL) {
        daemon_unwatch(daemon, state->authorizer.reader);
        kafka_reader_free(state->authorizer.reader);
    }
    requests_clear(&state->batch);
    source_free(state->authorizer.source);
    chains_free(state->authorizer.chains);
    standing_free(state->authorizer.revocations.standing);
    factor_key_free(state->authorizer.factor_key);
    texts_done(&state->authorizer.known);
    rows_free(state->authorizer.ends);
    free(state);
}

/* Adds what is there now, up to a batch. */
static int take(struct state *state, struct err *err)
{
    struct requests *batch = &state->batch;

    while (batch->items.n < state->max) {
        struct record record = {0};
        int got = kafka_reader_poll(state->authorizer.reader, 0, &record, err);
        if (got <= 0) {
            return got;
        }
        struct item *item = list_grow(&batch->items, sizeof(*item));
        item->record = record;
    }
    return 0;
}

static int take_or_wait(struct daemon *daemon, struct state *state, bool busy,
                        struct err *err)
{
    int fd = kafka_reader_fd(state->authorizer.reader);

    if (take(state, err) != 0) {
        return -1;
    }
    if (state->batch.items.n > 0) {
        return 0;
    }
    daemon_wait(daemon, &fd, 1,
                busy || state->authorizer.look_at == 0 ? 0 : IDLE_MS);
    return take(state, err);
}

static int turn(struct daemon *daemon, struct err *err)
{
    struct state *state = daemon->state;
    struct authorizer *authorizer = &state->authorizer;
    struct requests *batch = &state->batch;

    if (clock_now() > authorizer->until) {
        (void)err_set(err, ERR_FATAL,
                      "the enrolment has ended: have the root "
                      "key enrol this authorizer anew");
        return daemon_no_more(err);
    }
    if (standing_service_revoked(authorizer->revocations.standing,
                                 &daemon->by)) {
        (void)err_set(err, ERR_FATAL,
                      "this authorizer's enrolment was revoked");
        return daemon_no_more(err);
    }
    if (!batch->decided &&
        take_or_wait(daemon, state, retention_tick(authorizer), err) != 0) {
        return -1;
    }
    if (batch->items.n == 0) { /* another authorizer may have revoked us */
        return revocations_refresh(daemon, &authorizer->revocations, err) != 0
                   ? -1
                   : ends_tell(authorizer, err);
    }
    if ((!batch->decided && requests_decide(authorizer, batch, err) != 0) ||
        requests_deliver(authorizer, batch, err) != 0) {
        return -1;
    }
    requests_clear(batch);
    return ends_tell(authorizer, err);
}

static const struct service authorizer = {
    .name = "errand-authorizer",
    .kind = SERVICE_AUTHORIZER,
    .postgres = true,
    .keys = keys,
    .n_keys = ARRAY_SIZE(keys),
    .start = start,
    .turn = turn,
    .stop = stop,
};

int main(int argc, char **argv)
{
    return service_main(&authorizer, argc, argv);
}

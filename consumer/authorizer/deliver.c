/*
 * deliver.c: sending what is decided, once it is in PostgreSQL; see
 * authorizer.h.
 *
 * Nothing here decides anything: a crash in between makes the next life read
 * the same requests, find them decided, and send the same again.
 */
#include <stdio.h>
#include <string.h>

#include "consumer/authorizer/authorizer.h"
#include "model/parameter.h"
#include "model/target.h"

#define ASK_MS 3000   /* for an answer of the broker about topics */
#define FLUSH_MS 1000 /* then the log says what it waits for */

static int make_topic(const struct authorizer *authorizer, const char *topic,
                      int64_t retention_s, struct err *err)
{
    char retention[24];
    struct list config = {0};

    (void)snprintf(retention, sizeof(retention), "%lld",
                   (long long)retention_s * 1000);
    pairs_add(&config, "cleanup.policy", "delete");
    pairs_add(&config, "message.timestamp.type", "LogAppendTime");
    pairs_add(&config, "retention.ms", retention);
    int failed = kafka_topic_make(authorizer->daemon->writer, topic, 1, &config,
                                  ASK_MS, err);
    pairs_done(&config);
    return failed;
}

/* How long they keep what is in them, of the longest wait: a claim must outlive
 * every dispatch that it answers. What goes in steps is dispatched for longer
 * than its target waits (pace_life()), so that counts as a day at least. */
#define CLAIMS_KEPT 3
#define DISPATCHES_KEPT 2
#define WAIT_LEAST TARGET_WAIT_DEFAULT

static int64_t kept_s(const struct place *place, int64_t times)
{
    return times *
           (place->max_wait < WAIT_LEAST ? WAIT_LEAST : place->max_wait);
}

static int keep_longer(const struct authorizer *authorizer,
                       const struct place *place, const char *topic,
                       int64_t times, struct err *err)
{
    return kafka_topic_keep(authorizer->daemon->writer, topic, "retention.ms",
                            kept_s(place, times) * 1000, ASK_MS, err);
}

/* A target's longest wait grew: its topics are there. */
static int keep_both_longer(const struct authorizer *authorizer,
                            const struct place *place, const char *dispatches,
                            struct err *err)
{
    _cleanup_free_ char *claims =
        claims_topic(place->target, place->generation);

    return keep_longer(authorizer, place, claims, CLAIMS_KEPT, err) != 0
               ? -1
               : keep_longer(authorizer, place, dispatches, DISPATCHES_KEPT,
                             err);
}

/* The claims' first: where the dispatches' is there, both are. */
static int make_topics(const struct authorizer *authorizer,
                       const struct place *place, const char *dispatches,
                       struct err *err)
{
    _cleanup_free_ char *claims =
        claims_topic(place->target, place->generation);

    if (make_topic(authorizer, claims, kept_s(place, CLAIMS_KEPT), err) != 0 ||
        make_topic(authorizer, dispatches, kept_s(place, DISPATCHES_KEPT),
                   err) != 0) {
        return -1;
    }
    log_info(&authorizer->daemon->log, "made a target's topics",
             L_TEXT("target", place->target));
    return 0;
}

static int ensure_there(struct authorizer *authorizer,
                        const struct place *place, const char *topic,
                        struct err *err)
{
    struct kafka_writer *writer = authorizer->daemon->writer;

    if (texts_hold(&authorizer->known, topic)) {
        return 0;
    }
    if (kafka_writer_know(writer, topic, ASK_MS, err) != 0) {
        if (err->kind != ERR_REJECT ||
            make_topics(authorizer, place, topic, err) != 0) {
            return -1;
        }
        if (kafka_writer_know(writer, topic, ASK_MS, err) != 0) {
            err->kind = ERR_RETRY; /* it takes a moment to be seen */
            return -1;
        }
    }
    texts_add(&authorizer->known, topic);
    return 0;
}

static int ensure_place(struct authorizer *authorizer,
                        const struct place *place, struct err *err)
{
    _cleanup_free_ char *topic =
        dispatch_topic(place->target, place->generation);

    if (ensure_there(authorizer, place, topic, err) != 0) {
        return -1;
    }
    return place->changed ? keep_both_longer(authorizer, place, topic, err) : 0;
}

static int send_record(const struct authorizer *authorizer,
                       const struct record *record, struct err *err)
{
    if (kafka_writer_send(authorizer->daemon->writer, record, 0, err) == 0) {
        return 0;
    }
    if (err->kind != ERR_REJECT) {
        return -1;
    }
    log_error(&authorizer->daemon->log, "not sent", L_ERR(err));
    return 0;
}

/* A record that the broker won't have is told of, and doesn't hold up the
 * others: its asker asks again, its execution expires. */
static int flush(const struct authorizer *authorizer, struct err *err)
{
    while (kafka_writer_flush(authorizer->daemon->writer, FLUSH_MS, err) != 0) {
        if (err->kind != ERR_REJECT) {
            return -1;
        }
        log_error(&authorizer->daemon->log, "not delivered", L_ERR(err));
    }
    return 0;
}

/* Replies and dispatches are waited for; a broker takes what comes over one
 * connection in turn, so what is told to everybody comes after them. */
enum { ROUND_AWAITED, ROUND_TOLD, ROUNDS };

static size_t round_of(const struct record *record)
{
    return strcmp(record->topic, "errand.events") == 0 ? ROUND_TOLD
                                                       : ROUND_AWAITED;
}

static int prepare_item(struct authorizer *authorizer, const struct item *item,
                        struct err *err)
{
    const struct decided *decided = &item->decided;

    if (decided->dead.kind != ERR_NONE) {
        return daemon_dead(authorizer->daemon, &item->record, &decided->dead,
                           err);
    }
    for (size_t i = 0; i < decided->places.n; i++) {
        if (ensure_place(authorizer,
                         &list_at(&decided->places, struct place, i), err)) {
            return -1;
        }
    }
    return 0;
}

static int deliver_item(struct authorizer *authorizer, struct requests *batch,
                        const struct item *item, struct err *err)
{
    const struct list *out = &item->decided.out;

    if (batch->round == ROUND_AWAITED && batch->out == 0 &&
        prepare_item(authorizer, item, err) != 0) {
        return -1;
    }
    for (; batch->out < out->n; batch->out++) {
        const struct record *record = &list_at(out, struct record, batch->out);
        if (round_of(record) == batch->round &&
            send_record(authorizer, record, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int deliver_round(struct authorizer *authorizer, struct requests *batch,
                         struct err *err)
{
    for (; batch->item < batch->items.n; batch->item++, batch->out = 0) {
        if (deliver_item(authorizer, batch,
                         &list_at(&batch->items, struct item, batch->item),
                         err) != 0) {
            return -1;
        }
    }
    return flush(authorizer, err);
}

static bool is_last_of_partition(const struct requests *batch, size_t i)
{
    const struct record *record =
        &list_at(&batch->items, struct item, i).record;

    for (size_t j = i + 1; j < batch->items.n; j++) {
        if (list_at(&batch->items, struct item, j).record.partition ==
            record->partition) {
            return false;
        }
    }
    return true;
}

static void tell_group(const struct authorizer *authorizer,
                       const struct requests *batch)
{
    for (size_t i = 0; i < batch->items.n; i++) {
        const struct record *record =
            &list_at(&batch->items, struct item, i).record;
        if (is_last_of_partition(batch, i)) {
            kafka_group_done(authorizer->reader, record->topic,
                             record->partition, record->offset + 1);
        }
    }
}

/* What was taken away is in the log before anybody is told of it. */
int requests_deliver(struct authorizer *authorizer, struct requests *batch,
                     struct err *err)
{
    if (revocations_publish(authorizer, err) != 0) {
        return -1;
    }
    for (; batch->round < ROUNDS; batch->round++, batch->item = 0) {
        if (deliver_round(authorizer, batch, err) != 0) {
            return -1;
        }
    }
    tell_group(authorizer, batch);
    return 0;
}

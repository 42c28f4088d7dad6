/* batch.c: batches of records; see recorder.h. */
#include <stdio.h>
#include <string.h>

#include "consumer/recorder/recorder.h"

#define BATCH_BYTES (16U << 20)

static void item_done(struct item *item)
{
    record_done(&item->record);
    event_free(item->event);
    *item = (struct item){.source = NULL};
}

void batch_clear(struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        item_done(&batch->items[i]);
    }
    batch->n = 0;
    batch->bytes = 0;
}

static bool is_fate(enum event_kind kind)
{
    return kind == EVENT_MAIL_SENT || kind == EVENT_MAIL_DELAYED ||
           kind == EVENT_MAIL_REFUSED;
}

/* On errand.events most is for others, and may be newer than this build: what
 * doesn't say that it is a mail's fate is passed over unread. */
static bool is_for_others(const struct item *item)
{
    const char *type = record_header(&item->record, "ce_type", 0);
    int kind = type == NULL ? -1 : event_kind(type);

    return strcmp(item->source->topic, EVENTS_TOPIC) == 0 &&
           (kind < 0 || !is_fate((enum event_kind)kind));
}

/* What may stand in a source. */
static bool belongs(const struct source *source, enum event_kind kind)
{
    if (source->place.generation != 0) {
        return kind == EVENT_CLAIM;
    }
    if (strcmp(source->topic, EVENTS_TOPIC) == 0) {
        return is_fate(kind);
    }
    return strcmp(source->topic, EXECUTORS_TOPIC) == 0
               ? kind == EVENT_HELLO
               : kind == EVENT_STARTED || kind == EVENT_OUTPUT ||
                     kind == EVENT_FINISHED;
}

/* What it is, and who signed it. -1: not that this is bad, but that it could
 * not be found out. */
static int identify(struct recorder *recorder, struct item *item,
                    struct err *err)
{
    struct err *reason = &item->reason;

    item->others = is_for_others(item);
    if (item->others) {
        return 0;
    }
    item->event = event_from_record(&item->record, reason);
    if (item->event != NULL && !belongs(item->source, item->event->kind)) {
        (void)err_set(reason, ERR_REJECT, "a %s does not belong here",
                      item->event->envelope.type);
    } else if (item->event != NULL) {
        (void)speaker_find(recorder->speakers, item->event,
                           item->record.timestamp, &item->speaker, reason);
    }
    if (item->speaker.kind != SERVICE_NONE || reason->kind == ERR_REJECT) {
        return 0;
    }
    *err = *reason;
    return -1;
}

/* 1: one was added or passed over; 0: none is there. */
static int take_one(struct recorder *recorder, struct kafka_reader *reader,
                    struct batch *batch, struct err *err)
{
    struct item item = {.source = NULL};
    int got = kafka_reader_poll(reader, 0, &item.record, err);

    if (got <= 0) {
        return got;
    }
    item.source = sources_find(&recorder->sources, item.record.topic,
                               item.record.partition);
    int new = item.source == NULL
                  ? 0
                  : source_take(item.source, &item.record, &item.hash, err);
    if (new <= 0 || identify(recorder, &item, err) != 0) {
        item_done(&item);
        return new == 0 ? 1 : -1;
    }
    batch->bytes += item.record.value.len;
    batch->items[batch->n++] = item;
    return 1;
}

int batch_fill(struct recorder *recorder, struct kafka_reader *reader,
               struct batch *batch, struct err *err)
{
    int got = 1;

    while (got > 0 && batch->n < recorder->batch_max &&
           batch->bytes < BATCH_BYTES) {
        got = take_one(recorder, reader, batch, err);
    }
    return got < 0 ? -1 : 0;
}

int bury(struct recorder *recorder, struct item *items, size_t n,
         struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct item *item = &items[i];
        if (item->verdict != VERDICT_DEAD || item->buried) {
            continue;
        }
        if (daemon_dead(recorder->daemon, &item->record, &item->reason, err)) {
            return -1;
        }
        item->buried = true;
    }
    return 0;
}

int write_row(struct recorder *recorder, const struct row *row, struct err *err)
{
    return postgres_query(recorder->daemon->postgres, row->statement,
                          row->params, row->n, NULL, err);
}

int write_positions(struct recorder *recorder, const struct item *items,
                    size_t n, struct err *err)
{
    struct postgres *postgres = recorder->daemon->postgres;

    for (size_t i = 0; i < n; i++) {
        source_pend(items[i].source, &items[i].record, &items[i].hash);
    }
    int failed = sources_save(&recorder->sources, postgres, err) != 0 ||
                 postgres_commit(postgres, err) != 0;
    sources_saved(&recorder->sources, !failed);
    return failed ? -1 : 0;
}

int write_batch(struct recorder *recorder, struct batch *batch,
                write_items *write, struct err *err)
{
    int failed =
        batch->n == 0 ? 0 : write(recorder, batch->items, batch->n, err);

    if (!failed || err->kind != ERR_REJECT) {
        return failed;
    }
    for (size_t i = 0; i < batch->n; i++) {
        struct item *item = &batch->items[i];
        err_clear(err);
        failed = write(recorder, item, 1, err);
        if (failed && err->kind == ERR_REJECT) {
            item->reason = *err;
            item->refused = true;
            failed = write(recorder, item, 1, err);
        }
        if (failed) {
            return -1;
        }
    }
    return 0;
}

/*
 * notifier.h: what the notifier's files share: its state, and the way of a
 * mail: asked for (inbox.c), sent (notifier.c), its fate told (fates.c).
 */
#pragma once

#include "consumer/notifier/letter.h"
#include "consumer/notifier/outbox.h"
#include "consumer/notifier/road.h"
#include "service.h"

#define EVENTS_TOPIC "errand.events"

struct notifier {
    struct daemon *daemon;
    struct kafka_reader *reader;
    uint64_t changes; /* of what the group gives: as the outbox knows it */
    struct outbox *outbox;
    struct roads roads;
    struct record held; /* for errand.dead … */
    struct err reason;  /* … since */
};

/* Takes what is there from errand.events into the outbox. RETRY: a bad record
 * is not in errand.dead yet. */
int news_take(struct notifier *notifier, struct err *err);

/* Tells what is decided; mail.delayed at once. */
int fates_tell(struct notifier *notifier, struct err *err);
int fate_delayed(struct notifier *notifier, const struct mail *mail,
                 struct err *err);

/* What was told is on Kafka, or (err) is not. */
void fate_delivered(void *arg, uint64_t tag, const struct err *err);

/* A fate that a notifier told: strikes the mail out. REJECT: not to be
 * believed. */
int fate_read(struct notifier *notifier, const struct event *event,
              int64_t moment, struct err *err);

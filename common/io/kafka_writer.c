/*
 * kafka_writer.c: writing to topics; see kafka.h.
 *
 * Every record stays here until its delivery is known. When librdkafka's
 * idempotent producer declares itself dead (it may, since 2.0.2 does so for
 * messages that were possibly stored), a new one takes its place and what was
 * not known to be delivered is sent again, in order: such a record may then be
 * there twice, with the same id.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "io/kafka_private.h"
#include "model/parameter.h"

#define RECORD_MAX 1000000 /* librdkafka's message.max.bytes, below a MiB */

struct sent {
    struct sent *before;
    struct sent *after;
    uint64_t tag;
    struct record record;
};

struct kafka_writer {
    struct client client;
    struct list properties; /* struct pair */
    kafka_delivered *delivered;
    void *arg;
    struct sent *first; /* not known to be delivered, oldest first */
    struct sent *last;
    bool closing;
    struct err failed; /* the first failure since the last flush */
};

static const struct setting writer_settings[] = {
    {"queue.buffering.max.ms", "0", DEFAULT},
    {"message.timeout.ms", "0", DEFAULT}, /* never: who calls gives up */
    {"retry.backoff.ms", "20", DEFAULT},
    {"topic.metadata.refresh.fast.interval.ms", "20", DEFAULT},
    {"enable.idempotence", "true", FIXED},
    {"acks", "all", FIXED},
    {"partitioner", "murmur2_random", FIXED},
};

static void sent_append(struct kafka_writer *writer, struct sent *sent)
{
    sent->before = writer->last;
    sent->after = NULL;
    *(writer->last == NULL ? &writer->first : &writer->last->after) = sent;
    writer->last = sent;
}

static void sent_drop(struct kafka_writer *writer, struct sent *sent)
{
    *(sent->before == NULL ? &writer->first : &sent->before->after) =
        sent->after;
    *(sent->after == NULL ? &writer->last : &sent->after->before) =
        sent->before;
    record_done(&sent->record);
    free(sent);
}

static void tell(struct kafka_writer *writer, struct sent *sent,
                 rd_kafka_resp_err_t code)
{
    struct err err = {0};
    uint64_t tag = sent->tag;

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)kafka_fail(&err, code, "writing to %s", sent->record.topic);
        if (writer->failed.kind == ERR_NONE) {
            writer->failed = err;
        }
    }
    sent_drop(writer, sent);
    if (writer->delivered != NULL) {
        writer->delivered(writer->arg, tag, err.kind == ERR_NONE ? NULL : &err);
    }
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message,
                        void *opaque)
{
    struct kafka_writer *writer = opaque;

    /* After the producer's death no failure means anything: sent again. */
    if (!writer->closing &&
        (message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
         rd_kafka_fatal_error(rk, NULL, 0) == RD_KAFKA_RESP_ERR_NO_ERROR)) {
        tell(writer, message->_private, message->err);
    }
}

static int writer_open(struct kafka_writer *writer, struct err *err)
{
    rd_kafka_conf_t *conf = conf_new(&writer->properties, writer_settings,
                                     ARRAY_SIZE(writer_settings), err);

    if (conf == NULL) {
        return -1;
    }
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    return client_open(&writer->client, RD_KAFKA_PRODUCER, conf, err);
}

static void writer_close(struct kafka_writer *writer)
{
    writer->closing = true;
    client_done(&writer->client);
    if (writer->client.rk != NULL) {
        (void)rd_kafka_purge(writer->client.rk,
                             RD_KAFKA_PURGE_F_QUEUE |
                                 RD_KAFKA_PURGE_F_INFLIGHT |
                                 RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_destroy(writer->client.rk);
    }
    writer->client.rk = NULL;
    writer->closing = false;
}

struct kafka_writer *kafka_writer_new(const struct list *properties,
                                      kafka_delivered *delivered, void *arg,
                                      struct err *err)
{
    struct kafka_writer *writer = must_calloc(1, sizeof(*writer));

    writer->client.fd = -1;
    writer->delivered = delivered;
    writer->arg = arg;
    pairs_add_all(&writer->properties, properties);
    if (writer_open(writer, err) != 0) {
        kafka_writer_free(writer);
        return NULL;
    }
    return writer;
}

void kafka_writer_free(struct kafka_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    writer_close(writer);
    while (writer->first != NULL) {
        sent_drop(writer, writer->first);
    }
    pairs_done(&writer->properties);
    cleanup_close(&writer->client.fd);
    free(writer);
}

/* librdkafka points into the record, which stays until it is delivered. */
static rd_kafka_resp_err_t produce(struct kafka_writer *writer,
                                   struct sent *sent)
{
    struct record *record = &sent->record;
    rd_kafka_headers_t *headers = record_headers(record);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        writer->client.rk, RD_KAFKA_V_TOPIC(record->topic),
        RD_KAFKA_V_PARTITION((int32_t)record->partition),
        RD_KAFKA_V_KEY(record->key.data, record->key.len),
        RD_KAFKA_V_VALUE(record->value.data, record->value.len),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(sent), RD_KAFKA_V_END);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_headers_destroy(headers); /* only taken where it went well */
    }
    return code;
}

/* A new producer in the place of a dead one, and all that is not delivered. */
static int renew(struct kafka_writer *writer, struct err *err)
{
    writer_close(writer);
    err_clear(&writer->client.fatal);
    if (writer_open(writer, err) != 0) {
        return -1;
    }
    for (struct sent *sent = writer->first; sent != NULL; sent = sent->after) {
        (void)client_know(&writer->client, sent->record.topic, err);
        rd_kafka_resp_err_t code = produce(writer, sent);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            (void)kafka_fail(err, code, "writing to %s again",
                             sent->record.topic);
            err->kind = ERR_FATAL;
            return -1;
        }
    }
    return 0;
}

static int renew_if_dead(struct kafka_writer *writer, struct err *err)
{
    bool dead = writer->client.rk == NULL ||
                rd_kafka_fatal_error(writer->client.rk, NULL, 0) !=
                    RD_KAFKA_RESP_ERR_NO_ERROR;

    return dead ? renew(writer, err) : 0;
}

struct client *writer_client(struct kafka_writer *writer, struct err *err)
{
    return renew_if_dead(writer, err) == 0 ? &writer->client : NULL;
}

int kafka_writer_send(struct kafka_writer *writer, const struct record *record,
                      uint64_t tag, struct err *err)
{
    size_t size = record_size(record);
    struct record copy;

    if (size > RECORD_MAX) {
        return err_set(err, ERR_REJECT,
                       "writing to %s: the record has %zu bytes; at most %d "
                       "can be sent",
                       record->topic, size, RECORD_MAX);
    }
    if (renew_if_dead(writer, err) != 0 ||
        client_know(&writer->client, record->topic, err) != 0 ||
        record_copy(record, &copy, err) != 0) {
        return -1;
    }
    struct sent *sent = must_calloc(1, sizeof(*sent));
    sent->tag = tag;
    sent->record = copy;
    sent_append(writer, sent);
    rd_kafka_resp_err_t code = produce(writer, sent);
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        return renew(writer, err);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)kafka_fail(err, code, "writing to %s", record->topic);
        sent_drop(writer, sent);
        return -1;
    }
    return 0;
}

int kafka_writer_poll(struct kafka_writer *writer, int timeout_ms,
                      struct err *err)
{
    if (renew_if_dead(writer, err) != 0) {
        return -1;
    }
    int events = rd_kafka_poll(writer->client.rk, timeout_ms);
    if (events == 0) {
        client_quiet(&writer->client);
        (void)rd_kafka_poll(writer->client.rk, 0);
    }
    return renew_if_dead(writer, err);
}

int kafka_writer_fd(struct kafka_writer *writer)
{
    return writer->client.fd;
}

const char *kafka_writer_trouble(const struct kafka_writer *writer)
{
    return writer->first == NULL ? NULL : client_trouble(&writer->client);
}

int kafka_writer_flush(struct kafka_writer *writer, int timeout_ms,
                       struct err *err)
{
    int64_t end = clock_steady() + timeout_ms;

    while (writer->first != NULL) {
        if (kafka_writer_poll(writer, ms_until(end), err) != 0) {
            return -1;
        }
        if (writer->first != NULL && ms_until(end) == 0) {
            const char *trouble = kafka_writer_trouble(writer);
            return err_set(err, ERR_RETRY,
                           "not delivered to Kafka within %d "
                           "ms%s%s",
                           timeout_ms, trouble == NULL ? "" : ": ",
                           trouble == NULL ? "" : trouble);
        }
    }
    if (writer->failed.kind != ERR_NONE) {
        *err = writer->failed;
        err_clear(&writer->failed);
        return -1;
    }
    return 0;
}

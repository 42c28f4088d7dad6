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

#define RECORD_MAX 1000000  /* librdkafka's message.max.bytes, below a MiB */
#define RECORD_OVERHEAD 200 /* of a batch of one record */

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
    for (size_t i = 0; i < properties->n; i++) {
        const struct pair *pair = &list_at(properties, struct pair, i);
        pairs_add(&writer->properties, pair->name, pair->value);
    }
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

int kafka_writer_know(struct kafka_writer *writer, const char *topic,
                      int timeout_ms, struct err *err)
{
    int64_t partitions;

    return client_topic(&writer->client, topic, timeout_ms, &partitions, err);
}

static rd_kafka_headers_t *headers_of(const struct record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->headers.n);

    for (size_t i = 0; i < record->headers.n; i++) {
        const struct header *header =
            &list_at(&record->headers, struct header, i);
        (void)rd_kafka_header_add(headers, header->name, -1, header->value,
                                  -1);
    }
    return headers;
}

/* librdkafka points into the record, which stays until it is delivered. */
static rd_kafka_resp_err_t produce(struct kafka_writer *writer,
                                   struct sent *sent)
{
    struct record *record = &sent->record;
    rd_kafka_headers_t *headers = headers_of(record);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        writer->client.rk, RD_KAFKA_V_TOPIC(record->topic),
        RD_KAFKA_V_PARTITION((int32_t)record->partition),
        RD_KAFKA_V_KEY(record->key.data, record->key.len),
        RD_KAFKA_V_VALUE(record->value.data, record->value.len),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(sent),
        RD_KAFKA_V_END);

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

static size_t size_of(const struct record *record)
{
    size_t size = RECORD_OVERHEAD + record->key.len + record->value.len;

    for (size_t i = 0; i < record->headers.n; i++) {
        const struct header *header =
            &list_at(&record->headers, struct header, i);
        size += strlen(header->name) + strlen(header->value) + 10;
    }
    return size;
}

static int copy_record(const struct record *record, struct record *ret_copy,
                       struct err *err)
{
    *ret_copy = (struct record){.topic = must_strdup(record->topic),
                                .partition = record->partition};
    for (size_t i = 0; i < record->headers.n; i++) {
        const struct header *header =
            &list_at(&record->headers, struct header, i);
        record_header_add(ret_copy, header->name, header->value);
    }
    if (buf_add(&ret_copy->key, record->key.data, record->key.len) != 0 ||
        buf_add(&ret_copy->value, record->value.data, record->value.len) != 0) {
        record_done(ret_copy);
        return err_set(err, ERR_RETRY, "out of memory for a record");
    }
    return 0;
}

int kafka_writer_send(struct kafka_writer *writer, const struct record *record,
                      uint64_t tag, struct err *err)
{
    size_t size = size_of(record);
    struct record copy;

    if (size > RECORD_MAX) {
        return err_set(err, ERR_REJECT,
                       "writing to %s: the record has %zu bytes; at most %d "
                       "can be sent", record->topic, size, RECORD_MAX);
    }
    if (renew_if_dead(writer, err) != 0 ||
        client_know(&writer->client, record->topic, err) != 0 ||
        copy_record(record, &copy, err) != 0) {
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
            return err_set(err, ERR_RETRY, "not delivered to Kafka within %d "
                           "ms%s%s", timeout_ms, trouble == NULL ? "" : ": ",
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

static int topic_result(rd_kafka_event_t *event, const char *topic,
                        struct err *err)
{
    size_t n = 0;

    if (event == NULL) {
        return err_set(err, ERR_RETRY, "making topic %s: no answer from the "
                                       "broker", topic);
    }
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_fail(err, rd_kafka_event_error(event), "making topic %s",
                          topic);
    }
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(
            rd_kafka_event_CreateTopics_result(event), &n);
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR ||
        code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return 0;
    }
    (void)kafka_fail(err, code, "making topic %s", topic);
    return rd_kafka_topic_result_error_string(results[0]) == NULL
               ? -1
               : err_set(err, err->kind, "making topic %s: %s", topic,
                         rd_kafka_topic_result_error_string(results[0]));
}

/* The broker that we ask may hear of it later than the controller. */
static int wait_for_topic(struct kafka_writer *writer, const char *topic,
                          int timeout_ms, struct err *err)
{
    int64_t end = clock_steady() + timeout_ms;

    while (kafka_writer_know(writer, topic, ms_until(end), err) != 0) {
        if (ms_until(end) == 0) {
            return -1;
        }
        (void)usleep(5000);
    }
    return 0;
}

static rd_kafka_NewTopic_t *topic_wanted(const char *topic, int partitions,
                                         const struct list *config,
                                         struct err *err)
{
    char text[200];
    rd_kafka_NewTopic_t *wanted =
        rd_kafka_NewTopic_new(topic, partitions, -1, text, sizeof(text));

    if (wanted == NULL) {
        (void)err_set(err, ERR_REJECT, "topic %s: %s", topic, text);
        return NULL;
    }
    for (size_t i = 0; i < config->n; i++) {
        const struct pair *pair = &list_at(config, struct pair, i);
        (void)rd_kafka_NewTopic_set_config(wanted, pair->name, pair->value);
    }
    return wanted;
}

static int create_topic(struct kafka_writer *writer, const char *topic,
                        rd_kafka_NewTopic_t *wanted, int timeout_ms,
                        struct err *err)
{
    char text[200];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(writer->client.rk);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(
        writer->client.rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);

    (void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, text,
                                                    sizeof(text));
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms,
                                                      text, sizeof(text));
    rd_kafka_CreateTopics(writer->client.rk, &wanted, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
    int result = topic_result(event, topic, err);
    rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return result;
}

int kafka_topic_make(struct kafka_writer *writer, const char *topic,
                     int partitions, const struct list *config, int timeout_ms,
                     struct err *err)
{
    int64_t end = clock_steady() + timeout_ms;

    if (renew_if_dead(writer, err) != 0) {
        return -1;
    }
    rd_kafka_NewTopic_t *wanted = topic_wanted(topic, partitions, config, err);
    if (wanted == NULL) {
        return -1;
    }
    int failed = create_topic(writer, topic, wanted, timeout_ms, err);
    rd_kafka_NewTopic_destroy(wanted);
    return failed ? -1 : wait_for_topic(writer, topic, ms_until(end), err);
}

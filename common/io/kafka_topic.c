/*
 * kafka_topic.c: what brokers say about topics, and making them; see kafka.h.
 *
 * Asking for a topic's metadata before its first use is what keeps a cold
 * client free of librdkafka's one-second timer.
 */
#include <string.h>

#include "base/clock.h"
#include "io/kafka_private.h"

#define KNOW_MS 1000 /* for a topic's metadata, before its first use */

static struct topic *find_topic(const struct client *client, const char *name)
{
    for (size_t i = 0; i < client->topics.n; i++) {
        struct topic *topic = &list_at(&client->topics, struct topic, i);
        if (strcmp(rd_kafka_topic_name(topic->handle), name) == 0) {
            return topic;
        }
    }
    return NULL;
}

static struct topic *add_topic(struct client *client, const char *name)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client->rk, name, NULL);

    if (handle == NULL) {
        return NULL; /* no name of a topic */
    }
    struct topic *topic = list_grow(&client->topics, sizeof(*topic));
    topic->handle = handle;
    return topic;
}

/* The broker's answer about one topic; partitions that have no leader yet
 * count as no answer. */
static rd_kafka_resp_err_t ask_topic(struct client *client,
                                     rd_kafka_topic_t *handle, int timeout_ms,
                                     int64_t *ret_partitions)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(client->rk, 0, handle, &metadata, timeout_ms);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return code;
    }
    code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                    : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    int n = code == RD_KAFKA_RESP_ERR_NO_ERROR
                ? metadata->topics[0].partition_cnt
                : 0;
    for (int i = 0; i < n; i++) {
        if (metadata->topics[0].partitions[i].leader < 0) {
            code = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
        }
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *ret_partitions = n;
    }
    rd_kafka_metadata_destroy(metadata);
    return code;
}

static int topic_fail(struct client *client, const char *name,
                      rd_kafka_resp_err_t code, struct err *err)
{
    client_listen(client);
    (void)kafka_fail(err, code, "topic %s", name);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        return err_set(err, ERR_REJECT,
                       "topic %s: the broker has none of that "
                       "name; schema/topics.def lists those that ops/kafka "
                       "makes",
                       name);
    }
    if (err->kind == ERR_RETRY && client_trouble(client) != NULL) {
        return err_set(err, ERR_RETRY, "topic %s: %s", name,
                       client_trouble(client));
    }
    return -1;
}

int client_topic(struct client *client, const char *name, int timeout_ms,
                 int64_t *ret_partitions, struct err *err)
{
    int64_t end = clock_steady() + timeout_ms;
    struct topic *topic = find_topic(client, name);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;

    if (topic == NULL) {
        topic = add_topic(client, name);
    }
    if (topic == NULL) {
        return err_set(err, ERR_REJECT, "'%.80s' can't be a topic", name);
    }
    while (code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
        code = ask_topic(client, topic->handle, ms_until(end), ret_partitions);
        if (code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
            if (ms_until(end) == 0) {
                break;
            }
            (void)usleep(10000); /* a broker that starts, a topic just made */
        }
    }
    topic->asked =
        code == RD_KAFKA_RESP_ERR_NO_ERROR || kafka_kind(code) == ERR_RETRY;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : topic_fail(client, name, code, err);
}

int client_know(struct client *client, const char *name, struct err *err)
{
    const struct topic *topic = find_topic(client, name);
    struct err failed = {0};
    int64_t n;

    if ((topic != NULL && topic->asked) ||
        client_topic(client, name, KNOW_MS, &n, &failed) == 0 ||
        failed.kind == ERR_RETRY) {
        return 0;
    }
    *err = failed;
    return -1;
}

int kafka_writer_know(struct kafka_writer *writer, const char *topic,
                      int timeout_ms, struct err *err)
{
    struct client *client = writer_client(writer, err);
    int64_t partitions;

    return client == NULL
               ? -1
               : client_topic(client, topic, timeout_ms, &partitions, err);
}

int kafka_bounds(struct kafka_reader *reader, const char *topic,
                 int64_t partition, int timeout_ms, int64_t *ret_low,
                 int64_t *ret_high, struct err *err)
{
    struct client *client = reader_client(reader);
    int64_t end = clock_steady() + timeout_ms;
    int64_t n = 0;

    if (client_topic(client, topic, timeout_ms, &n, err) != 0) {
        return -1;
    }
    if (partition >= n) {
        return err_set(err, ERR_REJECT,
                       "topic %s has %lld partitions: there "
                       "is no number %lld",
                       topic, (long long)n, (long long)partition);
    }
    rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(client->rk, topic, (int32_t)partition,
                                         ret_low, ret_high, ms_until(end) + 1);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : kafka_fail(err, code, "offsets of %s [%lld]", topic,
                            (long long)partition);
}

int kafka_partitions(struct kafka_reader *reader, const char *topic,
                     int timeout_ms, int64_t *ret_n, struct err *err)
{
    struct client *client = reader_client(reader);
    return client_topic(client, topic, timeout_ms, ret_n, err);
}

char *kafka_cluster(struct kafka_reader *reader, int timeout_ms,
                    struct err *err)
{
    struct client *client = reader_client(reader);
    char *text = rd_kafka_clusterid(client->rk, timeout_ms);

    if (text == NULL) {
        client_listen(client);
        const char *trouble = client_trouble(client);
        (void)err_set(err, ERR_RETRY, "which cluster this is: %s",
                      trouble == NULL ? "no answer from the broker" : trouble);
        return NULL;
    }
    char *cluster = must_strdup(text);
    rd_kafka_mem_free(client->rk, text);
    return cluster;
}

static int topic_result(rd_kafka_event_t *event, const char *topic,
                        struct err *err)
{
    size_t n = 0;

    if (event == NULL) {
        return err_set(err, ERR_RETRY,
                       "making topic %s: no answer from the "
                       "broker",
                       topic);
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

static int create_topic(struct client *client, const char *topic,
                        rd_kafka_NewTopic_t *wanted, int timeout_ms,
                        struct err *err)
{
    char text[200];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client->rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(client->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);

    (void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, text,
                                                    sizeof(text));
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, text,
                                                      sizeof(text));
    rd_kafka_CreateTopics(client->rk, &wanted, 1, options, queue);
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
    struct client *client = writer_client(writer, err);

    if (client == NULL) {
        return -1;
    }
    rd_kafka_NewTopic_t *wanted = topic_wanted(topic, partitions, config, err);
    if (wanted == NULL) {
        return -1;
    }
    int failed = create_topic(client, topic, wanted, timeout_ms, err);
    rd_kafka_NewTopic_destroy(wanted);
    return failed ? -1 : wait_for_topic(writer, topic, ms_until(end), err);
}

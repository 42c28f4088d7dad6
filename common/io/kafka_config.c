/*
 * kafka_config.c: what a topic that is there keeps; see kafka.h.
 *
 * Kafka's AlterConfigs (API key 33) sets a topic's configuration as a whole,
 * and librdkafka 2.0.2 knows no other request: so what was set on the topic
 * itself, by us or by whoever runs the broker, is read first and said again.
 */
#include <stdio.h>
#include <string.h>

#include "io/kafka_private.h"

static int failed(rd_kafka_resp_err_t code, const char *topic, const char *text,
                  struct err *err)
{
    (void)kafka_fail(err, code, "configuration of topic %s", topic);
    return text == NULL ? -1
                        : err_set(err, err->kind,
                                  "configuration of topic %s: %s", topic, text);
}

/* Waits for what was asked; NULL: err. */
static rd_kafka_event_t *answer(rd_kafka_queue_t *queue, const char *topic,
                                int timeout_ms, struct err *err)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);

    if (event == NULL) {
        (void)err_set(err, ERR_RETRY,
                      "configuration of topic %s: no answer from the broker",
                      topic);
        return NULL;
    }
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)failed(rd_kafka_event_error(event), topic,
                     rd_kafka_event_error_string(event), err);
        rd_kafka_event_destroy(event);
        return NULL;
    }
    return event;
}

static int check_resource(const rd_kafka_ConfigResource_t *resource,
                          const char *topic, struct err *err)
{
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);

    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : failed(code, topic,
                        rd_kafka_ConfigResource_error_string(resource), err);
}

/* What a topic keeps: what was set on itself, and what counts for one of its
 * numbers, wherever that was set. */
struct kept {
    const char *name;
    int64_t value;   /* -1: without a limit */
    struct list own; /* struct pair */
};

static void take_entry(const rd_kafka_ConfigEntry_t *entry,
                       struct kept *ret_kept)
{
    const char *name = rd_kafka_ConfigEntry_name(entry);
    const char *value = rd_kafka_ConfigEntry_value(entry);

    if (value == NULL) {
        return;
    }
    if (strcmp(name, ret_kept->name) == 0) {
        ret_kept->value = strtoll(value, NULL, 10);
    }
    if (rd_kafka_ConfigEntry_source(entry) ==
        RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG) {
        pairs_add(&ret_kept->own, name, value);
    }
}

static int take_kept(rd_kafka_event_t *event, const char *topic,
                     struct kept *ret_kept, struct err *err)
{
    size_t n = 0;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(event), &n);

    if (n != 1 || check_resource(resources[0], topic, err) != 0) {
        return n == 1 ? -1
                      : err_set(err, ERR_RETRY,
                                "configuration of topic %s: not told", topic);
    }
    const rd_kafka_ConfigEntry_t **entries =
        rd_kafka_ConfigResource_configs(resources[0], &n);
    for (size_t i = 0; i < n; i++) {
        take_entry(entries[i], ret_kept);
    }
    return 0;
}

static int describe(struct client *client, rd_kafka_queue_t *queue,
                    const char *topic, int timeout_ms, struct kept *ret_kept,
                    struct err *err)
{
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);

    rd_kafka_DescribeConfigs(client->rk, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue, topic, timeout_ms, err);
    int done = event == NULL ? -1 : take_kept(event, topic, ret_kept, err);
    rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(resource);
    return done;
}

static int alter(struct client *client, rd_kafka_queue_t *queue,
                 const char *topic, int timeout_ms, const struct list *own,
                 struct err *err)
{
    size_t n = 0;
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);

    for (size_t i = 0; i < own->n; i++) {
        const struct pair *pair = &list_at(own, struct pair, i);
        (void)rd_kafka_ConfigResource_set_config(resource, pair->name,
                                                 pair->value);
    }
    rd_kafka_AlterConfigs(client->rk, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue, topic, timeout_ms, err);
    int done = event == NULL
                   ? -1
                   : check_resource(
                         rd_kafka_AlterConfigs_result_resources(
                             rd_kafka_event_AlterConfigs_result(event), &n)[0],
                         topic, err);
    rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(resource);
    return done;
}

static void replace(struct list *own, const char *name, const char *value)
{
    for (size_t i = 0; i < own->n; i++) {
        struct pair *pair = &list_at(own, struct pair, i);
        if (strcmp(pair->name, name) == 0) {
            free(pair->value);
            pair->value = must_strdup(value);
            return;
        }
    }
    pairs_add(own, name, value);
}

int kafka_topic_keep(struct kafka_writer *writer, const char *topic,
                     const char *name, int64_t least, int timeout_ms,
                     struct err *err)
{
    struct client *client = writer_client(writer, err);
    struct kept kept = {.name = name};
    char value[24];

    if (client == NULL) {
        return -1;
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client->rk);
    int done = describe(client, queue, topic, timeout_ms, &kept, err);
    if (done == 0 && kept.value >= 0 && kept.value < least) {
        (void)snprintf(value, sizeof(value), "%lld", (long long)least);
        replace(&kept.own, name, value);
        done = alter(client, queue, topic, timeout_ms, &kept.own, err);
    }
    pairs_done(&kept.own);
    rd_kafka_queue_destroy(queue);
    return done;
}

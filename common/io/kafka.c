/*
 * kafka.c: what readers and writers share; see kafka_private.h and kafka.h.
 *
 * The settings are those of the design's "Kafka rules" and those that keep a
 * cold client free of librdkafka's timers. librdkafka logs nowhere: what went
 * wrong comes as errors, or is remembered as the client's trouble.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sysexits.h>

#include "base/clock.h"
#include "io/kafka_private.h"

static const struct setting common_settings[] = {
    {"client.id", "errand", DEFAULT},
    {"socket.nagle.disable", "true", DEFAULT},
    {"reconnect.backoff.ms", "50", DEFAULT},
    {"reconnect.backoff.max.ms", "1000", DEFAULT},
    {"log.connection.close", "false", DEFAULT},
    {"allow.auto.create.topics", "false", FIXED},
};

static int conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                    struct err *err)
{
    char text[300];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) !=
        RD_KAFKA_CONF_OK) {
        return err_exit(err, EX_CONFIG, "[kafka] %.64s: %s", name, text);
    }
    return 0;
}

static int set_all(rd_kafka_conf_t *conf, const struct setting *settings,
                   size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (conf_set(conf, settings[i].name, settings[i].value, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* A fixed setting may be repeated in the file, but not changed. */
static int check_fixed(const struct setting *settings, size_t n,
                       const struct list *properties, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = pairs_get(properties, settings[i].name);
        if (settings[i].hold == FIXED && value != NULL &&
            strcmp(value, settings[i].value) != 0) {
            return err_exit(err, EX_CONFIG,
                            "[kafka] %s: must be %s, which is set already: "
                            "take the line out",
                            settings[i].name, settings[i].value);
        }
    }
    return 0;
}

static int set_properties(rd_kafka_conf_t *conf, const struct list *properties,
                          struct err *err)
{
    if (pairs_get(properties, "bootstrap.servers") == NULL &&
        pairs_get(properties, "test.mock.num.brokers") == NULL) {
        return err_exit(err, EX_CONFIG,
                        "[kafka] bootstrap.servers: missing: "
                        "where is the broker (HOST:PORT)?");
    }
    for (size_t i = 0; i < properties->n; i++) {
        const struct pair *pair = &list_at(properties, struct pair, i);
        if (conf_set(conf, pair->name, pair->value, err) != 0) {
            return -1;
        }
    }
    return 0;
}

rd_kafka_conf_t *conf_new(const struct list *properties,
                          const struct setting *settings, size_t n,
                          struct err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    if (set_all(conf, common_settings, ARRAY_SIZE(common_settings), err) != 0 ||
        set_all(conf, settings, n, err) != 0 ||
        check_fixed(common_settings, ARRAY_SIZE(common_settings), properties,
                    err) != 0 ||
        check_fixed(settings, n, properties, err) != 0 ||
        set_properties(conf, properties, err) != 0) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    return conf;
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct client *client = opaque;

    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        char text[300] = "";
        (void)rd_kafka_fatal_error(rk, text, sizeof(text));
        (void)err_set(&client->fatal, ERR_FATAL, "Kafka client: %s", text);
    } else if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        const char *timing = strstr(reason, " (after ");
        int len =
            (int)(timing == NULL ? strlen(reason) : (size_t)(timing - reason));
        (void)snprintf(client->trouble, sizeof(client->trouble), "%.*s", len,
                       reason);
        client->troubled_at = atomic_load(&client->answers);
    }
}

/* Runs on librdkafka's threads. */
static rd_kafka_resp_err_t on_answer(rd_kafka_t *rk, int fd, const char *name,
                                     int32_t broker, int16_t api,
                                     int16_t version, int32_t id, size_t size,
                                     int64_t rtt, rd_kafka_resp_err_t code,
                                     void *opaque)
{
    struct client *client = opaque;

    (void)rk, (void)fd, (void)name, (void)broker, (void)api, (void)version;
    (void)id, (void)size, (void)rtt;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)atomic_fetch_add(&client->answers, 1);
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *rk, const rd_kafka_conf_t *conf,
                                  void *opaque, char *text, size_t size)
{
    (void)conf, (void)text, (void)size;
    return rd_kafka_interceptor_add_on_response_received(rk, "errand",
                                                         on_answer, opaque);
}

int client_open(struct client *client, rd_kafka_type_t type,
                rd_kafka_conf_t *conf_taken, struct err *err)
{
    static const uint64_t one = 1;
    char text[300];

    if (client->fd < 0) {
        client->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    }
    rd_kafka_conf_set_opaque(conf_taken, client);
    rd_kafka_conf_set_log_cb(conf_taken, on_log);
    rd_kafka_conf_set_error_cb(conf_taken, on_error);
    (void)rd_kafka_conf_interceptor_add_on_new(conf_taken, "errand", on_new,
                                               client);
    client->rk = rd_kafka_new(type, conf_taken, text, sizeof(text));
    if (client->rk == NULL) {
        rd_kafka_conf_destroy(conf_taken);
        return err_exit(err, EX_CONFIG, "[kafka] %s", text);
    }
    if (type == RD_KAFKA_CONSUMER) {
        /* Errors stay on the main queue: so trouble can be heard of without
         * taking a record. */
        client->queue = rd_kafka_queue_get_consumer(client->rk);
    } else {
        client->queue = rd_kafka_queue_get_main(client->rk);
    }
    rd_kafka_queue_io_event_enable(client->queue, client->fd, &one,
                                   sizeof(one));
    return 0;
}

void client_done(struct client *client)
{
    for (size_t i = 0; i < client->topics.n; i++) {
        rd_kafka_topic_destroy(
            list_at(&client->topics, struct topic, i).handle);
    }
    free(client->topics.items);
    client->topics = (struct list){0};
    if (client->queue != NULL) {
        rd_kafka_queue_io_event_enable(client->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(client->queue);
        client->queue = NULL;
    }
}

void client_quiet(struct client *client)
{
    uint64_t events;

    (void)!read(client->fd, &events, sizeof(events));
}

void client_listen(struct client *client)
{
    (void)rd_kafka_poll(client->rk, 0);
}

const char *client_trouble(const struct client *client)
{
    return client->trouble[0] != '\0' &&
                   client->troubled_at == atomic_load(&client->answers)
               ? client->trouble
               : NULL;
}

int ms_until(int64_t end)
{
    int64_t left = end - clock_steady();

    return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

static const struct {
    rd_kafka_resp_err_t code;
    enum err_kind kind; /* of what is not here: FATAL */
} meanings[] = {
    {RD_KAFKA_RESP_ERR__TIMED_OUT, ERR_RETRY},
    {RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, ERR_RETRY},
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, ERR_RETRY},
    {RD_KAFKA_RESP_ERR__TRANSPORT, ERR_RETRY},
    {RD_KAFKA_RESP_ERR__RESOLVE, ERR_RETRY},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, ERR_RETRY},
    {RD_KAFKA_RESP_ERR__WAIT_COORD, ERR_RETRY},
    {RD_KAFKA_RESP_ERR__QUEUE_FULL, ERR_RETRY},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, ERR_RETRY},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, ERR_RETRY},
    {RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, ERR_RETRY},
    {RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, ERR_RETRY},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, ERR_RETRY},
    {RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, ERR_RETRY},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, ERR_RETRY},
    {RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, ERR_RETRY},
    {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, ERR_RETRY},
    {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, ERR_RETRY},
    {RD_KAFKA_RESP_ERR_NOT_CONTROLLER, ERR_RETRY},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ERR_REJECT},
    {RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, ERR_REJECT},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, ERR_REJECT},
    {RD_KAFKA_RESP_ERR_INVALID_CONFIG, ERR_REJECT},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ERR_REJECT},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, ERR_REJECT},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, ERR_REJECT},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, ERR_REJECT},
};

enum err_kind kafka_kind(rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
        if (meanings[i].code == code) {
            return meanings[i].kind;
        }
    }
    return ERR_FATAL;
}

int kafka_fail(struct err *err, rd_kafka_resp_err_t code, const char *fmt, ...)
{
    char what[300];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    return err_set(err, kafka_kind(code), "%s: %s", what,
                   rd_kafka_err2str(code));
}

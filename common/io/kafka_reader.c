/*
 * kafka_reader.c: reading topics; see kafka.h.
 *
 * Without a group the partitions are assign()ed one by one, each at a number;
 * with one, the group's committed offsets are looked up when it gives us
 * partitions, checked against what is there, and assigned as numbers too. So
 * librdkafka never has to decide where to begin (auto.offset.reset=error).
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "io/kafka_private.h"

#define LEAVE_MS 1000 /* for a group to let us go; then its time-out does */
#define ASK_MS 10000  /* for offsets, when partitions are given to us */

struct reading {
    char *topic;
    int32_t partition;
    bool at_end;
};

struct kafka_reader {
    struct client client;
    bool group;
    uint64_t changes;  /* rebalances */
    struct list parts; /* struct reading */
    struct buf note;
};

static const struct setting reader_settings[] = {
    {"group.id", "errand", DEFAULT}, /* wanted even without a group */
    {"fetch.wait.max.ms", "100", DEFAULT},
    {"fetch.error.backoff.ms", "20", DEFAULT},
    {"session.timeout.ms", "6000", DEFAULT},
    {"heartbeat.interval.ms", "1500", DEFAULT},
    {"max.poll.interval.ms", "86400000", DEFAULT}, /* heartbeats tell lives */
    {"auto.commit.interval.ms", "500", DEFAULT},
    {"enable.auto.commit", "false", FIXED},
    {"enable.auto.offset.store", "false", FIXED},
    {"enable.partition.eof", "true", FIXED},
    {"auto.offset.reset", "error", FIXED},
    {"isolation.level", "read_uncommitted", FIXED},
    {"partition.assignment.strategy", "range", FIXED},
    {"check.crcs", "true", FIXED},
};

static struct reading *find_part(const struct kafka_reader *reader,
                                 const char *topic, int64_t partition)
{
    for (size_t i = 0; i < reader->parts.n; i++) {
        struct reading *part = &list_at(&reader->parts, struct reading, i);
        if (part->partition == partition && strcmp(part->topic, topic) == 0) {
            return part;
        }
    }
    return NULL;
}

static struct reading *add_part(struct kafka_reader *reader, const char *topic,
                                int32_t partition)
{
    struct reading *part = list_grow(&reader->parts, sizeof(*part));

    part->topic = must_strdup(topic);
    part->partition = partition;
    return part;
}

static void drop_parts(struct kafka_reader *reader)
{
    for (size_t i = 0; i < reader->parts.n; i++) {
        free(list_at(&reader->parts, struct reading, i).topic);
    }
    free(reader->parts.items);
    reader->parts = (struct list){0};
}

static struct kafka_reader *reader_open(rd_kafka_conf_t *conf, struct err *err)
{
    struct kafka_reader *reader = must_calloc(1, sizeof(*reader));

    reader->client.fd = -1;
    if (client_open(&reader->client, RD_KAFKA_CONSUMER, conf, err) != 0) {
        kafka_reader_free(reader);
        return NULL;
    }
    return reader;
}

struct list kafka_unhurried(const struct list *properties)
{
    struct list slow = {0};

    pairs_add(&slow, "fetch.min.bytes", "100000");
    pairs_add(&slow, "fetch.wait.max.ms", "50");
    pairs_add_all(&slow, properties);
    return slow;
}

struct kafka_reader *kafka_reader_new(const struct list *properties,
                                      struct err *err)
{
    rd_kafka_conf_t *conf =
        conf_new(properties, reader_settings, ARRAY_SIZE(reader_settings), err);

    return conf == NULL ? NULL : reader_open(conf, err);
}

/* Where to begin: what the group remembers, else the earliest; and the earliest
 * where that is not there (any more, or yet: a topic that was made anew). */
static int place(struct kafka_reader *reader, rd_kafka_topic_partition_t *given,
                 struct err *err)
{
    int64_t low = 0;
    int64_t high = 0;
    int64_t committed = given->offset;

    if (kafka_bounds(reader, given->topic, given->partition, ASK_MS, &low,
                     &high, err) != 0) {
        return -1;
    }
    given->offset = committed < low || committed > high ? low : committed;
    if (committed >= 0 && given->offset != committed) {
        (void)buf_addf(&reader->note,
                       "%s%s [%d]: the group's offset %lld is outside %lld to "
                       "%lld: beginning at the earliest",
                       reader->note.len > 0 ? "; " : "", given->topic,
                       given->partition, (long long)committed, (long long)low,
                       (long long)high);
    }
    return 0;
}

static int take_given(struct kafka_reader *reader,
                      rd_kafka_topic_partition_list_t *given, struct err *err)
{
    rd_kafka_t *rk = reader->client.rk;
    rd_kafka_resp_err_t code = rd_kafka_committed(rk, given, ASK_MS);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_fail(err, code, "the group's offsets");
    }
    for (int i = 0; i < given->cnt; i++) {
        if (place(reader, &given->elems[i], err) != 0) {
            return -1;
        }
        (void)add_part(reader, given->elems[i].topic,
                       given->elems[i].partition);
    }
    code = rd_kafka_assign(rk, given);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : kafka_fail(err, code, "taking the group's partitions");
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *given, void *opaque)
{
    struct kafka_reader *reader = opaque;
    struct err err = {0};

    drop_parts(reader);
    reader->changes++;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS &&
        take_given(reader, given, &err) == 0) {
        return;
    }
    if (err.kind != ERR_NONE) {
        (void)err_set(&reader->client.fatal, ERR_FATAL, "%s", err.text);
    }
    (void)rd_kafka_assign(rk, NULL);
}

/* Of what is committed in the background. Nothing to commit is no failure, and
 * a rebalance reads again what it cost. */
static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                      rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
    struct kafka_reader *reader = opaque;

    (void)rk;
    (void)offsets;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR ||
        code == RD_KAFKA_RESP_ERR__NO_OFFSET ||
        code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
        code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS ||
        kafka_kind(code) == ERR_RETRY || reader->note.len > 0) {
        return;
    }
    (void)buf_addf(&reader->note,
                   "the group's offsets can't be committed (all is read again "
                   "at the next start): %s",
                   rd_kafka_err2str(code));
}

static int subscribe(struct kafka_reader *reader, const char *topic,
                     struct err *err)
{
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new(1);

    (void)rd_kafka_topic_partition_list_add(topics, topic,
                                            RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(reader->client.rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : kafka_fail(err, code, "subscribing to %s", topic);
}

struct kafka_reader *kafka_group_new(const struct list *properties,
                                     const char *group, const char *topic,
                                     struct err *err)
{
    rd_kafka_conf_t *conf =
        conf_new(properties, reader_settings, ARRAY_SIZE(reader_settings), err);

    if (conf == NULL) {
        return NULL;
    }
    (void)rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
    (void)rd_kafka_conf_set(conf, "enable.auto.commit", "true", NULL, 0);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
    struct kafka_reader *reader = reader_open(conf, err);
    if (reader != NULL && subscribe(reader, topic, err) != 0) {
        kafka_reader_free(reader);
        return NULL;
    }
    if (reader != NULL) {
        reader->group = true;
    }
    return reader;
}

/* librdkafka 2.0.2's own close can hang: so by a queue, for a limited time.
 * False: the group has not let go; the client must be left as it is. */
static bool leave_group(struct kafka_reader *reader)
{
    rd_kafka_t *rk = reader->client.rk;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    int64_t end = clock_steady() + LEAVE_MS;

    rd_kafka_error_destroy(rd_kafka_consumer_close_queue(rk, queue));
    while (!rd_kafka_consumer_closed(rk) && ms_until(end) > 0) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 20);
        if (event != NULL &&
            rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE) {
            (void)rd_kafka_assign(rk, NULL);
        }
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    return rd_kafka_consumer_closed(rk) != 0;
}

void kafka_reader_free(struct kafka_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    bool gone =
        reader->client.rk == NULL || !reader->group || leave_group(reader);

    client_done(&reader->client);
    if (!gone) {
        return; /* its threads may still use what is left */
    }
    if (reader->client.rk != NULL) {
        rd_kafka_destroy_flags(reader->client.rk,
                               RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    cleanup_close(&reader->client.fd);
    drop_parts(reader);
    buf_done(&reader->note);
    free(reader);
}

/* rd_kafka_incremental_assign() or …_unassign() of one partition. */
static int change_assignment(
    struct kafka_reader *reader,
    rd_kafka_error_t *(*change)(rd_kafka_t *,
                                const rd_kafka_topic_partition_list_t *),
    const struct reading *part, int64_t offset, struct err *err)
{
    rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(one, part->topic, part->partition)
        ->offset = offset;
    rd_kafka_error_t *error = change(reader->client.rk, one);
    rd_kafka_topic_partition_list_destroy(one);
    if (error == NULL) {
        return 0;
    }
    (void)err_set(err, ERR_FATAL, "reading %s [%d]: %s", part->topic,
                  part->partition, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return -1;
}

int kafka_reader_add(struct kafka_reader *reader, const char *topic,
                     int64_t partition, int64_t offset, struct err *err)
{
    struct reading *part = find_part(reader, topic, partition);

    if (client_know(&reader->client, topic, err) != 0) {
        return -1;
    }
    if (part == NULL) {
        part = add_part(reader, topic, (int32_t)partition);
    } else if (change_assignment(reader, rd_kafka_incremental_unassign, part,
                                 offset, err) != 0) {
        return -1;
    }
    part->at_end = false;
    return change_assignment(reader, rd_kafka_incremental_assign, part, offset,
                             err);
}

/* What comes without a record: an end, a broker that is away, or the worst. */
static int on_event(struct kafka_reader *reader,
                    const rd_kafka_message_t *message, struct err *err)
{
    const char *topic =
        message->rkt == NULL ? NULL : rd_kafka_topic_name(message->rkt);

    switch ((int)message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: {
        struct reading *part = find_part(reader, topic, message->partition);
        if (part != NULL) {
            part->at_end = true;
        }
        return 0;
    }
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        return 0;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        return err_set(err, ERR_FATAL,
                       "%s [%d]: offset %lld is not there "
                       "(any more): %s",
                       topic, message->partition, (long long)message->offset,
                       rd_kafka_message_errstr(message));
    default:
        return err_set(err, ERR_FATAL, "%s [%d]: %s",
                       topic == NULL ? "Kafka" : topic, message->partition,
                       rd_kafka_message_errstr(message));
    }
}

/* 1: a record; 0: something else came; -1: FATAL; 2: nothing in that time. */
static int poll_once(struct kafka_reader *reader, int timeout_ms,
                     struct record *ret_record, struct err *err)
{
    rd_kafka_message_t *message =
        rd_kafka_consumer_poll(reader->client.rk, timeout_ms);
    int result = 2;

    if (message != NULL && message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        result = on_event(reader, message, err);
    } else if (message != NULL) {
        result = record_read(message, ret_record, err) == 0 ? 1 : -1;
    }
    if (message != NULL) {
        rd_kafka_message_destroy(message);
    }
    if (reader->client.fatal.kind != ERR_NONE && result != 1) {
        *err = reader->client.fatal;
        return -1;
    }
    return result;
}

int kafka_reader_poll(struct kafka_reader *reader, int timeout_ms,
                      struct record *ret_record, struct err *err)
{
    int64_t end = clock_steady() + timeout_ms;
    bool quiet = false;
    int result;

    for (;;) {
        result = poll_once(reader, ms_until(end), ret_record, err);
        if (result == 1 || result == -1) {
            return result;
        }
        if (result == 0) {
            end = 0; /* an end was reached: the caller may want to know */
            quiet = false;
        } else if (quiet) {
            return 0;
        } else {
            /* Only what comes after this makes the descriptor readable: so
             * look once more. */
            client_quiet(&reader->client);
            client_listen(&reader->client);
            quiet = true;
            end = 0;
        }
    }
}

struct client *reader_client(struct kafka_reader *reader)
{
    return &reader->client;
}

int kafka_reader_fd(struct kafka_reader *reader)
{
    return reader->client.fd;
}

const char *kafka_reader_trouble(const struct kafka_reader *reader)
{
    return client_trouble(&reader->client);
}

char *kafka_reader_note_take(struct kafka_reader *reader)
{
    return reader->note.len == 0 ? NULL : buf_take(&reader->note);
}

bool kafka_reader_at_end(const struct kafka_reader *reader, const char *topic,
                         int64_t partition)
{
    const struct reading *part = find_part(reader, topic, partition);

    return part != NULL && part->at_end;
}

uint64_t kafka_group_changes(const struct kafka_reader *reader)
{
    return reader->changes;
}

void kafka_group_done(struct kafka_reader *reader, const char *topic,
                      int64_t partition, int64_t next)
{
    rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(one, topic, (int32_t)partition)->offset =
        next;
    (void)rd_kafka_offsets_store(reader->client.rk, one);
    rd_kafka_topic_partition_list_destroy(one);
}

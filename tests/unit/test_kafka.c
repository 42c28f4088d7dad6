/*
 * test_kafka.c: reading and writing, against librdkafka's mock cluster, which
 * can be told to fail. What a real broker does is seen in the end-to-end tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/kafka_private.h"
#include "model/parameter.h"

#include <librdkafka/rdkafka_mock.h>

#define PARTITIONS 8
#define API_PRODUCE 0
#define LONG_MS 10000

/* A mock cluster of one broker for all cases (it takes a second to end), and
 * two topics for each. */
struct cluster {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *mock;
    struct list properties;
    int cases;
    char a[16];
    char b[16];
    int delivered;
    struct err last; /* of the last record that was not delivered */
};

static int cluster_setup(void **state)
{
    struct cluster *cluster = must_calloc(1, sizeof(*cluster));
    char text[200];

    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "log_level", "3", text, sizeof(text));
    cluster->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    cluster->mock = rd_kafka_mock_cluster_new(cluster->rk, 1);
    pairs_add(&cluster->properties, "bootstrap.servers",
              rd_kafka_mock_cluster_bootstraps(cluster->mock));
    *state = cluster;
    return 0;
}

static int topics_setup(void **state)
{
    struct cluster *cluster = *state;

    cluster->cases++;
    (void)snprintf(cluster->a, sizeof(cluster->a), "a.%d", cluster->cases);
    (void)snprintf(cluster->b, sizeof(cluster->b), "b.%d", cluster->cases);
    (void)rd_kafka_mock_topic_create(cluster->mock, cluster->a, PARTITIONS, 1);
    (void)rd_kafka_mock_topic_create(cluster->mock, cluster->b, PARTITIONS, 1);
    cluster->delivered = 0;
    err_clear(&cluster->last);
    return 0;
}

static int cluster_teardown(void **state)
{
    struct cluster *cluster = *state;

    rd_kafka_mock_cluster_destroy(cluster->mock);
    rd_kafka_destroy(cluster->rk);
    pairs_done(&cluster->properties);
    free(cluster);
    return 0;
}

static void on_delivered(void *arg, uint64_t tag, const struct err *err)
{
    struct cluster *cluster = arg;

    (void)tag;
    if (err == NULL) {
        cluster->delivered++;
    } else {
        cluster->last = *err;
    }
}

static struct kafka_writer *open_writer(struct cluster *cluster)
{
    struct err err = {0};
    struct kafka_writer *writer =
        kafka_writer_new(&cluster->properties, on_delivered, cluster, &err);

    assert_string_equal(err.text, "");
    assert_non_null(writer);
    return writer;
}

static struct kafka_reader *open_reader(struct cluster *cluster)
{
    struct err err = {0};
    struct kafka_reader *reader = kafka_reader_new(&cluster->properties, &err);

    assert_string_equal(err.text, "");
    assert_non_null(reader);
    return reader;
}

static struct record new_record(const char *topic, int64_t partition,
                                const char *key, const char *value)
{
    struct record record = {.topic = must_strdup(topic),
                            .partition = partition};

    assert_int_equal(buf_adds(&record.key, key), 0);
    assert_int_equal(buf_adds(&record.value, value), 0);
    return record;
}

static void send_value(struct kafka_writer *writer, const char *topic,
                       int64_t partition, const char *value)
{
    _cleanup_record_ struct record record =
        new_record(topic, partition, "k", value);
    struct err err = {0};

    assert_int_equal(kafka_writer_send(writer, &record, 1, &err), 0);
}

static void flush(struct kafka_writer *writer)
{
    struct err err = {0};

    (void)kafka_writer_flush(writer, LONG_MS, &err);
    assert_string_equal(err.text, "");
}

static void add(struct kafka_reader *reader, const char *topic,
                int64_t partition, int64_t offset)
{
    struct err err = {0};

    (void)kafka_reader_add(reader, topic, partition, offset, &err);
    assert_string_equal(err.text, "");
}

/* The next record; fails when none comes. */
static struct record next_record(struct kafka_reader *reader)
{
    int64_t end = clock_steady() + LONG_MS;
    struct record record = {0};
    struct err err = {0};
    int got = 0;

    while (got == 0 && clock_steady() < end) {
        got = kafka_reader_poll(reader, 1000, &record, &err);
    }
    assert_string_equal(err.text, "");
    assert_int_equal(got, 1);
    return record;
}

static void assert_next(struct kafka_reader *reader, int64_t offset,
                        const char *value)
{
    _cleanup_record_ struct record record = next_record(reader);

    assert_string_equal(buf_text(&record.value), value);
    assert_int_equal(record.offset, offset);
}

static void a_record_comes_back_as_it_was_sent(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_writer *writer = open_writer(cluster);
    struct kafka_reader *reader = open_reader(cluster);
    _cleanup_record_ struct record sent =
        new_record(cluster->a, 3, "key", "v\x01");
    struct err err = {0};
    int64_t before = clock_now();

    record_header_add(&sent, "errand-key", "one");
    record_header_add(&sent, "ce_type", "");
    record_header_add(&sent, "errand-key", "two");
    assert_int_equal(kafka_writer_send(writer, &sent, 1, &err), 0);
    flush(writer);
    add(reader, cluster->a, 3, 0);
    _cleanup_record_ struct record got = next_record(reader);
    assert_string_equal(got.topic, cluster->a);
    assert_int_equal(got.partition, 3);
    assert_int_equal(got.offset, 0);
    assert_true(got.timestamp >= before);
    assert_true(buf_equal(&got.key, &sent.key));
    assert_true(buf_equal(&got.value, &sent.value));
    assert_int_equal(got.headers.n, 3);
    assert_string_equal(record_header(&got, "errand-key", 1), "two");
    assert_string_equal(record_header(&got, "ce_type", 0), "");
    kafka_reader_free(reader);
    kafka_writer_free(writer);
}

/* https://github.com/apache/kafka: clients' UtilsTest, murmur2; & 0x7fffffff
 * and modulo 8, as the default partitioner does. */
static void a_key_goes_to_the_partition_that_java_takes(void **state)
{
    struct cluster *cluster = *state;
    static const struct {
        const char *key;
        int64_t partition;
    } cases[] = {
        {"21", -973932308 & 7},
        {"foobar", -790332482 & 7},
        {"a-little-bit-long-string", -985981536 & 7},
        {"a-little-bit-longer-string", -1486304829 & 7},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971 & 7},
        {"abc", 479470107 & 7},
    };
    struct kafka_writer *writer = open_writer(cluster);
    struct kafka_reader *reader = open_reader(cluster);

    for (int64_t i = 0; i < PARTITIONS; i++) {
        add(reader, cluster->a, i, 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_record_ struct record sent =
            new_record(cluster->a, PARTITION_BY_KEY, cases[i].key, "");
        struct err err = {0};
        assert_int_equal(kafka_writer_send(writer, &sent, 1, &err), 0);
        _cleanup_record_ struct record got = next_record(reader);
        assert_string_equal(buf_text(&got.key), cases[i].key);
        assert_int_equal(got.partition, cases[i].partition);
    }
    kafka_reader_free(reader);
    kafka_writer_free(writer);
}

static void an_end_is_told_and_what_comes_later_is_read(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_writer *writer = open_writer(cluster);
    struct kafka_reader *reader = open_reader(cluster);
    struct record none;
    struct err err = {0};

    send_value(writer, cluster->a, 0, "one");
    flush(writer);
    add(reader, cluster->a, 0, 0);
    assert_false(kafka_reader_at_end(reader, cluster->a, 0));
    assert_next(reader, 0, "one");
    while (!kafka_reader_at_end(reader, cluster->a, 0)) {
        assert_int_equal(kafka_reader_poll(reader, 1000, &none, &err), 0);
    }
    assert_false(kafka_reader_at_end(reader, cluster->a, 1));
    assert_false(kafka_reader_at_end(reader, cluster->b, 0));
    send_value(writer, cluster->a, 0, "two");
    flush(writer);
    assert_next(reader, 1, "two");
    kafka_reader_free(reader);
    kafka_writer_free(writer);
}

static void a_partition_that_is_added_again_is_read_from_there(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_writer *writer = open_writer(cluster);
    struct kafka_reader *reader = open_reader(cluster);

    send_value(writer, cluster->a, 0, "one");
    send_value(writer, cluster->a, 0, "two");
    send_value(writer, cluster->a, 0, "three");
    send_value(writer, cluster->a, 1, "other");
    flush(writer);
    add(reader, cluster->a, 0, 0);
    assert_next(reader, 0, "one");
    assert_next(reader, 1, "two");
    add(reader, cluster->a, 0, 0);
    assert_false(kafka_reader_at_end(reader, cluster->a, 0));
    assert_next(reader, 0, "one");
    add(reader, cluster->a, 0, 2);
    assert_next(reader, 2, "three");
    add(reader, cluster->a, 1, 0);
    assert_next(reader, 0, "other");
    kafka_reader_free(reader);
    kafka_writer_free(writer);
}

static void an_offset_that_is_not_there_ends_reading(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_reader *reader = open_reader(cluster);
    struct record none;
    struct err err = {0};
    int got = 0;

    add(reader, cluster->a, 2, 77);
    for (int i = 0; i < 10 && got == 0; i++) {
        got = kafka_reader_poll(reader, 1000, &none, &err);
    }
    assert_int_equal(got, -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_non_null(strstr(err.text, " [2]: offset 77"));
    kafka_reader_free(reader);
}

static void bounds_are_what_is_there(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_writer *writer = open_writer(cluster);
    struct kafka_reader *reader = open_reader(cluster);
    struct err err = {0};
    int64_t low = -1;
    int64_t high = -1;
    int64_t n = 0;

    send_value(writer, cluster->a, 5, "one");
    flush(writer);
    assert_int_equal(
        kafka_bounds(reader, cluster->a, 5, LONG_MS, &low, &high, &err), 0);
    assert_int_equal(low, 0);
    assert_int_equal(high, 1);
    assert_int_equal(kafka_partitions(reader, cluster->a, LONG_MS, &n, &err),
                     0);
    assert_int_equal(n, PARTITIONS);
    assert_int_equal(
        kafka_bounds(reader, cluster->a, 8, LONG_MS, &low, &high, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    kafka_reader_free(reader);
    kafka_writer_free(writer);
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, timeout_ms) == 1;
}

static void the_descriptor_is_readable_until_a_poll_yields_nothing(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_writer *writer = open_writer(cluster);
    struct kafka_reader *reader = open_reader(cluster);
    struct record none;
    struct err err = {0};

    add(reader, cluster->a, 0, 0);
    while (!kafka_reader_at_end(reader, cluster->a, 0)) {
        assert_int_equal(kafka_reader_poll(reader, 1000, &none, &err), 0);
    }
    assert_false(readable(kafka_reader_fd(reader), 0));
    send_value(writer, cluster->a, 0, "one");
    send_value(writer, cluster->a, 0, "two");
    flush(writer);
    assert_true(readable(kafka_reader_fd(reader), LONG_MS));
    assert_next(reader, 0, "one");
    assert_true(readable(kafka_reader_fd(reader), 0));
    assert_next(reader, 1, "two");
    while (kafka_reader_poll(reader, 0, &none, &err) != 0 ||
           !readable(kafka_reader_fd(reader), 0)) {
        if (!readable(kafka_reader_fd(reader), 300)) {
            break;
        }
    }
    assert_false(readable(kafka_reader_fd(reader), 0));
    kafka_reader_free(reader);
    kafka_writer_free(writer);
}

static void what_failed_at_the_broker_is_tried_again(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_writer *writer = open_writer(cluster);
    struct kafka_reader *reader = open_reader(cluster);

    rd_kafka_mock_push_request_errors(
        cluster->mock, API_PRODUCE, 3, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    /* One at a time: unlike a broker, the mock lets retries change the order.
     */
    send_value(writer, cluster->a, 0, "one");
    flush(writer);
    send_value(writer, cluster->a, 0, "two");
    flush(writer);
    assert_int_equal(cluster->delivered, 2);
    add(reader, cluster->a, 0, 0);
    assert_next(reader, 0, "one");
    assert_next(reader, 1, "two");
    kafka_reader_free(reader);
    kafka_writer_free(writer);
}

static void what_a_dead_producer_held_is_sent_by_the_next_one(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_writer *writer = open_writer(cluster);
    struct kafka_reader *reader = open_reader(cluster);
    struct client *client = (struct client *)writer;

    send_value(writer, cluster->a, 0, "before");
    flush(writer);
    (void)rd_kafka_mock_broker_set_down(cluster->mock, 1);
    send_value(writer, cluster->a, 0, "one");
    send_value(writer, cluster->a, 0, "two");
    (void)rd_kafka_test_fatal_error(
        client->rk, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a test");
    send_value(writer, cluster->a, 0, "three");
    (void)rd_kafka_mock_broker_set_up(cluster->mock, 1);
    flush(writer);
    assert_int_equal(cluster->delivered, 4);
    assert_int_equal(cluster->last.kind, ERR_NONE);
    add(reader, cluster->a, 0, 0);
    assert_next(reader, 0, "before");
    assert_next(reader, 1, "one");
    assert_next(reader, 2, "two");
    assert_next(reader, 3, "three");
    kafka_reader_free(reader);
    kafka_writer_free(writer);
}

static void a_refusal_by_the_broker_is_told_once(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_writer *writer = open_writer(cluster);
    struct err err = {0};

    rd_kafka_mock_push_request_errors(cluster->mock, API_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    send_value(writer, cluster->a, 0, "one");
    assert_int_equal(kafka_writer_flush(writer, LONG_MS, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    assert_non_null(strstr(err.text, "writing to a."));
    assert_int_equal(cluster->last.kind, ERR_REJECT);
    assert_int_equal(cluster->delivered, 0);
    err_clear(&err);
    flush(writer);
    kafka_writer_free(writer);
}

static void a_record_that_is_too_large_is_not_even_sent(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_writer *writer = open_writer(cluster);
    _cleanup_record_ struct record record = new_record(cluster->a, 0, "k", "");
    struct err err = {0};

    while (record.value.len < 1000000) {
        assert_int_equal(buf_adds(&record.value, "0123456789"), 0);
    }
    assert_int_equal(kafka_writer_send(writer, &record, 1, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    buf_drop(&record.value, 300);
    assert_int_equal(kafka_writer_send(writer, &record, 1, &err), 0);
    flush(writer);
    kafka_writer_free(writer);
}

static void a_broker_that_is_away_is_named(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_writer *writer = open_writer(cluster);
    struct err err = {0};

    send_value(writer, cluster->a, 0, "one");
    flush(writer);
    assert_null(kafka_writer_trouble(writer));
    (void)rd_kafka_mock_broker_set_down(cluster->mock, 1);
    send_value(writer, cluster->a, 0, "two");
    assert_int_equal(kafka_writer_flush(writer, 300, &err), -1);
    assert_int_equal(err.kind, ERR_RETRY);
    assert_non_null(strstr(err.text, "127.0.0.1"));
    assert_non_null(kafka_writer_trouble(writer));
    (void)rd_kafka_mock_broker_set_up(cluster->mock, 1);
    flush(writer);
    assert_null(kafka_writer_trouble(writer));
    assert_int_equal(cluster->delivered, 2);
    kafka_writer_free(writer);
}

/* In one case, since the mock's groups take seconds to form. */
static void a_group_begins_where_it_was_or_at_the_earliest(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_writer *writer = open_writer(cluster);
    struct err err = {0};

    send_value(writer, cluster->a, 0, "one");
    send_value(writer, cluster->a, 0, "two");
    flush(writer);
    struct kafka_reader *reader =
        kafka_group_new(&cluster->properties, "g", cluster->a, &err);
    assert_non_null(reader);
    assert_next(reader, 0, "one");
    assert_next(reader, 1, "two");
    kafka_group_done(reader, cluster->a, 0, 1);
    kafka_group_done(reader, cluster->a, 1, 99);
    assert_null(kafka_reader_note_take(reader));
    kafka_reader_free(reader);
    send_value(writer, cluster->a, 1, "earliest");
    flush(writer);
    reader = kafka_group_new(&cluster->properties, "g", cluster->a, &err);
    assert_non_null(reader);
    for (int i = 0; i < 2; i++) {
        _cleanup_record_ struct record got = next_record(reader);
        assert_int_equal(got.offset, got.partition == 0 ? 1 : 0);
        assert_string_equal(buf_text(&got.value),
                            got.partition == 0 ? "two" : "earliest");
    }
    _cleanup_free_ char *note = kafka_reader_note_take(reader);
    assert_non_null(note);
    assert_non_null(strstr(note, " [1]: the group's offset 99 is outside"));
    assert_null(kafka_reader_note_take(reader));
    kafka_reader_free(reader);
    kafka_writer_free(writer);
}

static void bad_properties_are_refused_by_name(void **state)
{
    static const char *const cases[][2] = {
        {"no.such.thing", "1"},
        {"socket.timeout.ms", "soon"},
        {"enable.idempotence", "no"},
        {"partitioner", "random"},
        {"acks", "1"},
        {"allow.auto.create.topics", "true"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct list properties = {0};
        struct err err = {0};
        pairs_add(&properties, "bootstrap.servers", "127.0.0.1:1");
        pairs_add(&properties, cases[i][0], cases[i][1]);
        assert_null(kafka_writer_new(&properties, NULL, NULL, &err));
        assert_int_equal(err.status, EX_CONFIG);
        assert_non_null(strstr(err.text, cases[i][0]));
        pairs_done(&properties);
    }
    struct list none = {0};
    struct err err = {0};
    (void)state;
    assert_null(kafka_reader_new(&none, &err));
    assert_non_null(strstr(err.text, "bootstrap.servers"));
}

static void freeing_takes_no_time_even_with_records_on_their_way(void **state)
{
    struct cluster *cluster = *state;
    struct kafka_writer *writer = open_writer(cluster);
    struct kafka_reader *reader = open_reader(cluster);

    add(reader, cluster->a, 0, 0);
    (void)rd_kafka_mock_broker_set_down(cluster->mock, 1);
    send_value(writer, cluster->a, 0, "never");
    int64_t before = clock_steady();
    kafka_writer_free(writer);
    kafka_reader_free(reader);
    assert_true(clock_steady() - before < 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup(f, topics_setup)
        T(a_record_comes_back_as_it_was_sent),
        T(a_key_goes_to_the_partition_that_java_takes),
        T(an_end_is_told_and_what_comes_later_is_read),
        T(a_partition_that_is_added_again_is_read_from_there),
        T(an_offset_that_is_not_there_ends_reading),
        T(bounds_are_what_is_there),
        T(the_descriptor_is_readable_until_a_poll_yields_nothing),
        T(what_failed_at_the_broker_is_tried_again),
        T(what_a_dead_producer_held_is_sent_by_the_next_one),
        T(a_refusal_by_the_broker_is_told_once),
        T(a_record_that_is_too_large_is_not_even_sent),
        T(a_broker_that_is_away_is_named),
        T(a_group_begins_where_it_was_or_at_the_earliest),
        T(bad_properties_are_refused_by_name),
        T(freeing_takes_no_time_even_with_records_on_their_way),
    };

    return cmocka_run_group_tests(tests, cluster_setup, cluster_teardown);
}

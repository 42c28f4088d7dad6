/*
 * hop.c: the yardstick of `make bench`: a cold process that connects, fixes a
 * place in errand.replies, produces one record there, and reads it back. What a
 * request costs beyond this is Errand's.
 *
 * usage: hop BROKERS
 */
#include <stdio.h>

#include "base/clock.h"
#include "io/kafka.h"

#define TOPIC "errand.replies"
#define WAIT 5000 /* ms */

static int hop(struct kafka_reader *reader, struct kafka_writer *writer,
               struct err *err)
{
    struct record out = {.topic = must_strdup(TOPIC)};
    int64_t until = clock_steady() + WAIT;
    int64_t low = 0;
    int64_t high = 0;
    int got = 0;

    (void)buf_adds(&out.key, "hop");
    (void)buf_adds(&out.value, "{}");
    if (kafka_bounds(reader, TOPIC, 0, WAIT, &low, &high, err) != 0 ||
        kafka_reader_add(reader, TOPIC, 0, high, err) != 0 ||
        kafka_writer_know(writer, TOPIC, WAIT, err) != 0 ||
        kafka_writer_send(writer, &out, 0, err) != 0) {
        return -1;
    }
    while (got == 0 && clock_steady() < until) {
        _cleanup_record_ struct record in = {0};
        got = kafka_reader_poll(reader, 100, &in, err);
    }
    record_done(&out);
    return got == 1 ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct list properties = {0};
    struct err err = {0};

    if (argc != 2) {
        (void)fprintf(stderr, "usage: hop BROKERS\n");
        return 64;
    }
    pairs_add(&properties, "bootstrap.servers", argv[1]);
    struct kafka_reader *reader = kafka_reader_new(&properties, &err);
    struct kafka_writer *writer =
        kafka_writer_new(&properties, NULL, NULL, &err);
    int done =
        reader == NULL || writer == NULL ? -1 : hop(reader, writer, &err);
    if (done != 0) {
        (void)fprintf(stderr, "hop: %s\n", err.text);
    }
    kafka_writer_free(writer);
    kafka_reader_free(reader);
    return done == 0 ? 0 : 1;
}

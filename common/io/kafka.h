/*
 * kafka.h: reading and writing Kafka topics; nothing else sees librdkafka.
 *
 * What always holds (design: "Kafka rules"): every start position is a number;
 * one record at a time; read_uncommitted; checksums checked; idempotent
 * producer, acks=all, every delivery counted; murmur2 partitioning; no topic is
 * made by accident. Any error event of a partition is FATAL with a clear line.
 * A broker that is away is no error here: reading yields nothing, and writing
 * waits, until whoever calls gives up.
 *
 * `properties` are struct pair, librdkafka's own names, from [kafka].
 */
#pragma once

#include "model/record.h"

struct kafka_reader;
struct kafka_writer;

/* A reader of partitions that it is given; or, with a group, of those that the
 * group gives it. NULL: bad property (status 78) or out of memory. */
struct kafka_reader *kafka_reader_new(const struct list *properties,
                                      struct err *err);
struct kafka_reader *kafka_group_new(const struct list *properties,
                                     const char *group, const char *topic,
                                     struct err *err);
void kafka_reader_free(struct kafka_reader *reader);

/* For a reader on which people wait less than on others: it takes what came
 * within 50 ms at once, and leaves the processors meanwhile to the rest. What
 * the properties set stays. The caller's to free (pairs_done). */
struct list kafka_unhurried(const struct list *properties);

/* Adds a partition, from this offset on; reading it already: moves there.
 * REJECT: no such topic. The first time for a topic it asks the broker, and
 * waits at most a second for one that is away. */
int kafka_reader_add(struct kafka_reader *reader, const char *topic,
                     int64_t partition, int64_t offset, struct err *err);

/* 1: ret_record is the next one, the caller's; 0: nothing within timeout_ms, or
 * nothing yet and an end was reached; -1: FATAL. Call it at least once a second
 * where there is a group: one that doesn't stays in it (heartbeats tell its
 * life), and holds up the group's next change. */
int kafka_reader_poll(struct kafka_reader *reader, int timeout_ms,
                      struct record *ret_record, struct err *err);

/* Readable when polling may yield something, until a poll yields 0. */
int kafka_reader_fd(struct kafka_reader *reader);

/* True once the partition was read to the end that it had at that moment. */
bool kafka_reader_at_end(const struct kafka_reader *reader, const char *topic,
                         int64_t partition);

/* What is wrong with the connection, in librdkafka's words; NULL: all is well.
 * The text is the reader's, until its next call. */
const char *kafka_reader_trouble(const struct kafka_reader *reader);

/* What it did by itself that somebody should know (it began at the earliest
 * since the group's offset is not there), the caller's to free; or NULL. */
char *kafka_reader_note_take(struct kafka_reader *reader);

/* Grows with each change of what the group gives to this reader: all of it is
 * read anew from what the group remembers. */
uint64_t kafka_group_changes(const struct kafka_reader *reader);

/* Everything before `next` is done: the group remembers it within half a second
 * (auto.commit.interval.ms), and when it lets go. One that gets lost, or of a
 * partition that was given to another meanwhile, only makes somebody read those
 * records again. */
void kafka_group_done(struct kafka_reader *reader, const char *topic,
                      int64_t partition, int64_t next);

/* The first offset that is still there, and the next to be written. RETRY: no
 * answer within timeout_ms; REJECT: no such topic. */
int kafka_bounds(struct kafka_reader *reader, const char *topic,
                 int64_t partition, int timeout_ms, int64_t *ret_low,
                 int64_t *ret_high, struct err *err);

/* How many partitions a topic has (REJECT: none of that name), and which
 * cluster this is (the caller's to free). Both ask the broker. */
int kafka_partitions(struct kafka_reader *reader, const char *topic,
                     int timeout_ms, int64_t *ret_n, struct err *err);
char *kafka_cluster(struct kafka_reader *reader, int timeout_ms,
                    struct err *err);

/* Told of each record's end, from kafka_writer_poll/_flush; the tag is the one
 * that was given to _send; err is NULL when it was delivered. */
typedef void kafka_delivered(void *arg, uint64_t tag, const struct err *err);

/* delivered may be NULL. */
struct kafka_writer *kafka_writer_new(const struct list *properties,
                                      kafka_delivered *delivered, void *arg,
                                      struct err *err);
void kafka_writer_free(struct kafka_writer *writer);

/* Fetches a topic's metadata, as the first send to a topic does by itself: a
 * client that doesn't waits for a timer of a second. RETRY: no broker within
 * timeout_ms; REJECT: no such topic. */
int kafka_writer_know(struct kafka_writer *writer, const char *topic,
                      int timeout_ms, struct err *err);

/* A record's bytes on the wire, at most. */
size_t record_size(const struct record *record);

/* Hands a copy of the record over; it is sent until it is delivered, also where
 * librdkafka's producer dies meanwhile (then it may be there twice). REJECT:
 * too large, or no such topic; RETRY: queue is full. A broker that is away is
 * no error; the first send to a topic waits a second for it. */
int kafka_writer_send(struct kafka_writer *writer, const struct record *record,
                      uint64_t tag, struct err *err);

/* Serves what is due, waiting at most timeout_ms. -1: FATAL. */
int kafka_writer_poll(struct kafka_writer *writer, int timeout_ms,
                      struct err *err);

/* Readable when kafka_writer_poll has something to tell; for epoll. */
int kafka_writer_fd(struct kafka_writer *writer);

/* What is wrong with the connection while something is not delivered; NULL:
 * nothing known. The text is the writer's, until its next call. */
const char *kafka_writer_trouble(const struct kafka_writer *writer);

/* Waits until all that was sent is delivered. RETRY: not within timeout_ms (it
 * is still on its way: flush again, rather than send again); REJECT or FATAL:
 * one of them failed since the last flush, and says why. */
int kafka_writer_flush(struct kafka_writer *writer, int timeout_ms,
                       struct err *err);

/* Makes a topic with configuration (struct pair) and waits until it can be
 * used; there already is fine. */
int kafka_topic_make(struct kafka_writer *writer, const char *topic,
                     int partitions, const struct list *config, int timeout_ms,
                     struct err *err);

/* Raises one number of a topic's configuration to at least this, where less
 * counts for it now (-1 there: without a limit); leaves all else as it is. */
int kafka_topic_keep(struct kafka_writer *writer, const char *topic,
                     const char *name, int64_t least, int timeout_ms,
                     struct err *err);

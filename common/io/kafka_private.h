/*
 * kafka_private.h: what kafka_reader.c and kafka_writer.c share: one client of
 * librdkafka, its properties, its wake-up descriptor and its trouble.
 *
 * Only io/kafka*.c include this. A client's callbacks run on the thread that
 * polls it; librdkafka's own threads only count answers.
 */
#pragma once

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "io/kafka.h"

struct client {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue; /* where all that the caller polls comes by */
    int fd; /* eventfd, -1 at first: readable while it may hold something */
    struct list topics;   /* struct topic: what was asked about */
    atomic_uint answers;  /* that brokers gave, whatever they said */
    unsigned troubled_at; /* answers when `trouble` was written */
    char trouble[300];    /* the last error of a connection, or "" */
    struct err fatal;     /* ERR_FATAL: the client is at its end */
};

struct topic {
    rd_kafka_topic_t *handle;
    bool asked; /* answered, or not within the time: librdkafka goes on */
};

/* One of our own settings; [kafka] may set a default otherwise. */
struct setting {
    const char *name;
    const char *value;
    enum { DEFAULT, FIXED } hold;
};

/* A new librdkafka configuration: the common settings, these, and what the
 * user wrote. NULL: a bad property (status 78). */
rd_kafka_conf_t *conf_new(const struct list *properties,
                          const struct setting *settings, size_t n,
                          struct err *err);

/* Opens the client, taking conf also where it fails. Callbacks get the client
 * as their opaque: it is the first member of a reader or writer. */
int client_open(struct client *client, rd_kafka_type_t type,
                rd_kafka_conf_t *conf_taken, struct err *err);

/* Lets go of queue and topics; rk is its owner's to destroy then, fd stays. */
void client_done(struct client *client);

/* Makes the descriptor unreadable; what is queued after makes it readable. */
void client_quiet(struct client *client);

/* Serves errors that wait to be told (a writer's deliveries, too). */
void client_listen(struct client *client);

/* What is wrong with the connection; NULL: nothing known. */
const char *client_trouble(const struct client *client);

/* Partitions of a topic. RETRY: no answer in time; REJECT: no such topic. */
int client_topic(struct client *client, const char *topic, int timeout_ms,
                 int64_t *ret_partitions, struct err *err);

/* Does that once for each topic that is used: else librdkafka's timer of a
 * second would. REJECT: no such topic; a broker that is away is no failure. */
int client_know(struct client *client, const char *topic, struct err *err);

/* The client in each; a writer's is made anew first if it is dead (NULL: that
 * failed). */
struct client *reader_client(struct kafka_reader *reader);
struct client *writer_client(struct kafka_writer *writer, struct err *err);

/* A record from librdkafka's message, and a deep copy of what is to be sent.
 * -1: out of memory. */
int record_read(const rd_kafka_message_t *message, struct record *ret_record,
                struct err *err);
int record_copy(const struct record *record, struct record *ret_copy,
                struct err *err);

/* Its headers for librdkafka. */
rd_kafka_headers_t *record_headers(const struct record *record);

/* Which kind of error a code is. */
enum err_kind kafka_kind(rd_kafka_resp_err_t code);

/* What an error code means for whoever called: kind and text. */
int kafka_fail(struct err *err, rd_kafka_resp_err_t code, const char *fmt, ...)
    _printf_(3, 4);

/* Milliseconds until `end` by clock_steady(), at least 0. */
int ms_until(int64_t end);

/*
 * service.h: the life of every daemon.
 *
 * A daemon is a row; service_main() owns its options, configuration, log, keys,
 * signals, readiness and loop. `turn` does one piece of work, waiting at most a
 * second for it (`daemon_wait` tells how), and ends with 0 or an error: RETRY
 * backs off (one line of log, 100 ms to 5 s) and turns again; FATAL, and what
 * else was not dealt with, ends the process with 1. A record that can't be
 * processed goes to errand.dead by daemon_dead(), and the partition moves on.
 */
#pragma once

#include <signal.h>

#include "io/config.h"
#include "io/kafka.h"
#include "io/postgres.h"
#include "model/enrolment.h"
#include "trust/keys.h"
#include "trust/proof.h"

struct daemon {
    const struct service *service;
    struct config config;
    char *name;            /* [service] name */
    struct list kafka;     /* [kafka]: struct pair */
    struct roots roots;    /* [root] keys */
    struct key_pair *keys; /* NULL where the kind signs nothing */
    struct list enrolment; /* struct envelope: own first, then its chain */
    struct hash by;        /* the hash of the own enrolment */
    struct hash root;      /* the root that it goes up to */
    struct kafka_writer *writer;
    struct postgres *postgres; /* NULL where .postgres is false */
    void *state;               /* what start made */
};

struct service {
    const char *name;       /* "errand-authorizer" */
    enum service_kind kind; /* recorder: signs nothing, has no key */
    bool postgres;
    bool before_writer; /* start runs before librdkafka does (it forks) */
    const struct config_key *keys; /* beside the common ones */
    size_t n_keys;
    kafka_delivered *delivered; /* of daemon->writer, with daemon->state; NULL */
    int (*start)(struct daemon *daemon, struct err *err);
    int (*turn)(struct daemon *daemon, struct err *err);
    void (*stop)(struct daemon *daemon);
};

/* main() of every daemon; returns the exit status. */
int service_main(const struct service *service, int argc, char **argv);

/* True once TERM or INT came: finish, and return from turn. */
bool daemon_ending(const struct daemon *daemon);

/* Readable once TERM or INT came; for epoll. */
int daemon_ending_fd(const struct daemon *daemon);

/* Call it when requests can be served: says so in log and ready file, once. */
void daemon_ready(struct daemon *daemon);

/* Sends a record to errand.dead (at most 64 KiB of it) with topic, partition,
 * offset and the reason in its headers, and waits for its delivery. */
int daemon_dead(struct daemon *daemon, const struct record *record,
                const struct err *reason, struct err *err);

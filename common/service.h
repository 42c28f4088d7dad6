/*
 * service.h: the life of every daemon.
 *
 * A daemon is a row; service_main() owns its options, configuration, log, keys,
 * signals, readiness and loop. `turn` does one piece of work, waiting at most a
 * second for it (daemon_wait() tells how), and ends with 0 or an error: RETRY
 * backs off (one line of log when it begins and one when it is over, 100 ms to
 * 5 s) and turns again; FATAL, and what else was not dealt with, ends the
 * process with 1; with 78 where only a person can mend it: a supervisor need
 * not start it again (RestartPreventExitStatus=78). A record that can't be
 * processed goes to errand.dead by daemon_dead(), and the partition moves on.
 *
 * TERM and INT are blocked in every thread (a child has to unblock them) and
 * end the daemon after its turn; a second one, or 5 s of hanging, ends the
 * process at once with 1. A daemon that drains goes on with what it has for a
 * while before that; then a second signal hurries it, and a third ends it. HUP
 * asks for the configuration to be read again where the row says so, and is
 * ignored elsewhere, as PIPE is everywhere.
 */
#pragma once

#ifndef ERRAND_VERSION /* the Makefile says it */
#define ERRAND_VERSION "unknown"
#endif

#include "io/config.h"
#include "io/kafka.h"
#include "io/log.h"
#include "io/postgres.h"
#include "model/enrolment.h"
#include "trust/keys.h"
#include "trust/proof.h"

struct daemon {
    const struct service *service;
    struct config config;
    struct log log;        /* log_info(&daemon->log, …) */
    const char *name;      /* [service] name; of config */
    struct list kafka;     /* [kafka]: struct pair; the daemon's to add to */
    struct roots roots;    /* [root] keys */
    struct key_pair *keys; /* NULL where the kind signs nothing */
    struct list enrolment; /* struct envelope: own first, then its chain */
    struct hash by;        /* the hash of the own enrolment */
    struct hash root;      /* the root that it goes up to */
    struct kafka_writer *writer;
    struct postgres *postgres; /* NULL where .postgres is false */
    void *state;               /* what start made */
    struct life *life;         /* service.c's own */
    struct signals *signals;   /* service_signals.c's own */
};

struct service {
    const char *name;       /* "errand-authorizer" */
    enum service_kind kind; /* recorder: signs nothing, has no key */
    bool postgres;
    bool before_writer; /* start runs before librdkafka does (it forks) */
    bool reloads;       /* on HUP: see daemon_reload_asked() */
    int ending_ms; /* from TERM, or from when it is hurried, to the end at any
                      price; 0: 5 s */
    const struct config_key *keys; /* beside the common ones */
    size_t n_keys;
    /* What else is wrong with the configuration (status 78); before start, and
     * for --check-config. May be NULL. */
    int (*check)(struct daemon *daemon, struct err *err);
    /* Prints what this host has for the daemon, and what it lacks; NULL: there
     * is no --check-host. Of the files that the configuration names none was
     * read. */
    int (*check_host)(struct daemon *daemon, struct err *err);
    /* Of daemon->writer, with the daemon as its arg; may be NULL. */
    kafka_delivered *delivered;
    /* The database is open by then, and the writer is there, but see above.
     * RETRY: called again, after stop where there is a state. */
    int (*start)(struct daemon *daemon, struct err *err);
    int (*turn)(struct daemon *daemon, struct err *err);
    /* Releases daemon->state; not called where that is NULL. What was sent to
     * the writer is flushed after it. */
    void (*stop)(struct daemon *daemon);
};

/* main() of every daemon; returns the exit status. */
int service_main(const struct service *service, int argc, char **argv);

/* Reads what service_main() reads before it starts (configuration, pins, key,
 * enrolment) into a daemon that has its `service`: for a process that is a part
 * of one, and knows no Kafka. */
int daemon_read(struct daemon *daemon, const char *config, struct err *err);

/* True once TERM or INT came: finish, and return from turn. */
bool daemon_ending(const struct daemon *daemon);

/* Readable once TERM or INT came; for epoll. */
int daemon_ending_fd(const struct daemon *daemon);

/* It drains: from TERM or INT on, it goes on (in stop) for so long with what it
 * has; counts from the next signal on. */
void daemon_drain(struct daemon *daemon, int64_t ms);

/* True, and readable, once that time has passed or another signal came. */
bool daemon_hurried(const struct daemon *daemon);
int daemon_hurried_fd(const struct daemon *daemon);

/* True, once, and readable until it was asked, when HUP came. */
bool daemon_reload_asked(const struct daemon *daemon);
int daemon_reload_fd(const struct daemon *daemon);

/* The configuration's file as it is now, checked as at the start (of the files
 * that it names none is read). Both are the caller's. -1: says what is wrong.
 */
int daemon_config_again(const struct daemon *daemon, struct buf *ret_text,
                        struct config *ret_config, struct err *err);

/* Takes from such bytes all that may change while it runs; what else differs is
 * logged by name, and stays. -1: they are not good, and nothing was taken. */
int daemon_config_take(struct daemon *daemon, const struct buf *text,
                       struct err *err);

/* Waits until one of these descriptors is readable, or TERM or INT came; at
 * most timeout_ms. */
void daemon_wait(struct daemon *daemon, const int *fds, size_t n,
                 int timeout_ms);

/* Has this reader's trouble and notes logged, beside the writer's; borrowed.
 * daemon_unwatch() before it is freed. */
void daemon_watch(struct daemon *daemon, struct kafka_reader *reader);
void daemon_unwatch(struct daemon *daemon, const struct kafka_reader *reader);

/* Call it when requests can be served: says so in log and ready file, once. */
void daemon_ready(struct daemon *daemon);

/* Sends a record to errand.dead (at most 64 KiB of its value) with topic,
 * partition, offset and the reason in its headers before its own, and waits for
 * its delivery. RETRY: not within a second; asked again for the same record, it
 * only goes on waiting. */
int daemon_dead(struct daemon *daemon, const struct record *record,
                const struct err *reason, struct err *err);

/* The same for many at a time, and for who can't wait: .delivered is told of it
 * with this tag. RETRY: it was not sent. */
int daemon_dead_send(struct daemon *daemon, const struct record *record,
                     const struct err *reason, uint64_t tag, struct err *err);

/* What was said is for good: nothing is left to do for this enrolment. Makes it
 * FATAL, with status 78; -1. */
int daemon_no_more(struct err *err);

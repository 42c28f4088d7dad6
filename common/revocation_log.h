/*
 * revocation_log.h: reading errand.revocations, from its beginning and on.
 *
 * In come its records, out goes each entry that its signer might add, once and
 * in order, into a standing. Whoever can write to the topic can write anything
 * there: what is no entry, forks, or was not theirs to sign is told and passed
 * over. An entry that comes before its predecessor waits for it.
 */
#pragma once

#include "io/kafka.h"
#include "trust/revocation.h"

struct revocation_log;

/* An entry was added to the standing. -1: the reading ends with this error. */
typedef int revocation_seen(void *arg, const struct revocation *entry,
                            struct err *err);
/* A record that is passed over, and why. */
typedef int revocation_refused(void *arg, const struct record *record,
                               const struct err *why, struct err *err);

struct revocation_watch {
    const struct roots *roots;
    struct standing *standing; /* borrowed; changed by reading */
    revocation_seen *seen;
    revocation_refused *refused;
    void *arg;
};

struct revocation_log *revocation_log_new(const struct list *kafka,
                                          const struct revocation_watch *watch,
                                          struct err *err);
void revocation_log_free(struct revocation_log *log);

/* Finds the topic's bounds and begins. RETRY: no broker yet. */
int revocation_log_begin(struct revocation_log *log, struct err *err);

/* Reads what is there. */
int revocation_log_read(struct revocation_log *log, struct err *err);

/* True once everything that was there at the beginning has been read. */
bool revocation_log_current(const struct revocation_log *log);

int revocation_log_fd(struct revocation_log *log);
struct kafka_reader *revocation_log_reader(struct revocation_log *log);

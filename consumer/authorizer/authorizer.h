/*
 * authorizer.h: what the authorizer's parts share, and the way of a batch:
 * taken (authorizer.c), decided in a transaction (transaction.c), delivered
 * after its commit (deliver.c), its offsets committed last.
 */
#pragma once

#include "consumer/authorizer/decide.h"
#include "consumer/authorizer/revocations.h"

struct factor_key;

struct authorizer {
    struct daemon *daemon;
    struct source *source;
    struct factor_key *factor_key;
    struct chains *chains; /* of the transaction that is open */
    struct revocations revocations;
    int64_t until;        /* the end of the own enrolment */
    int64_t retention_at; /* by the steady clock: see retention.h */
    int64_t reply_partitions;
    struct kafka_reader *reader;
    struct list known; /* char *: dispatch topics that are there */
    int64_t look_at;   /* for runs that ended, by the steady clock; 0: now */
    struct rows *ends; /* that are sent, and not known to be delivered */
};

struct item {
    struct record record;
    struct decided decided;
    bool done; /* the decision is in PostgreSQL, or it is for errand.dead */
};

struct requests {
    struct list items; /* struct item */
    bool decided;      /* all of them are done */
    size_t round;      /* how far the delivery is: round, … */
    size_t item;       /* … item … */
    size_t out;        /* … and record of it */
};

void requests_clear(struct requests *batch);

/* Decides what is not done yet, in one transaction; where a row is bad, in one
 * each, and the culprit is for errand.dead. RETRY: again, later. */
int requests_decide(struct authorizer *authorizer, struct requests *batch,
                    struct err *err);

/* Sends what was decided, and waits until it is delivered; then commits the
 * offsets. RETRY: goes on where it was. */
int requests_deliver(struct authorizer *authorizer, struct requests *batch,
                     struct err *err);

/* Stores what the root key signed and the own configuration names: root.init
 * with the first administrator, and the own enrolment; again is fine. Sets
 * revocations.init and until. */
int installation_store(struct authorizer *authorizer, struct err *err);

/*
 * recorder.h: what the recorder's files share: its state, and batches of
 * records on their way into PostgreSQL.
 *
 * A batch is either claims or the rest. It is collected, each record's signer
 * is found, what is known of the executions is read, each gets its verdict;
 * what is dead goes to errand.dead; then rows and positions are written in one
 * transaction. Nothing outlives an error: all is read anew from the positions
 * in PostgreSQL.
 */
#pragma once

#include "consumer/recorder/sources.h"
#include "consumer/recorder/speakers.h"
#include "service.h"

struct item {
    struct source *source;
    struct record record;
    struct hash hash;
    struct event *event;    /* NULL: unreadable, see reason */
    struct speaker speaker; /* kind 0: see reason */
    struct err reason;      /* REJECT: it's dead; of a claim: void */
    struct claim_row claim; /* of a claim that is the first with its key */
    enum verdict verdict;
    bool others;  /* of errand.events, and nothing that is recorded */
    bool refused; /* PostgreSQL said no to its row: see reason */
    bool buried;  /* it's in errand.dead */
};

struct batch {
    struct item *items; /* room for recorder->batch_max */
    size_t n;
    size_t bytes;
};

struct recorder {
    struct daemon *daemon;
    struct sources sources;
    struct speakers *speakers;
    struct batch results_batch;
    struct batch claims_batch;
    size_t batch_max;
    bool working;
    bool told_standby;
    int64_t look_at; /* when to look for new targets, by the steady clock */
    int64_t look_wide_at; /* … and for new partitions */
};

/* Empties the batch. */
void batch_clear(struct batch *batch);

/* Takes what is there without waiting, up to batch_max, and finds out what it
 * is and who signed it. */
int batch_fill(struct recorder *recorder, struct kafka_reader *reader,
               struct batch *batch, struct err *err);

/* Writes a batch of claims, and one of the rest. */
int write_claims(struct recorder *recorder, struct batch *batch,
                 struct err *err);
int write_results(struct recorder *recorder, struct batch *batch,
                  struct err *err);

/* Sends those that are dead to errand.dead; once each, unless this life ends.
 */
int bury(struct recorder *recorder, struct item *items, size_t n,
         struct err *err);

/* What both kinds of batches do: `write` all of it in a transaction; where
 * PostgreSQL refuses a row, one record a transaction, the culprit aside. */
typedef int write_items(struct recorder *recorder, struct item *items, size_t n,
                        struct err *err);
int write_batch(struct recorder *recorder, struct batch *batch,
                write_items *write, struct err *err);

/* Ends a transaction that wrote the rows of these items: positions, COMMIT. */
int write_positions(struct recorder *recorder, const struct item *items,
                    size_t n, struct err *err);

/* Runs a row's statement. */
int write_row(struct recorder *recorder, const struct row *row,
              struct err *err);

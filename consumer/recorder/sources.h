/*
 * sources.h: the partitions that the recorder follows, and how far it is in
 * each.
 *
 * `positions` in PostgreSQL is the only truth: next offset, the cluster's id
 * and the hash of the last record, moved by compare-and-set in the transaction
 * that writes the rows. When a partition is taken up, the record before the
 * position is read once more and compared: another cluster, a rewritten log or
 * a position outside of the log stops the process (FATAL) and names the
 * runbook.
 */
#pragma once

#include "consumer/recorder/rows.h"
#include "io/kafka.h"

#define RUNBOOK "see ops/README.md, \"The recorder stops over a position\""
#define RESULTS_TOPIC "errand.results"
#define EXECUTORS_TOPIC "errand.executors"
#define EVENTS_TOPIC "errand.events"

struct source {
    char *topic;
    int64_t partition;
    struct place place; /* claim logs; else none */
    bool begun;         /* its reader reads it */
    bool compacted;     /* records may be missing */
    bool compare;       /* the record at next - 1 comes first, once more */
    struct hash last;   /* of the record at next - 1; zero: unknown */
    int64_t next;       /* to be read */
    int64_t saved;      /* `next` in PostgreSQL */
    struct {            /* what the open transaction makes of it */
        bool set;
        int64_t next;
        struct hash last;
        int64_t until; /* all that was appended before it has been read */
    } pending;
    int64_t looked_at;   /* when its end was looked for … */
    int64_t looked_high; /* … and what it was */
};

/* Three clients: a question would wait behind a long fetch on the same
 * connection. */
struct sources {
    struct kafka_reader *results; /* and hellos, and events */
    struct kafka_reader *claims;
    struct kafka_reader *asker; /* reads nothing */
    struct list list;           /* struct source * */
    char *cluster;
};

/* Forgets the sources; the readers are somebody else's. */
void sources_done(struct sources *sources);

/* The client that reads it. */
struct kafka_reader *source_reader(const struct sources *sources,
                                   const struct source *source);

/* The source of that topic and partition; NULL: none. */
struct source *sources_find(const struct sources *sources, const char *topic,
                            int64_t partition);

/* A target's claim log in that generation (from 1); NULL: not followed. */
struct source *sources_log(const struct sources *sources, const char *target,
                           int64_t generation);

/* Follows all partitions of results, executors and events. */
int sources_follow_results(struct sources *sources, struct postgres *postgres,
                           struct err *err);

/* Follows the claim log of each target that isn't followed yet. One that is not
 * there (yet) is left for the next time. */
int sources_follow_claims(struct sources *sources, struct postgres *postgres,
                          struct err *err);

/* What a record that was read is: 1: the next one; 0: read before. -1: FATAL,
 * the log was rewritten. ret_hash: the record's. */
int source_take(struct source *source, const struct record *record,
                struct hash *ret_hash, struct err *err);

/* The record's rows are going to be in the open transaction. */
void source_pend(struct source *source, const struct record *record,
                 const struct hash *hash);

/* Moves all pending positions in the open transaction: FATAL where another
 * recorder has moved one meanwhile. Then: it was committed, or it was not. */
int sources_save(struct sources *sources, struct postgres *postgres,
                 struct err *err);
void sources_saved(struct sources *sources, bool committed);

/* Looks for the ends of those partitions that open executions depend on, and
 * writes through which time they have been read. A broker that gives no answer
 * is no error. */
int sources_freshen(struct sources *sources, struct postgres *postgres,
                    struct err *err);

/* claim_log.c: see claim_log.h. */
#include "consumer/executor/claim_log.h"

#include <string.h>
#include <uthash.h>

#define BOUNDS_WAIT 1000   /* ms */
#define READ_AT_ONCE 20000 /* records: some 10 ms */

struct closed {
    struct id execution;
    UT_hash_handle hh;
};

struct gap {
    int64_t from;
    int64_t to;
};

struct claim_log {
    struct kafka_reader *reader;
    char *topic;
    claim_log_seen *seen;
    void *arg;
    struct closed *closed; /* ids with a record */
    struct list gaps;      /* struct gap: found once */
    int64_t low;
    int64_t next;
    int64_t current_at; /* where `next` must be, to be current */
    bool begun;
    bool
        suspect; /* a new gap: read on for more, then anew, before any counts */
    bool more;   /* the last read stopped before it had seen everything */
};

struct claim_log *claim_log_new(const struct list *kafka, const char *topic,
                                claim_log_seen *seen, void *arg,
                                struct err *err)
{
    struct claim_log *log = must_calloc(1, sizeof(*log));

    log->topic = must_strdup(topic);
    log->seen = seen;
    log->arg = arg;
    log->reader = kafka_reader_new(kafka, err);
    if (log->reader == NULL) {
        claim_log_free(log);
        return NULL;
    }
    return log;
}

static void forget(struct claim_log *log)
{
    struct closed *closed;
    struct closed *next;

    HASH_ITER (hh, log->closed, closed, next) {
        HASH_DEL(log->closed, closed);
        free(closed);
    }
}

void claim_log_free(struct claim_log *log)
{
    if (log == NULL) {
        return;
    }
    forget(log);
    kafka_reader_free(log->reader);
    free(log->gaps.items);
    free(log->topic);
    free(log);
}

int claim_log_begin(struct claim_log *log, struct err *err)
{
    int64_t high = 0;

    if (kafka_bounds(log->reader, log->topic, 0, BOUNDS_WAIT, &log->low, &high,
                     err) != 0 ||
        kafka_reader_add(log->reader, log->topic, 0, log->low, err) != 0) {
        return -1;
    }
    forget(log);
    log->next = log->low;
    log->current_at = high;
    log->begun = true;
    log->suspect = false;
    return 0;
}

bool claim_log_holds(const struct claim_log *log, const struct id *execution)
{
    struct closed *closed = NULL;

    HASH_FIND(hh, log->closed, execution->b, sizeof(execution->b), closed);
    return closed != NULL;
}

/* True where this gap was found before: then it is real. Notes it otherwise. */
static bool gap_is_real(struct claim_log *log, int64_t from, int64_t to)
{
    for (size_t i = 0; i < log->gaps.n; i++) {
        const struct gap *gap = &list_at(&log->gaps, struct gap, i);
        if (gap->from == from && gap->to == to) {
            return true;
        }
    }
    struct gap *gap = list_grow(&log->gaps, sizeof(*gap));
    *gap = (struct gap){from, to};
    return false;
}

/* The key is the id as text; a record without a good one closes nothing. */
static int read_key(const struct record *record, struct id *ret_id)
{
    if (record->key.len != ID_TEXT - 1) {
        return -1;
    }
    return id_parse(buf_text(&record->key), ret_id);
}

static void take(struct claim_log *log, const struct record *record)
{
    struct id execution;

    if (read_key(record, &execution) != 0) {
        return;
    }
    bool first = !claim_log_holds(log, &execution);
    if (first) {
        struct closed *closed = must_calloc(1, sizeof(*closed));
        closed->execution = execution;
        HASH_ADD(hh, log->closed, execution.b, sizeof(execution.b), closed);
    }
    log->seen(log->arg, &execution, first, record);
}

static void take_or_suspect(struct claim_log *log, const struct record *record)
{
    if (record->offset != log->next &&
        !gap_is_real(log, log->next, record->offset)) {
        log->suspect = true;
    }
    log->next = record->offset + 1;
    if (!log->suspect) {
        take(log, record);
    }
}

static bool at_end(const struct claim_log *log)
{
    return log->next >= log->current_at ||
           kafka_reader_at_end(log->reader, log->topic, 0);
}

/* All gaps that there are by now are known: they are real if they are there
 * again. It must also reach as far as it did. */
static int read_again(struct claim_log *log, struct err *err)
{
    int64_t reached = log->next;

    if (claim_log_begin(log, err) != 0) {
        return -1;
    }
    log->current_at = log->current_at > reached ? log->current_at : reached;
    return 0;
}

int claim_log_read(struct claim_log *log, struct err *err)
{
    log->more = true;
    for (int n = 0; n < READ_AT_ONCE; n++) {
        _cleanup_record_ struct record record = {0};
        int got = kafka_reader_poll(log->reader, 0, &record, err);
        if (got < 0) {
            return -1;
        }
        if (got > 0) {
            take_or_suspect(log, &record);
        } else if (log->suspect && at_end(log)) {
            return read_again(log, err);
        } else {
            log->more = false;
            return 0;
        }
    }
    return 0;
}

bool claim_log_more(const struct claim_log *log)
{
    return log->more;
}

bool claim_log_current(const struct claim_log *log)
{
    return log->begun && !log->suspect && at_end(log);
}

int claim_log_fd(struct claim_log *log)
{
    return kafka_reader_fd(log->reader);
}

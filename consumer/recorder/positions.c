/* positions.c: how far the sources have been read; see sources.h. */
#include <string.h>

#include "base/clock.h"
#include "consumer/recorder/sources.h"

#define ASK 1000    /* ms for an answer of the broker */
#define SETTLED 900 /* ms after which what was not delivered is no record */

/* Of what a reader gets, whatever the client library makes of the rest. */
static struct hash record_hash(const struct record *record)
{
    struct part parts[] = {{record->key.data, record->key.len},
                           {record->value.data, record->value.len}};

    return hash_tuple(parts, ARRAY_SIZE(parts));
}

static int rewritten(const struct source *source, struct err *err)
{
    return err_set(err, ERR_FATAL,
                   "%s [%lld]: the record at %lld is not the "
                   "one that was recorded: the log was rewritten: " RUNBOOK,
                   source->topic, (long long)source->partition,
                   (long long)source->next - 1);
}

int source_take(struct source *source, const struct record *record,
                struct hash *ret_hash, struct err *err)
{
    struct hash hash = record_hash(record);
    bool before = record->offset < source->next;

    if (source->compare) {
        source->compare = false;
        if (before ? !hash_equal(&hash, &source->last) : !source->compacted) {
            return rewritten(source, err);
        }
    }
    if (before) {
        return 0;
    }
    source->next = record->offset + 1;
    source->last = hash;
    *ret_hash = hash;
    return 1;
}

void source_pend(struct source *source, const struct record *record,
                 const struct hash *hash)
{
    source->pending.set = true;
    source->pending.next = record->offset + 1;
    source->pending.last = *hash;
    source->pending.until = record->timestamp;
}

static int save(const struct source *source, struct postgres *postgres,
                struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(postgres,
           "UPDATE positions SET next = $4, last_hash = $5,"
           " read_until = greatest(read_until, $6)"
           " WHERE reader = 'recorder' AND topic = $1 AND partition = $2"
           " AND next = $3",
           &rows, err, P_TEXT(source->topic), P_INT(source->partition),
           P_INT(source->saved), P_INT(source->pending.next),
           P_HASH(&source->pending.last), P_TIME(source->pending.until)) != 0) {
        return -1;
    }
    return rows_n(rows) == 1
               ? 0
               : err_set(err, ERR_FATAL,
                         "%s [%lld]: another recorder moved the "
                         "position from %lld: this one stops",
                         source->topic, (long long)source->partition,
                         (long long)source->saved);
}

int sources_save(struct sources *sources, struct postgres *postgres,
                 struct err *err)
{
    for (size_t i = 0; i < sources->list.n; i++) {
        const struct source *source =
            list_at(&sources->list, struct source *, i);
        if (source->pending.set && save(source, postgres, err) != 0) {
            return -1;
        }
    }
    return 0;
}

void sources_saved(struct sources *sources, bool committed)
{
    for (size_t i = 0; i < sources->list.n; i++) {
        struct source *source = list_at(&sources->list, struct source *, i);
        if (source->pending.set && committed) {
            source->saved = source->pending.next;
        }
        source->pending.set = false;
    }
}

/* True where somebody waits for what this source may say: all results and
 * hellos count, and the claim logs of the targets in `open`; mails don't. */
static bool awaited(const struct source *source, const struct rows *open)
{
    if (source->place.generation == 0) {
        return strcmp(source->topic, EVENTS_TOPIC) != 0;
    }
    for (size_t i = 0; i < rows_n(open); i++) {
        if (row_int(open, i, "generation") == source->place.generation &&
            strcmp(row_text(open, i, "target"), source->place.target) == 0) {
            return true;
        }
    }
    return false;
}

/* Through which moment the source has been read; 0: not to its end. Offsets at
 * the end without a record (a transaction's marker) never come: an end that was
 * there a while ago, and is the reader's too, is reached. */
static int find_end(const struct sources *sources, struct source *source,
                    int64_t *ret_until, struct err *err)
{
    int64_t now = clock_now();
    int64_t low = 0;
    int64_t high = 0;

    if (kafka_bounds(sources->asker, source->topic, source->partition, ASK,
                     &low, &high, err) != 0) {
        return -1;
    }
    bool settled = high == source->looked_high &&
                   now - source->looked_at >= SETTLED &&
                   kafka_reader_at_end(source_reader(sources, source),
                                       source->topic, source->partition);
    *ret_until = high == source->next ? now : settled ? source->looked_at : 0;
    source->looked_at = now;
    source->looked_high = high;
    return 0;
}

static int save_end(const struct source *source, int64_t until,
                    struct postgres *postgres, struct err *err)
{
    return PG(postgres,
              "UPDATE positions SET read_until = greatest(read_until, $4)"
              " WHERE reader = 'recorder' AND topic = $1 AND partition = $2"
              " AND next = $3",
              NULL, err, P_TEXT(source->topic), P_INT(source->partition),
              P_INT(source->saved), P_TIME(until));
}

static int save_ends(const struct sources *sources, const int64_t *until,
                     struct postgres *postgres, struct err *err)
{
    if (postgres_begin(postgres, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < sources->list.n; i++) {
        if (until[i] != 0 &&
            save_end(list_at(&sources->list, struct source *, i), until[i],
                     postgres, err)) {
            postgres_rollback(postgres);
            return -1;
        }
    }
    return postgres_commit(postgres, err);
}

int sources_freshen(struct sources *sources, struct postgres *postgres,
                    struct err *err)
{
    _cleanup_rows_ struct rows *open = NULL;
    _cleanup_free_ int64_t *until =
        must_calloc(sources->list.n + 1, sizeof(*until));
    struct err silent = {0};

    if (PG(postgres,
           "SELECT DISTINCT target, generation FROM executions"
           " WHERE NOT ended AND issued < now() - interval '1 s'",
           &open, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < sources->list.n; i++) {
        struct source *source = list_at(&sources->list, struct source *, i);
        if (rows_n(open) > 0 && source->saved == source->next &&
            awaited(source, open) &&
            find_end(sources, source, &until[i], &silent) != 0) {
            break;
        }
    }
    return rows_n(open) == 0 ? 0 : save_ends(sources, until, postgres, err);
}

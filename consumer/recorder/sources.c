/* sources.c: see sources.h. Positions are begun here, and moved in positions.c.
 */
#include "consumer/recorder/sources.h"

#include <string.h>

#include "model/target.h"

#define ASK 5000 /* ms for an answer of the broker */

void sources_done(struct sources *sources)
{
    for (size_t i = 0; i < sources->list.n; i++) {
        struct source *source = list_at(&sources->list, struct source *, i);
        free(source->topic);
        free(source);
    }
    free(sources->list.items);
    sources->list = (struct list){0};
    free(sources->cluster);
    sources->cluster = NULL;
}

struct kafka_reader *source_reader(const struct sources *sources,
                                   const struct source *source)
{
    return source->place.generation == 0 ? sources->results : sources->claims;
}

struct source *sources_find(const struct sources *sources, const char *topic,
                            int64_t partition)
{
    for (size_t i = 0; i < sources->list.n; i++) {
        struct source *source = list_at(&sources->list, struct source *, i);
        if (source->partition == partition &&
            strcmp(source->topic, topic) == 0) {
            return source;
        }
    }
    return NULL;
}

struct source *sources_log(const struct sources *sources, const char *target,
                           int64_t generation)
{
    for (size_t i = 0; i < sources->list.n; i++) {
        struct source *source = list_at(&sources->list, struct source *, i);
        if (source->place.generation == generation &&
            strcmp(source->place.target, target) == 0) {
            return source;
        }
    }
    return NULL;
}

static int ask_cluster(struct sources *sources, struct err *err)
{
    if (sources->cluster == NULL) {
        sources->cluster = kafka_cluster(sources->asker, ASK, err);
    }
    return sources->cluster == NULL ? -1 : 0;
}

/* Takes the position from PostgreSQL, where it is made if there is none. */
static int load(struct source *source, const struct sources *sources,
                int64_t low, struct postgres *postgres, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(postgres,
           "INSERT INTO positions (reader, topic, partition, next, cluster_id)"
           " VALUES ('recorder', $1, $2, $3, $4) ON CONFLICT DO NOTHING",
           NULL, err, P_TEXT(source->topic), P_INT(source->partition),
           P_INT(low), P_TEXT(sources->cluster)) != 0 ||
        PG(postgres,
           "SELECT next, cluster_id, last_hash FROM positions"
           " WHERE reader = 'recorder' AND topic = $1 AND partition = $2",
           &rows, err, P_TEXT(source->topic), P_INT(source->partition)) != 0) {
        return -1;
    }
    const char *cluster = row_text(rows, 0, "cluster_id");
    if (strcmp(cluster, sources->cluster) != 0) {
        return err_set(err, ERR_FATAL,
                       "%s [%lld] was read from cluster %.60s, "
                       "and this is cluster %.60s: " RUNBOOK,
                       source->topic, (long long)source->partition, cluster,
                       sources->cluster);
    }
    source->next = row_int(rows, 0, "next");
    source->saved = source->next;
    source->last = row_hash(rows, 0, "last_hash");
    return 0;
}

static int check_bounds(const struct source *source, int64_t low, int64_t high,
                        struct err *err)
{
    if (source->next >= low && source->next <= high) {
        return 0;
    }
    return err_set(err, ERR_FATAL,
                   "%s [%lld]: the position %lld is outside of "
                   "the log, which holds %lld to %lld: " RUNBOOK,
                   source->topic, (long long)source->partition,
                   (long long)source->next, (long long)low, (long long)high);
}

/* Finds out where a partition is to be read on: where PostgreSQL says, or at
 * its earliest record. `place` NULL: no claim log. REJECT: no such topic. */
static int follow(struct sources *sources, struct postgres *postgres,
                  const char *topic, int64_t partition,
                  const struct place *place, struct err *err)
{
    int64_t low = 0;
    int64_t high = 0;
    struct source source = {
        .topic = (char *)topic,
        .partition = partition,
        .place = place == NULL ? (struct place){.generation = 0} : *place,
        .compacted = strcmp(topic, EXECUTORS_TOPIC) == 0,
        .looked_high = -1};

    if (ask_cluster(sources, err) != 0 ||
        kafka_bounds(sources->asker, topic, partition, ASK, &low, &high, err) !=
            0 ||
        load(&source, sources, low, postgres, err) != 0 ||
        check_bounds(&source, low, high, err) != 0) {
        return -1;
    }
    source.compare = !hash_is_zero(&source.last) && source.next > low;
    struct source *kept = must_calloc(1, sizeof(*kept));
    *kept = source;
    kept->topic = must_strdup(topic);
    *(struct source **)list_grow(&sources->list, sizeof(kept)) = kept;
    return 0;
}

static int begin_one(struct sources *sources, struct source *source, bool ask,
                     struct err *err)
{
    struct kafka_reader *reader = source_reader(sources, source);
    int64_t n = 0;

    if (source->begun) {
        return 0;
    }
    if (ask) {
        return kafka_partitions(reader, source->topic, ASK, &n, err);
    }
    source->begun = true;
    return kafka_reader_add(reader, source->topic, source->partition,
                            source->next - (source->compare ? 1 : 0), err);
}

/* Reads what is followed but not read yet. Its readers are told of all topics
 * before any is read: later their questions wait behind a long fetch. */
static int begin_all(struct sources *sources, struct err *err)
{
    for (size_t i = 0; i < 2 * sources->list.n; i++) {
        struct source *source =
            list_at(&sources->list, struct source *, i % sources->list.n);
        if (begin_one(sources, source, i < sources->list.n, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int follow_topic(struct sources *sources, struct postgres *postgres,
                        const char *topic, struct err *err)
{
    int64_t n = 0;

    if (kafka_partitions(sources->asker, topic, ASK, &n, err) != 0) {
        if (err->kind == ERR_REJECT) {
            err->kind = ERR_FATAL;
            return err_wrap(err, "make the topics (ops/kafka/topics.py)");
        }
        return -1;
    }
    for (int64_t i = 0; i < n; i++) {
        if (sources_find(sources, topic, i) == NULL &&
            follow(sources, postgres, topic, i, NULL, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int sources_follow_results(struct sources *sources, struct postgres *postgres,
                           struct err *err)
{
    return follow_topic(sources, postgres, RESULTS_TOPIC, err) != 0 ||
                   follow_topic(sources, postgres, EXECUTORS_TOPIC, err) != 0 ||
                   follow_topic(sources, postgres, EVENTS_TOPIC, err) != 0 ||
                   begin_all(sources, err) != 0
               ? -1
               : 0;
}

int sources_follow_claims(struct sources *sources, struct postgres *postgres,
                          struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(postgres,
           "SELECT name AS target, generation FROM targets UNION"
           " SELECT DISTINCT target, generation FROM executions"
           " WHERE NOT ended",
           &rows, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct place place = place_of(row_text(rows, i, "target"),
                                      row_int(rows, i, "generation"));
        _cleanup_free_ char *topic =
            claims_topic(place.target, place.generation);
        if (sources_find(sources, topic, 0) != NULL) {
            continue;
        }
        err_clear(err);
        if (follow(sources, postgres, topic, 0, &place, err) != 0 &&
            err->kind != ERR_REJECT) {
            return -1;
        }
    }
    err_clear(err);
    return begin_all(sources, err);
}

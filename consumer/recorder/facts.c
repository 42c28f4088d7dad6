/* facts.c: see facts.h. */
#include "consumer/recorder/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

struct fact {
    struct known known;
    UT_hash_handle hh;
};

struct executor {
    char name[NAME_SIZE];
    struct id incarnation; /* the newest */
    int64_t hello_at;
    UT_hash_handle hh;
};

struct incarnation {
    struct id id;
    char executor[NAME_SIZE];
    UT_hash_handle hh;
};

struct facts {
    struct fact *executions;
    struct executor *executors;
    struct incarnation *incarnations;
};

static void copy_name(char to[static NAME_SIZE], const char *name)
{
    (void)snprintf(to, NAME_SIZE, "%s", name == NULL ? "" : name);
}

static struct known *add_execution(struct facts *facts, const struct id *id)
{
    struct fact *fact = NULL;

    HASH_FIND(hh, facts->executions, id->b, sizeof(id->b), fact);
    if (fact == NULL) {
        fact = must_calloc(1, sizeof(*fact));
        fact->known.execution = *id;
        HASH_ADD(hh, facts->executions, known.execution, sizeof(*id), fact);
    }
    return &fact->known;
}

static struct executor *add_executor(struct facts *facts, const char *name)
{
    struct executor *executor = NULL;

    HASH_FIND_STR(facts->executors, name, executor);
    if (executor == NULL) {
        executor = must_calloc(1, sizeof(*executor));
        copy_name(executor->name, name);
        HASH_ADD_STR(facts->executors, name, executor);
    }
    return executor;
}

static struct incarnation *add_incarnation(struct facts *facts,
                                           const struct id *id)
{
    struct incarnation *incarnation = NULL;

    HASH_FIND(hh, facts->incarnations, id->b, sizeof(id->b), incarnation);
    if (incarnation == NULL) {
        incarnation = must_calloc(1, sizeof(*incarnation));
        incarnation->id = *id;
        HASH_ADD(hh, facts->incarnations, id, sizeof(*id), incarnation);
    }
    return incarnation;
}

/* Executions, where they belong, their claims and results, in one go. Where an
 * older backup lacks the execution, it belongs where it was claimed first. */
static const char executions_text[] =
    "SELECT w.id, coalesce(e.target, c.target) AS target,"
    " coalesce(e.generation, c.generation) AS generation,"
    " c.claim_offset, c.kind, c.incarnation, c.closing, s.key_id,"
    " r.started_hash, r.finished_hash, r.outcome, r.said_by, r.chunks"
    " FROM unnest($1::uuid[]) AS w(id)"
    " LEFT JOIN executions e ON e.id = w.id"
    " LEFT JOIN LATERAL (SELECT * FROM claims c"
    "  WHERE c.execution_id = w.id AND (e.id IS NULL"
    "   OR (c.target = e.target AND c.generation = e.generation))"
    "  ORDER BY c.appended_at LIMIT 1) c ON true"
    " LEFT JOIN services s ON s.hash = c.service_hash"
    " LEFT JOIN results r ON r.execution_id = w.id";

static int word(const struct words *words, const struct rows *rows, size_t i,
                const char *column)
{
    const char *text = row_text(rows, i, column);

    return text == NULL ? 0 : word_value(words, text);
}

static void take_execution(struct facts *facts, const struct rows *rows,
                           size_t i)
{
    struct id id = row_id(rows, i, "id");
    struct known *known = add_execution(facts, &id);

    copy_name(known->place.target, row_text(rows, i, "target"));
    known->place.generation = row_int(rows, i, "generation");
    known->claim.kind = word(&claim_kind_words, rows, i, "kind");
    known->claim.closing = word(&closing_words, rows, i, "closing");
    known->claim.offset = row_int(rows, i, "claim_offset");
    known->claim.incarnation = row_id(rows, i, "incarnation");
    known->claim.key = row_hash(rows, i, "key_id");
    known->started = row_hash(rows, i, "started_hash");
    known->finished = row_hash(rows, i, "finished_hash");
    known->outcome = word(&outcome_words, rows, i, "outcome");
    known->said_by = word(&said_by_words, rows, i, "said_by");
    known->chunks = row_int(rows, i, "chunks");
}

static int load_executions(struct facts *facts, struct postgres *postgres,
                           const struct list *ids, struct err *err)
{
    _cleanup_free_ char *array = uuid_array(ids);
    _cleanup_rows_ struct rows *rows = NULL;

    if (ids->n == 0) {
        return 0;
    }
    if (PG(postgres, executions_text, &rows, err, P_TEXT(array)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        take_execution(facts, rows, i);
    }
    return 0;
}

static void id_bounds(const struct list *ids, struct id *ret_low,
                      struct id *ret_high)
{
    *ret_low = *ret_high = list_at(ids, struct id, 0);
    for (size_t i = 1; i < ids->n; i++) {
        const struct id *id = &list_at(ids, struct id, i);
        if (memcmp(id->b, ret_low->b, sizeof(id->b)) < 0) {
            *ret_low = *id;
        } else if (memcmp(id->b, ret_high->b, sizeof(id->b)) > 0) {
            *ret_high = *id;
        }
    }
}

/* Chunks that the batch's chunks follow, or repeat. The bounds leave the other
 * months of output alone. */
static int load_numbers(struct facts *facts, struct postgres *postgres,
                        const struct list *ids, const struct buf *numbers,
                        struct err *err)
{
    _cleanup_free_ char *array = uuid_array(ids);
    _cleanup_rows_ struct rows *rows = NULL;
    struct id low;
    struct id high;

    if (ids->n == 0) {
        return 0;
    }
    id_bounds(ids, &low, &high);
    if (PG(postgres,
           "SELECT DISTINCT o.execution_id, o.number, o.hash"
           " FROM unnest($1::uuid[], $2::bigint[]) AS w(id, number)"
           " JOIN outputs o ON o.execution_id = w.id AND o.number = w.number"
           " WHERE o.execution_id BETWEEN $3 AND $4",
           &rows, err, P_TEXT(array), P_TEXT(buf_text(numbers)), P_ID(&low),
           P_ID(&high)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct id id = row_id(rows, i, "execution_id");
        struct known *known = add_execution(facts, &id);
        struct numbered *at = list_grow(&known->numbers, sizeof(*at));
        at->number = row_int(rows, i, "number");
        at->hash = row_hash(rows, i, "hash");
    }
    return 0;
}

/* Which executions, and which of their chunks, a batch speaks of. */
struct wanted {
    struct list ids;       /* struct id, each once */
    struct list chunk_ids; /* struct id, one for each of … */
    struct buf numbers;    /* … these, as an array literal */
    struct list names;     /* char * */
    struct list lives;     /* struct id */
};

static void wanted_done(struct wanted *wanted)
{
    free(wanted->ids.items);
    free(wanted->chunk_ids.items);
    buf_done(&wanted->numbers);
    texts_done(&wanted->names);
    free(wanted->lives.items);
}

static void add_id(struct list *ids, const struct id *id)
{
    *(struct id *)list_grow(ids, sizeof(*id)) = *id;
}

static void want_hello(struct wanted *wanted,
                       const struct executor_hello *hello)
{
    if (!texts_hold(&wanted->names, hello->name)) {
        texts_add(&wanted->names, hello->name);
    }
    add_id(&wanted->lives, &hello->incarnation);
}

static int want_result(struct wanted *wanted, struct facts *facts,
                       const struct event *event, struct err *err)
{
    const struct result *result = event->payload;
    struct fact *fact = NULL;
    int64_t first = 0;
    size_t n = rows_needs(event, &first);

    HASH_FIND(hh, facts->executions, result->execution.b,
              sizeof(result->execution.b), fact);
    if (fact == NULL) {
        (void)add_execution(facts, &result->execution);
        add_id(&wanted->ids, &result->execution);
    }
    for (size_t i = 0; i < n; i++) {
        add_id(&wanted->chunk_ids, &result->execution);
        if (buf_addf(&wanted->numbers, "%s%" PRId64,
                     wanted->numbers.len == 0 ? "{" : ",",
                     first + (int64_t)i) != 0) {
            return err_set(err, ERR_RETRY, "out of memory");
        }
    }
    return 0;
}

static int want(struct wanted *wanted, struct facts *facts,
                const struct item *items, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct event *event = items[i].event;
        if (event == NULL || items[i].speaker.kind == SERVICE_NONE ||
            items[i].speaker.kind == SERVICE_NOTIFIER) {
            continue;
        }
        if (event->kind == EVENT_HELLO) {
            want_hello(wanted, event->payload);
        } else if (want_result(wanted, facts, event, err) != 0) {
            return -1;
        }
    }
    return buf_adds(&wanted->numbers, wanted->numbers.len == 0 ? "{}" : "}") ==
                   0
               ? 0
               : err_set(err, ERR_RETRY, "out of memory");
}

/* Names need no quotes in an array literal. */
static char *name_array(const struct list *names)
{
    struct buf text = {0};

    for (size_t i = 0; i < names->n; i++) {
        if (buf_addf(&text, "%c%s", i == 0 ? '{' : ',',
                     list_at(names, char *, i)) != 0) {
            abort();
        }
    }
    if (buf_adds(&text, names->n == 0 ? "{}" : "}") != 0) {
        abort();
    }
    return buf_take(&text);
}

static int load_lives(struct facts *facts, struct postgres *postgres,
                      const struct wanted *wanted, struct err *err)
{
    _cleanup_free_ char *names = name_array(&wanted->names);
    _cleanup_free_ char *lives = uuid_array(&wanted->lives);
    _cleanup_rows_ struct rows *executors = NULL;
    _cleanup_rows_ struct rows *incarnations = NULL;

    if (wanted->names.n == 0) {
        return 0;
    }
    if (PG(postgres,
           "SELECT name, incarnation, hello_at FROM executors"
           " WHERE name = ANY($1::text[])",
           &executors, err, P_TEXT(names)) != 0 ||
        PG(postgres,
           "SELECT incarnation, executor FROM incarnations"
           " WHERE incarnation = ANY($1::uuid[])",
           &incarnations, err, P_TEXT(lives)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(executors); i++) {
        struct executor *executor =
            add_executor(facts, row_text(executors, i, "name"));
        executor->incarnation = row_id(executors, i, "incarnation");
        executor->hello_at = row_time(executors, i, "hello_at");
    }
    for (size_t i = 0; i < rows_n(incarnations); i++) {
        struct id id = row_id(incarnations, i, "incarnation");
        copy_name(add_incarnation(facts, &id)->executor,
                  row_text(incarnations, i, "executor"));
    }
    return 0;
}

struct facts *facts_load(struct recorder *recorder, const struct item *items,
                         size_t n, struct err *err)
{
    struct postgres *postgres = recorder->daemon->postgres;
    _cleanup_facts_ struct facts *facts = must_calloc(1, sizeof(*facts));
    _cleanup_(wanted_done) struct wanted wanted = {.ids = {.n = 0}};

    if (want(&wanted, facts, items, n, err) != 0 ||
        load_executions(facts, postgres, &wanted.ids, err) != 0 ||
        load_numbers(facts, postgres, &wanted.chunk_ids, &wanted.numbers,
                     err) != 0 ||
        load_lives(facts, postgres, &wanted, err) != 0) {
        return NULL;
    }
    return take_ptr(facts);
}

void facts_free(struct facts *facts)
{
    struct fact *fact;
    struct fact *next_fact;
    struct executor *executor;
    struct executor *next_executor;
    struct incarnation *incarnation;
    struct incarnation *next_incarnation;

    if (facts == NULL) {
        return;
    }
    HASH_ITER (hh, facts->executions, fact, next_fact) {
        HASH_DEL(facts->executions, fact);
        known_done(&fact->known);
        free(fact);
    }
    HASH_ITER (hh, facts->executors, executor, next_executor) {
        HASH_DEL(facts->executors, executor);
        free(executor);
    }
    HASH_ITER (hh, facts->incarnations, incarnation, next_incarnation) {
        HASH_DEL(facts->incarnations, incarnation);
        free(incarnation);
    }
    free(facts);
}

struct known *facts_known(struct facts *facts, const struct event *result)
{
    const struct result *payload = result->payload;

    return add_execution(facts, &payload->execution);
}

struct heard facts_heard(const struct facts *facts,
                         const struct executor_hello *hello)
{
    struct heard heard = {.hello_at = 0};
    struct executor *executor = NULL;
    struct incarnation *incarnation = NULL;

    HASH_FIND_STR(facts->executors, hello->name, executor);
    if (executor != NULL) {
        heard.current = executor->incarnation;
        heard.hello_at = executor->hello_at;
    }
    HASH_FIND(hh, facts->incarnations, hello->incarnation.b,
              sizeof(hello->incarnation.b), incarnation);
    if (incarnation != NULL) {
        heard.seen = true;
        copy_name(heard.seen_as, incarnation->executor);
    }
    return heard;
}

void facts_hear(struct facts *facts, const struct heard *heard,
                const struct executor_hello *hello)
{
    struct executor *executor = add_executor(facts, hello->name);

    executor->incarnation = heard->current;
    executor->hello_at = heard->hello_at;
    copy_name(add_incarnation(facts, &hello->incarnation)->executor,
              hello->name);
}

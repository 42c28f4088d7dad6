/* retention.c: see retention.h. */
#include "consumer/authorizer/retention.h"

#include "base/clock.h"
#include "trust/cut_proof.h"

#define FLUSH_MS 3000
#define AGAIN_MS 60000 /* after a failure */

/* In a turn: deciding goes on in between. */
#define RUNS_AT_ONCE 100  /* whose small rows go */
#define ROWS_AT_ONCE 5000 /* of a month's, that are read */

/* A month to be dropped. */
struct due {
    char *month; /* as PostgreSQL writes a date */
    int64_t until;
    struct hash policy;
};

static void due_done(struct due *due)
{
    free(due->month);
}

/* 1: there is one; 0: none. */
static int find_due(const struct authorizer *authorizer, struct due *ret_due,
                    struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(authorizer->daemon->postgres,
           "SELECT month::text AS month, until, policy FROM retention_due()",
           &rows, err) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return 0;
    }
    *ret_due = (struct due){.month = must_strdup(row_text(rows, 0, "month")),
                            .until = row_time(rows, 0, "until"),
                            .policy = row_hash(rows, 0, "policy")};
    return 1;
}

/* Rows are added to the month no more until the transaction ends. */
static int find_spans(const struct authorizer *authorizer,
                      const struct due *due, struct list *spans,
                      struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(authorizer->daemon->postgres,
           "SELECT * FROM retention_spans($1::text::date)", &rows, err,
           P_TEXT(due->month)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        *(struct span_row *)list_grow(spans, sizeof(struct span_row)) =
            (struct span_row){.partition = row_int(rows, i, "partition"),
                              .first = row_int(rows, i, "first"),
                              .last = row_int(rows, i, "last"),
                              .previous = row_hash(rows, i, "previous"),
                              .head = row_hash(rows, i, "head")};
    }
    return 0;
}

static int store_span(const struct authorizer *authorizer,
                      const struct hash *cut, const struct span_row *span,
                      struct err *err)
{
    return PG(authorizer->daemon->postgres,
              "INSERT INTO audit_spans (hash, partition, first, last, "
              "previous, head) VALUES ($1, $2, $3, $4, $5, $6)",
              NULL, err, P_HASH(cut), P_INT(span->partition),
              P_INT(span->first), P_INT(span->last), P_HASH(&span->previous),
              P_HASH(&span->head));
}

static int store(const struct authorizer *authorizer, const struct due *due,
                 const struct event *event, struct err *err)
{
    const struct audit_cut *cut = event->payload;
    struct postgres *postgres = authorizer->daemon->postgres;
    _cleanup_buf_ struct buf json = {0};

    if (envelope_encode(&event->envelope, &json, err) != 0 ||
        PG(postgres,
           "INSERT INTO envelopes (hash, type, envelope) VALUES ($1, $2, $3)",
           NULL, err, P_HASH(&event->hash), P_TEXT(event->envelope.type),
           P_BUF(&json)) != 0 ||
        PG(postgres,
           "INSERT INTO audit_cuts (hash, month, cut_at) "
           "VALUES ($1, $2::text::date, $3)",
           NULL, err, P_HASH(&event->hash), P_TEXT(due->month),
           P_TIME(cut->head.issued)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < cut->spans.n; i++) {
        if (store_span(authorizer, &event->hash,
                       &list_at(&cut->spans, struct span_row, i), err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* What is said of these spans, signed; and believed only as others will. */
static struct event *make_cut(const struct authorizer *authorizer,
                              const struct due *due, struct list spans,
                              struct err *err)
{
    const struct daemon *daemon = authorizer->daemon;
    _cleanup_proof_ struct proof *proof =
        proof_new(&daemon->roots, source_fetch, authorizer->source);
    struct envelope envelope = {0};
    struct audit_cut cut = {
        .head = head_new(&daemon->root, &daemon->by, clock_now()),
        .until = due->until,
        .policy = due->policy,
        .spans = spans};

    cut.head.id = cut_id(&cut);
    if (event_sign(EVENT_AUDIT_CUT, &cut, daemon->keys, NULL, &envelope, err) !=
        0) {
        return NULL;
    }
    _cleanup_event_ struct event *event = event_new_take(&envelope, err);
    return event != NULL && cut_check(proof, event, err) == 0 ? take_ptr(event)
                                                              : NULL;
}

static int sign_cut(const struct authorizer *authorizer, const struct due *due,
                    struct list spans, struct err *err)
{
    _cleanup_event_ struct event *event = make_cut(authorizer, due, spans, err);

    return event == NULL ? -1 : store(authorizer, due, event, err);
}

static int sign_all(const struct authorizer *authorizer, const struct due *due,
                    struct list *spans, struct err *err)
{
    struct span_row *items = spans->items;
    size_t from = 0;

    do {
        size_t left = spans->n - from;
        struct list part = {.items = items == NULL ? NULL : items + from,
                            .n = left < CUT_SPANS_MAX ? left : CUT_SPANS_MAX};
        if (sign_cut(authorizer, due, part, err) != 0) {
            return -1;
        }
        from += part.n;
    } while (from < spans->n);
    return 0;
}

static int cut_in(const struct authorizer *authorizer, const struct due *due,
                  struct list *spans, struct err *err)
{
    struct postgres *postgres = authorizer->daemon->postgres;

    return find_spans(authorizer, due, spans, err) != 0 ||
                   sign_all(authorizer, due, spans, err) != 0 ||
                   PG(postgres, "SELECT retention_cut($1::text::date)", NULL,
                      err, P_TEXT(due->month)) != 0
               ? -1
               : postgres_commit(postgres, err);
}

/* What is younger of the strays is written anew, and each span by itself: that
 * it takes minutes where they are very many is no fault. */
static int let_it_take(struct postgres *postgres, struct err *err)
{
    return PG(postgres, "SET LOCAL statement_timeout = '15min'", NULL, err);
}

static int cut_month(const struct authorizer *authorizer, const struct due *due,
                     struct err *err)
{
    struct postgres *postgres = authorizer->daemon->postgres;
    struct list spans = {0};

    if (postgres_begin(postgres, err) != 0) {
        return -1;
    }
    int failed = let_it_take(postgres, err) != 0 ||
                 cut_in(authorizer, due, &spans, err) != 0;
    if (failed) {
        postgres_rollback(postgres);
        source_forget(authorizer->source);
    } else {
        log_info(&authorizer->daemon->log,
                 "dropped a month, as the policy says",
                 L_TEXT("month", due->month), L_INT("spans", (int64_t)spans.n));
    }
    free(spans.items);
    return failed ? err_wrap(err, "month %s", due->month) : 0;
}

static int tell_one(const struct authorizer *authorizer,
                    const struct rows *rows, size_t i, struct err *err)
{
    const struct daemon *daemon = authorizer->daemon;
    _cleanup_free_ char *source = must_printf("authorizer/%s", daemon->name);
    _cleanup_buf_ struct buf json = row_bytes(rows, i, "envelope");
    _cleanup_envelope_ struct envelope envelope = {0};
    _cleanup_record_ struct record record = {0};
    struct hash hash = row_hash(rows, i, "hash");

    return envelope_decode(json.data, json.len, &envelope, err) != 0 ||
                   event_to_record(&envelope, source, "errand.events",
                                   PARTITION_BY_KEY, "audit-cut", &record,
                                   err) != 0 ||
                   kafka_writer_send(daemon->writer, &record, 0, err) != 0 ||
                   kafka_writer_flush(daemon->writer, FLUSH_MS, err) != 0 ||
                   PG(daemon->postgres,
                      "UPDATE audit_cuts SET told = true WHERE hash = $1", NULL,
                      err, P_HASH(&hash)) != 0
               ? -1
               : 0;
}

/* After the commit; twice, rather than not at all. */
static int tell(const struct authorizer *authorizer, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(authorizer->daemon->postgres,
           "SELECT c.hash, e.envelope FROM audit_cuts c "
           "JOIN envelopes e USING (hash) WHERE NOT c.told ORDER BY c.cut_at",
           &rows, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        if (tell_one(authorizer, rows, i, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The month's part of the chains. 1: there is more to be read; 0: all that is
 * there was read, here or by another authorizer. */
static int read_some(const struct authorizer *authorizer, const struct due *due,
                     struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    return PG(authorizer->daemon->postgres,
              "SELECT retention_read($1::text::date, $2) AS read", &rows, err,
              P_TEXT(due->month), P_INT(ROWS_AT_ONCE)) != 0
               ? -1
               : row_int(rows, 0, "read") > 0;
}

/* 1: small rows went, and there may be more; 0: nothing is left but months.
 * They go as the month does: not by the database's clock and word alone. */
static int clear(const struct authorizer *authorizer, const struct due *due,
                 struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    _cleanup_event_ struct event *cut =
        make_cut(authorizer, due, (struct list){0}, err);

    return cut == NULL || PG(authorizer->daemon->postgres,
                             "SELECT retention_clear($1) AS cleared", &rows,
                             err, P_INT(RUNS_AT_ONCE)) != 0
               ? -1
               : row_int(rows, 0, "cleared") > 0;
}

/* A step: 1: there is more to do; 0: there is not. */
static int look(const struct authorizer *authorizer, struct err *err)
{
    _cleanup_(due_done) struct due due = {0};

    if (PG(authorizer->daemon->postgres, "SELECT retention_prepare()", NULL,
           err) != 0) {
        return -1;
    }
    int found = find_due(authorizer, &due, err);
    if (found <= 0) {
        return found < 0 ? -1 : tell(authorizer, err);
    }
    return clear(authorizer, &due, err)
               ?: read_some(authorizer, &due, err)
               ?: cut_month(authorizer, &due, err)
               ?: 1;
}

bool retention_tick(struct authorizer *authorizer)
{
    struct daemon *daemon = authorizer->daemon;
    int64_t now = clock_steady();
    struct err err = {0};

    if (now < authorizer->retention_at) {
        return false;
    }
    int more = look(authorizer, &err);
    if (more <= 0) {
        authorizer->retention_at =
            now + 1000 * config_int(&daemon->config, "authorizer", "retention");
    }
    if (more < 0) {
        authorizer->retention_at = now + AGAIN_MS;
        log_warning(&daemon->log,
                    "what is old is not dropped as it is to be: again in a "
                    "while",
                    L_ERR(&err));
    }
    return more > 0;
}

/*
 * postgres.h: PostgreSQL; nothing else sees libpq.
 *
 * Statements are text with $1 … and are prepared at their first use on a
 * connection; parameters and results are binary-safe text. What an error means
 * is told by its kind: RETRY for a connection that is gone, a server that
 * starts or stops, resources, conflicts (SQLSTATE 08, 40, 53, 55, 57, 58);
 * REJECT for a bad row (22, 23); FATAL for the rest (a missing table, a right
 * not granted).
 * A connection that was lost is opened anew at the next use, but not within a
 * transaction: that is gone; every call says RETRY until postgres_rollback().
 * A COMMIT whose answer was lost is RETRY, too: look again, believe no memory.
 * Times travel as timestamptz, bytes as bytea, ids as uuid.
 */
#pragma once

#include "base/fields.h"

/* The number of the last file in schema/sql that this build was written for. */
#define SCHEMA_NUMBER 18

struct postgres;
struct rows;

struct postgres *postgres_new(const char *conninfo, const char *name);
void postgres_free(struct postgres *postgres);

/* Opens the connection if it is not, and checks that the schema's number is at
 * least `schema` (FATAL: not migrated, says the command to run). */
int postgres_open(struct postgres *postgres, int schema, struct err *err);

int postgres_begin(struct postgres *postgres, struct err *err);
/* Where it fails nothing is open any more. */
int postgres_commit(struct postgres *postgres, struct err *err);
/* Does nothing where no transaction is open; never fails. */
void postgres_rollback(struct postgres *postgres);

/* One parameter of a statement. */
enum param_kind {
    PARAM_NULL,
    PARAM_TEXT,
    PARAM_INT,
    PARAM_BYTES,
    PARAM_ID,
    PARAM_TIME,
    PARAM_BOOL
};

struct param {
    enum param_kind kind;
    const void *bytes; /* TEXT (NULL: null), BYTES, ID */
    size_t len;        /* BYTES */
    int64_t number;    /* INT, BOOL, TIME (ms; 0: null) */
};

#define P_TEXT(t) ((struct param){.kind = PARAM_TEXT, .bytes = (t)})
#define P_INT(i) ((struct param){.kind = PARAM_INT, .number = (i)})
#define P_BOOL(b) ((struct param){.kind = PARAM_BOOL, .number = (b)})
#define P_TIME(t) ((struct param){.kind = PARAM_TIME, .number = (t)})
#define P_BYTES(p, n) \
    ((struct param){.kind = PARAM_BYTES, .bytes = (p), .len = (n)})
#define P_HASH(h) P_BYTES((h)->b, sizeof((h)->b))
#define P_KEY(k) P_BYTES((k)->b, sizeof((k)->b))
#define P_BUF(b) P_BYTES((b)->data, (b)->len)
#define P_ID(i) ((struct param){.kind = PARAM_ID, .bytes = (i)})
#define P_NULL ((struct param){.kind = PARAM_NULL})

/* Runs one statement. ret_rows may be NULL; else it is the caller's.
 * PG(postgres, "SELECT … $1", &rows, err, P_ID(&id)) writes the array. */
int postgres_query(struct postgres *postgres, const char *statement,
                   const struct param *params, size_t n, struct rows **ret_rows,
                   struct err *err);

#define PG(postgres, statement, ret_rows, err, ...)                 \
    ({                                                              \
        const struct param _params[] = {P_NULL, ##__VA_ARGS__};     \
        postgres_query((postgres), (statement), _params + 1,        \
                       ARRAY_SIZE(_params) - 1, (ret_rows), (err)); \
    })

/* The same for a statement whose text is put together: it is not prepared but
 * planned for these parameters, and nothing of it stays. */
int postgres_query_once(struct postgres *postgres, const char *statement,
                        const struct param *params, size_t n,
                        struct rows **ret_rows, struct err *err);

void rows_free(struct rows *rows);
static inline void rows_release(struct rows **rows)
{
    rows_free(*rows);
}
#define _cleanup_rows_ _cleanup_(rows_release)

/* How many rows came, or were changed. */
size_t rows_n(const struct rows *rows);

/* Cells. A null is NULL, 0, false, all zero, empty. Texts belong to the rows;
 * bytes of a buf are copied. A type that doesn't fit aborts: it's our bug. */
bool row_is_null(const struct rows *rows, size_t row, const char *column);
const char *row_text(const struct rows *rows, size_t row, const char *column);
int64_t row_int(const struct rows *rows, size_t row, const char *column);
bool row_bool(const struct rows *rows, size_t row, const char *column);
int64_t row_time(const struct rows *rows, size_t row, const char *column);
struct id row_id(const struct rows *rows, size_t row, const char *column);
struct hash row_hash(const struct rows *rows, size_t row, const char *column);
struct buf row_bytes(const struct rows *rows, size_t row, const char *column);

/* LISTENs to a channel (a plain name), also after a loss of the connection. */
int postgres_listen(struct postgres *postgres, const char *channel,
                    struct err *err);

/* What to poll for a NOTIFY; -1: there is no connection. */
int postgres_fd(const struct postgres *postgres);

/* Waits for a NOTIFY. 1: at least one came, all are taken; 0: none within
 * timeout_ms; -1. Those that came while the connection was away are lost. */
int postgres_notified(struct postgres *postgres, int timeout_ms,
                      struct err *err);

/* True once the advisory lock of that number is held by this connection; it is
 * lost with the connection. */
int postgres_try_lock(struct postgres *postgres, int64_t number, bool *ret_held,
                      struct err *err);

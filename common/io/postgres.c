/*
 * postgres.c: the connection and statements; see postgres.h. Parameters are
 * written, and cells of rows read, in postgres_rows.c.
 *
 * Texts are sent as text, bytes in binary; results come as text. A connection
 * that broke is thrown away; while a transaction was open on it, every call
 * fails with RETRY until it was rolled back: nothing of it slips out of it.
 */
#include "io/postgres.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "io/postgres_private.h"

struct prepared {
    char *text;
    char name[24];
};

struct postgres {
    char *conninfo;
    char *name;
    int schema; /* the number that the schema must have */
    PGconn *conn;
    enum { IDLE, OPEN, BROKEN } transaction;
    struct list prepared; /* struct prepared, of this connection */
    struct list channels; /* char * */
};

/* Before the conninfo, which may say otherwise: a server that is gone must be
 * noticed. */
static const struct pair defaults[] = {
    {(char *)"connect_timeout", (char *)"3"},
    {(char *)"keepalives_idle", (char *)"5"},
    {(char *)"keepalives_interval", (char *)"2"},
    {(char *)"keepalives_count", (char *)"3"},
    {(char *)"tcp_user_timeout", (char *)"15000"},
};

/* One round trip at each opening: a form of times that row_time() reads, an end
 * to waiting for locks, and the schema's number. */
static const char opening[] =
    "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET bytea_output = 'hex';"
    "SET statement_timeout = '20s';"
    "SELECT coalesce(max(number), 0) FROM schema_migrations";

struct postgres *postgres_new(const char *conninfo, const char *name)
{
    struct postgres *postgres = must_calloc(1, sizeof(*postgres));

    postgres->conninfo = must_strdup(conninfo);
    postgres->name = must_strdup(name);
    return postgres;
}

static void forget_prepared(struct postgres *postgres)
{
    for (size_t i = 0; i < postgres->prepared.n; i++) {
        free(list_at(&postgres->prepared, struct prepared, i).text);
    }
    free(postgres->prepared.items);
    postgres->prepared = (struct list){0};
}

static void disconnect(struct postgres *postgres)
{
    forget_prepared(postgres);
    PQfinish(postgres->conn);
    postgres->conn = NULL;
    if (postgres->transaction == OPEN) {
        postgres->transaction = BROKEN;
    }
}

void postgres_free(struct postgres *postgres)
{
    if (postgres != NULL) {
        disconnect(postgres);
        texts_done(&postgres->channels);
        free(postgres->conninfo);
        free(postgres->name);
        free(postgres);
    }
}

/* Classes of SQLSTATE, appendix A of PostgreSQL's manual. */
static const struct {
    const char *class;
    enum err_kind kind;
} classes[] = {
    {"08", ERR_RETRY},  {"40", ERR_RETRY},  {"53", ERR_RETRY},
    {"55", ERR_RETRY},  {"57", ERR_RETRY},  {"58", ERR_RETRY},
    {"22", ERR_REJECT}, {"23", ERR_REJECT},
};

static enum err_kind kind_of(const char *sqlstate)
{
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if (strncmp(classes[i].class, sqlstate, 2) == 0) {
            return classes[i].kind;
        }
    }
    return ERR_FATAL;
}

/* libpq's messages have several lines, indented: joined by single blanks. */
static void one_line(char *text)
{
    char *to = text;

    for (char *at = text; *at != '\0'; at++) {
        char byte = *at == '\n' || *at == '\t' ? ' ' : *at;
        if (byte != ' ' || (to > text && to[-1] != ' ')) {
            *to++ = byte;
        }
    }
    while (to > text && to[-1] == ' ') {
        to--;
    }
    *to = '\0';
}

static int lost(struct postgres *postgres, struct err *err)
{
    char text[400];

    (void)snprintf(text, sizeof(text), "%s",
                   postgres->conn == NULL ? "out of memory"
                                          : PQerrorMessage(postgres->conn));
    one_line(text);
    disconnect(postgres);
    return err_set(err, ERR_RETRY, "database: %s",
                   text[0] == '\0' ? "connection lost" : text);
}

/* -1 and what it means, or 0 where the result is good. */
static int judge(struct postgres *postgres, const PGresult *result,
                 const char *statement, struct err *err)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        return 0;
    }
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (result == NULL || sqlstate == NULL ||
        PQstatus(postgres->conn) != CONNECTION_OK) {
        return lost(postgres, err);
    }
    char text[400];
    (void)snprintf(text, sizeof(text), "%s",
                   PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    one_line(text);
    return err_set(err, kind_of(sqlstate), "database: %s (%s) in: %.60s", text,
                   sqlstate, statement);
}

static int check_schema(const struct postgres *postgres, const PGresult *result,
                        struct err *err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    bool missing = sqlstate != NULL && strcmp(sqlstate, "42P01") == 0;
    int number = PQresultStatus(result) == PGRES_TUPLES_OK
                     ? atoi(PQgetvalue(result, 0, 0))
                     : 0;

    if (!missing && (PQresultStatus(result) != PGRES_TUPLES_OK ||
                     number >= postgres->schema)) {
        return 0;
    }
    return err_set(err, ERR_FATAL,
                   "database %s is at schema %d and %d is "
                   "needed: run schema/migrate --conninfo ... (as its "
                   "administrator), then start this again",
                   PQdb(postgres->conn), number, postgres->schema);
}

static int listen_again(struct postgres *postgres, struct err *err)
{
    for (size_t i = 0; i < postgres->channels.n; i++) {
        const char *channel = list_at(&postgres->channels, char *, i);
        _cleanup_free_ char *statement = must_printf("LISTEN %s", channel);
        PGresult *result = PQexec(postgres->conn, statement);
        int failed = judge(postgres, result, statement, err);
        PQclear(result);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

static PGconn *connect_with_defaults(const struct postgres *postgres)
{
    const char *names[ARRAY_SIZE(defaults) + 3] = {0};
    const char *values[ARRAY_SIZE(defaults) + 3] = {0};
    size_t n = 0;

    for (; n < ARRAY_SIZE(defaults); n++) {
        names[n] = defaults[n].name;
        values[n] = defaults[n].value;
    }
    names[n] = "application_name";
    values[n++] = postgres->name;
    names[n] = "dbname"; /* expanded: what comes before is overridden by it */
    values[n] = postgres->conninfo;
    return PQconnectdbParams(names, values, 1);
}

static void on_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

/* A server that is away or starts is waited for; a name or password that is
 * wrong is not. libpq 15 gives no SQLSTATE here. */
static int open_failed(struct postgres *postgres, struct err *err)
{
    static const char *const hopeless[] = {
        "does not exist",
        "authentication failed",
        "pg_hba.conf",
        "no password supplied",
        "invalid connection option",
        "missing \"=\"",
        "permission denied for database",
        "invalid integer value",
    };

    (void)lost(postgres, err);
    for (size_t i = 0; i < ARRAY_SIZE(hopeless); i++) {
        if (strstr(err->text, hopeless[i]) != NULL) {
            err->kind = ERR_FATAL;
        }
    }
    return -1;
}

static int connect_now(struct postgres *postgres, struct err *err)
{
    postgres->conn = connect_with_defaults(postgres);
    if (PQstatus(postgres->conn) != CONNECTION_OK) {
        return open_failed(postgres, err);
    }
    (void)PQsetNoticeReceiver(postgres->conn, on_notice, NULL);
    PGresult *result = PQexec(postgres->conn, opening);
    int failed = check_schema(postgres, result, err) != 0 ||
                 judge(postgres, result, opening, err) != 0 ||
                 listen_again(postgres, err) != 0;
    PQclear(result);
    if (failed) {
        disconnect(postgres);
        return -1;
    }
    return 0;
}

static int want_connection(struct postgres *postgres, struct err *err)
{
    if (postgres->transaction == BROKEN) {
        return err_set(err, ERR_RETRY,
                       "database: the connection was lost "
                       "within a transaction");
    }
    return postgres->conn != NULL ? 0 : connect_now(postgres, err);
}

int postgres_open(struct postgres *postgres, int schema, struct err *err)
{
    postgres->schema = schema;
    return want_connection(postgres, err);
}

static int command(struct postgres *postgres, const char *text,
                   const char *expected, struct err *err)
{
    PGresult *result = PQexec(postgres->conn, text);
    int failed = judge(postgres, result, text, err);

    if (!failed && strcmp(PQcmdStatus(result), expected) != 0) {
        failed = err_set(err, ERR_RETRY,
                         "database: %s was answered with %s: "
                         "the transaction had failed",
                         text, PQcmdStatus(result));
    }
    PQclear(result);
    return failed;
}

int postgres_begin(struct postgres *postgres, struct err *err)
{
    if (want_connection(postgres, err) != 0 ||
        command(postgres, "BEGIN", "BEGIN", err) != 0) {
        return -1;
    }
    postgres->transaction = OPEN;
    return 0;
}

int postgres_commit(struct postgres *postgres, struct err *err)
{
    /* An answer that is lost makes this a RETRY, too: whether it was committed
     * is found out by looking, not from memory. */
    int failed = want_connection(postgres, err) != 0 ||
                 command(postgres, "COMMIT", "COMMIT", err) != 0;

    if (failed) {
        postgres_rollback(postgres);
        return -1;
    }
    postgres->transaction = IDLE;
    return 0;
}

void postgres_rollback(struct postgres *postgres)
{
    struct err ignored = {0};

    if (postgres->conn != NULL &&
        PQtransactionStatus(postgres->conn) != PQTRANS_IDLE &&
        command(postgres, "ROLLBACK", "ROLLBACK", &ignored) != 0) {
        disconnect(postgres);
    }
    postgres->transaction = IDLE;
}

/* The name under which the statement is prepared on this connection; NULL: it
 * can't be. */
static const char *prepare(struct postgres *postgres, const char *text,
                           struct err *err)
{
    for (size_t i = 0; i < postgres->prepared.n; i++) {
        const struct prepared *known =
            &list_at(&postgres->prepared, struct prepared, i);
        if (strcmp(known->text, text) == 0) {
            return known->name;
        }
    }
    char name[24];
    (void)snprintf(name, sizeof(name), "s%zu", postgres->prepared.n);
    PGresult *result = PQprepare(postgres->conn, name, text, 0, NULL);
    int failed = judge(postgres, result, text, err);
    PQclear(result);
    if (failed) {
        return NULL;
    }
    struct prepared *new = list_grow(&postgres->prepared, sizeof(*new));
    new->text = must_strdup(text);
    memcpy(new->name, name, sizeof(name));
    return new->name;
}

/* The result is taken. */
static int take_result(struct postgres *postgres, PGresult *result,
                       const char *statement, struct rows **ret_rows,
                       struct err *err)
{
    if (judge(postgres, result, statement, err) != 0) {
        PQclear(result);
        return -1;
    }
    if (ret_rows == NULL) {
        PQclear(result);
    } else {
        *ret_rows = rows_new_take(result);
    }
    return 0;
}

int postgres_query(struct postgres *postgres, const char *statement,
                   const struct param *params, size_t n, struct rows **ret_rows,
                   struct err *err)
{
    struct wire wire;

    wire_params(&wire, params, n);
    if (want_connection(postgres, err) != 0) {
        return -1;
    }
    const char *name = prepare(postgres, statement, err);
    if (name == NULL) {
        return -1;
    }
    PGresult *result = PQexecPrepared(postgres->conn, name, (int)n, wire.values,
                                      wire.lengths, wire.formats, 0);
    return take_result(postgres, result, statement, ret_rows, err);
}

int postgres_query_once(struct postgres *postgres, const char *statement,
                        const struct param *params, size_t n,
                        struct rows **ret_rows, struct err *err)
{
    struct wire wire;

    wire_params(&wire, params, n);
    if (want_connection(postgres, err) != 0) {
        return -1;
    }
    PGresult *result = PQexecParams(postgres->conn, statement, (int)n, NULL,
                                    wire.values, wire.lengths, wire.formats, 0);
    return take_result(postgres, result, statement, ret_rows, err);
}

int postgres_try_lock(struct postgres *postgres, int64_t number, bool *ret_held,
                      struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(postgres, "SELECT pg_try_advisory_lock($1::bigint) AS held", &rows,
           err, P_INT(number)) != 0) {
        return -1;
    }
    *ret_held = row_bool(rows, 0, "held");
    return 0;
}

int postgres_listen(struct postgres *postgres, const char *channel,
                    struct err *err)
{
    if (texts_hold(&postgres->channels, channel)) {
        return want_connection(postgres, err);
    }
    if (want_connection(postgres, err) != 0) {
        return -1;
    }
    texts_add(&postgres->channels, channel);
    return listen_again(postgres, err);
}

/* Takes all that came, so that one call tells of all of them. */
static bool take_notifications(PGconn *conn)
{
    bool came = false;

    for (PGnotify *one; (one = PQnotifies(conn)) != NULL; PQfreemem(one)) {
        came = true;
    }
    return came;
}

int postgres_fd(const struct postgres *postgres)
{
    return postgres->conn == NULL ? -1 : PQsocket(postgres->conn);
}

int postgres_notified(struct postgres *postgres, int timeout_ms,
                      struct err *err)
{
    int64_t end = clock_steady() + timeout_ms;

    if (want_connection(postgres, err) != 0) {
        return -1;
    }
    for (;;) {
        if (PQconsumeInput(postgres->conn) != 1) {
            return lost(postgres, err);
        }
        if (take_notifications(postgres->conn)) {
            return 1;
        }
        int64_t left = end - clock_steady();
        struct pollfd ready = {.fd = PQsocket(postgres->conn),
                               .events = POLLIN};
        if (left <= 0 || poll(&ready, 1, (int)left) == 0) {
            return 0;
        }
    }
}

/*
 * postgres_rows.c: parameters, rows and their cells; see postgres.h.
 *
 * A column that isn't there, or a value that doesn't fit what it is read as, is
 * a mistake in the statement: it aborts.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "io/postgres_private.h"

static void set_param(const struct param *param, struct wire *wire, size_t i)
{
    char *text = wire->texts[i];

    wire->values[i] = text;
    switch (param->kind) {
    case PARAM_INT:
        (void)snprintf(text, ID_TEXT, "%lld", (long long)param->number);
        return;
    case PARAM_BOOL:
        (void)snprintf(text, ID_TEXT, "%s", param->number ? "true" : "false");
        return;
    case PARAM_TIME:
        time_format(param->number, text);
        wire->values[i] = param->number == 0 ? NULL : text;
        return;
    case PARAM_ID:
        id_format(param->bytes, text);
        return;
    case PARAM_BYTES:
        wire->values[i] = param->bytes == NULL ? "" : param->bytes;
        wire->lengths[i] = (int)param->len;
        wire->formats[i] = 1;
        return;
    default:
        wire->values[i] = param->kind == PARAM_TEXT ? param->bytes : NULL;
    }
}

void wire_params(struct wire *wire, const struct param *params, size_t n)
{
    if (n > PARAMS_MAX) {
        abort();
    }
    memset(wire, 0, sizeof(*wire));
    for (size_t i = 0; i < n; i++) {
        set_param(&params[i], wire, i);
    }
}

struct rows {
    PGresult *result;
};

struct rows *rows_new_take(PGresult *result)
{
    struct rows *rows = must_calloc(1, sizeof(*rows));

    rows->result = result;
    return rows;
}

void rows_free(struct rows *rows)
{
    if (rows != NULL) {
        PQclear(rows->result);
        free(rows);
    }
}

size_t rows_n(const struct rows *rows)
{
    return PQresultStatus(rows->result) == PGRES_TUPLES_OK
               ? (size_t)PQntuples(rows->result)
               : strtoul(PQcmdTuples(rows->result), NULL, 10);
}

/* NULL: a null. */
static const char *cell(const struct rows *rows, size_t row, const char *column)
{
    int number = PQfnumber(rows->result, column);

    if (number < 0 || row >= (size_t)PQntuples(rows->result)) {
        abort();
    }
    return PQgetisnull(rows->result, (int)row, number)
               ? NULL
               : PQgetvalue(rows->result, (int)row, number);
}

bool row_is_null(const struct rows *rows, size_t row, const char *column)
{
    return cell(rows, row, column) == NULL;
}

const char *row_text(const struct rows *rows, size_t row, const char *column)
{
    return cell(rows, row, column);
}

int64_t row_int(const struct rows *rows, size_t row, const char *column)
{
    const char *text = cell(rows, row, column);
    char *end = NULL;
    int64_t value = text == NULL ? 0 : strtoll(text, &end, 10);

    if (text != NULL && (end == text || *end != '\0')) {
        abort();
    }
    return value;
}

bool row_bool(const struct rows *rows, size_t row, const char *column)
{
    const char *text = cell(rows, row, column);

    if (text != NULL && strcmp(text, "t") != 0 && strcmp(text, "f") != 0) {
        abort();
    }
    return text != NULL && text[0] == 't';
}

/* "2026-11-24 01:56:48.12+00" as "2026-11-24T01:56:48.120Z"; microseconds are
 * cut. */
static int64_t parse_timestamp(const char *text)
{
    size_t len = strcspn(text, "+");
    char wire[TIME_TEXT] = "0000-00-00T00:00:00.000Z";
    int64_t moment = 0;
    struct err err = {0};

    if (len < 19 || strcmp(text + len, "+00") != 0) {
        abort();
    }
    memcpy(wire, text, len < 23 ? len : 23);
    wire[10] = 'T';
    if (time_parse(wire, &moment, &err) != 0) {
        abort();
    }
    return moment;
}

int64_t row_time(const struct rows *rows, size_t row, const char *column)
{
    const char *text = cell(rows, row, column);

    return text == NULL ? 0 : parse_timestamp(text);
}

struct id row_id(const struct rows *rows, size_t row, const char *column)
{
    const char *text = cell(rows, row, column);
    struct id id = {0};

    if (text != NULL && id_parse(text, &id) != 0) {
        abort();
    }
    return id;
}

static int hex_value(char digit)
{
    return digit <= '9' ? digit - '0' : digit - 'a' + 10;
}

struct buf row_bytes(const struct rows *rows, size_t row, const char *column)
{
    const char *text = cell(rows, row, column);
    struct buf bytes = {0};
    size_t n = text == NULL ? 0 : (strlen(text) - 2) / 2;

    if (text != NULL && strncmp(text, "\\x", 2) != 0) {
        abort();
    }
    if (buf_reserve(&bytes, n) != 0) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        bytes.data[i] = (unsigned char)(hex_value(text[2 * i + 2]) << 4 |
                                        hex_value(text[2 * i + 3]));
    }
    bytes.len = n;
    bytes.data[n] = '\0';
    return bytes;
}

struct hash row_hash(const struct rows *rows, size_t row, const char *column)
{
    const char *text = cell(rows, row, column);
    struct hash hash = {0};

    if (text != NULL &&
        (strncmp(text, "\\x", 2) != 0 || hash_parse(text + 2, &hash) != 0)) {
        abort();
    }
    return hash;
}

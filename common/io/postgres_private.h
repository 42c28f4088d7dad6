/*
 * postgres_private.h: what postgres.c and postgres_rows.c share. Only they
 * include it.
 */
#pragma once

#include <postgresql/libpq-fe.h>

#include "io/postgres.h"

#define PARAMS_MAX 64

/* Parameters as libpq takes them. */
struct wire {
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX];
    int formats[PARAMS_MAX];
    char texts[PARAMS_MAX][ID_TEXT]; /* numbers, times, ids */
};

/* What the parameters point to is not copied. */
void wire_params(struct wire *wire, const struct param *params, size_t n);

/* Rows that own this result. */
struct rows *rows_new_take(PGresult *result);

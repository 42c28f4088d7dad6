/*
 * postgres_private.h: what postgres.c and postgres_rows.c share. Only they
 * include it.
 */
#pragma once

#include <postgresql/libpq-fe.h>

#include "io/postgres.h"

/* Rows that own this result. */
struct rows *rows_new_take(PGresult *result);

/*
 * print.h: data on stdout: -o table|json|jsonl|csv|name from one description
 * per noun.
 *
 * A noun names the columns that a person sees, and the field table of the whole
 * record that a program gets: tables, CSV and single records through columns,
 * JSON through base/fields. Texts in tables are made harmless and, on a
 * terminal, cut to its width. A write that fails is status 74.
 */
#pragma once

#include <stdio.h>

#include "base/fields.h"

enum format {
    FORMAT_NONE,
    FORMAT_TABLE,
    FORMAT_JSON,
    FORMAT_JSONL,
    FORMAT_CSV, /* lists alone: what -o takes is the verb's to say */
    FORMAT_NAME
};

extern const struct words format_words;

struct print {
    FILE *out;
    int format;
    bool terminal; /* out is one */
    bool colour;   /* and NO_COLOR is not set */
    bool pages;    /* a list that is longer than the screen goes to a pager */
};

enum column_kind {
    COLUMN_TEXT,    /* char *; NULL: "-" */
    COLUMN_INT,     /* int64_t */
    COLUMN_TIME,    /* int64_t: a moment, shown in local time; 0: "-" */
    COLUMN_SECONDS, /* int64_t: a duration, as 1h30m */
    COLUMN_WORD,    /* int: a value of .words */
    COLUMN_ID,      /* struct id */
    COLUMN_HASH,    /* struct hash: its first 12 digits */
    COLUMN_TEXTS,   /* struct list of char *: "a, b" */
    COLUMN_PAIRS,   /* struct list of struct pair: "a=1 b=2" */
    COLUMN_MADE,    /* by .make; the caller's to free, NULL: "-" */
};

struct column {
    const char *title; /* in lower case: "saved by" */
    enum column_kind kind;
    size_t at; /* offsetof() in the row */
    const struct words *words;
    char *(*make)(const void *row);
    bool wide; /* may be cut when the terminal is narrow */
};

struct noun {
    const char *nothing; /* said on stderr where there is no row: "no command
                            is assigned to you"; NULL: nothing is said */
    const struct table *table; /* of a row, for json and jsonl */
    const struct column *columns;
    size_t n;
    size_t name; /* index of the column that -o name prints */
};

/* The row's table of an answer that holds a list of them: its first list's. */
const struct table *row_table(const struct table *answer);

/* Many: a table with headings, an array, lines of JSON, CSV (csv.h), or names.
 * `rows` holds structs of noun->table. */
int print_rows(const struct print *print, const struct noun *noun,
               const struct list *rows, struct err *err);

/* One: "title  value" lines; one JSON object; or its name. */
int print_row(const struct print *print, const struct noun *noun,
              const void *row, struct err *err);

/* What a write that failed is: status 74, and -1. Whose reader has had enough
 * of it, that has nothing to say: no text. */
int print_failed(struct err *err);

/* Bytes as they are; bytes that are harmless where they go to a terminal; and a
 * line of text, made harmless. */
int print_bytes(const struct print *print, const void *bytes, size_t n,
                struct err *err);
int print_shown(const struct print *print, const struct buf *bytes,
                struct err *err);
int print_line(const struct print *print, struct err *err, const char *fmt, ...)
    _printf_(3, 4);

/* A moment as a person reads it, local time: "2026-11-24 03:12:45"; the
 * caller's to free. */
char *time_text(int64_t moment);

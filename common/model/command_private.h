/*
 * command_private.h: what the two halves of the reader of command files share:
 * command_file.c knows lines and sections, command_keys.c keys and their
 * values.
 */
#pragma once

#include "model/command.h"
#include "model/schedule_lines.h"

#define VALUE_MAX 4000
#define KEYS_MAX 48
#define BLANKS " \t"

struct reader {
    const char *path;
    size_t line;            /* from 1 */
    const char *prefix;     /* of the first header line; NULL: none yet */
    const char *key;        /* that is being read */
    size_t opened;          /* line of [param NAME]; 0: above the first one */
    size_t given[KEYS_MAX]; /* line of each key of this section; 0: none */
    struct command_save command;
    struct schedule_lines when;
    struct err *err;
};

struct key {
    const char *name;
    int (*set)(struct reader *reader, const char *value);
};

/* Up to one without a name; fewer than KEYS_MAX. */
extern const struct key command_keys[];
extern const struct key parameter_keys[];

/* Whether it may stand in several lines. */
bool key_repeats(const char *name);

/* Where a key stands among these; KEYS_MAX: nowhere. */
size_t key_index(const struct key *keys, const char *name);

/* "path:line: key: what", without the key where it is NULL; always -1. */
int complain(const struct reader *reader, size_t line, const char *key,
             const char *fmt, ...) _printf_(4, 5);

/* The same with the text of an error that another module made. */
int pass_on(const struct reader *reader, size_t line, const char *key);

/* Splits at commas; blanks around an entry are not part of it. */
int set_list(struct reader *reader, const char *value, struct list *to);

/* From 1 s to so many. */
int set_duration(struct reader *reader, const char *value, int64_t max,
                 int64_t *to);

/* The keys in pace_keys.c. */
int set_max_parallel(struct reader *reader, const char *value);
int set_max_errors(struct reader *reader, const char *value);
int set_retry(struct reader *reader, const char *value);
int set_retry_on(struct reader *reader, const char *value);
int set_retry_backoff(struct reader *reader, const char *value);
int set_idempotent(struct reader *reader, const char *value);
int set_concurrency(struct reader *reader, const char *value);
int set_concurrency_key(struct reader *reader, const char *value);

/* The keys of when it runs by itself, and what they must be together: in
 * schedule_lines.c. */
int set_schedule(struct reader *reader, const char *value);
int set_at(struct reader *reader, const char *value);
int set_zone(struct reader *reader, const char *value);
int set_catch_up(struct reader *reader, const char *value);
int check_when(struct reader *reader);

/* The parameter whose section is being read. */
struct parameter *parameter_of(struct reader *reader);

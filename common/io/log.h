/*
 * log.h: a daemon's log: one line for each thing that happened, on stderr.
 *
 * logfmt: `time=… level=info service=authorizer-1 msg="…" key=value…`. Values
 * that are not plain are in double quotes, where `"` and `\` have a backslash,
 * and every byte that is not printable ASCII is \n, \t or \xNN: so what others
 * wrote can neither end a line nor reach a terminal. A line is one write(2) of
 * at most 4,000 bytes; what is longer is cut, and says so. Only service.c and
 * the daemons log; common/ returns errors.
 */
#pragma once

#include "base/id.h"
#include "base/words.h"

enum log_level {
    LEVEL_NONE,
    LEVEL_DEBUG,
    LEVEL_INFO,
    LEVEL_WARNING,
    LEVEL_ERROR,
};

extern const struct words log_level_words;

struct log {
    const char *service; /* borrowed */
    int level;           /* what is below is not written */
    int fd;
};

/* key=value; `kind` says which member counts. */
struct log_field {
    const char *key;
    enum { LOG_TEXT, LOG_INT, LOG_ID, LOG_HASH } kind;
    const void *at; /* TEXT, ID, HASH; NULL: the field is left out */
    int64_t number;
};

#define L_TEXT(k, t) ((struct log_field){.key = (k), .at = (t)})
#define L_INT(k, i) \
    ((struct log_field){.key = (k), .kind = LOG_INT, .number = (i)})
#define L_ID(k, i) ((struct log_field){.key = (k), .kind = LOG_ID, .at = (i)})
#define L_HASH(k, h) \
    ((struct log_field){.key = (k), .kind = LOG_HASH, .at = (h)})
/* `reason=` from a struct err *. */
#define L_ERR(e) L_TEXT("reason", (e)->text)

/* Writes one line if the level is one that is written. */
void log_line(const struct log *log, enum log_level level, const char *msg,
              const struct log_field *fields, size_t n);

/* log_info(&daemon->log, "claimed", L_ID("execution", &id), L_INT("at", 3)); */
#define log_at(log, level, msg, ...)                                           \
    ({                                                                         \
        const struct log_field _fields[] = {{0}, ##__VA_ARGS__};               \
        log_line((log), (level), (msg), _fields + 1, ARRAY_SIZE(_fields) - 1); \
    })
#define log_debug(log, ...) log_at(log, LEVEL_DEBUG, __VA_ARGS__)
#define log_info(log, ...) log_at(log, LEVEL_INFO, __VA_ARGS__)
#define log_warning(log, ...) log_at(log, LEVEL_WARNING, __VA_ARGS__)
#define log_error(log, ...) log_at(log, LEVEL_ERROR, __VA_ARGS__)

/* Appends a value as it stands in a log line. */
void log_value(struct buf *line, const char *value);

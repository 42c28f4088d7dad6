/*
 * config.h: INI configuration, strict.
 *
 * Sections and keys must be among those that the reader is told of; an unknown
 * or repeated one, or a value that does not fit, is refused with file, line and
 * key (status 78). [kafka] takes any key. The environment variable
 * ERRAND_CONF_<SECTION>_<KEY> (dots and dashes as underscores) overrides a key;
 * in [kafka] underscores stand for dots; of sections that the reader was not
 * told of it is another program's.
 *
 * A line is `[section]`, `key = value`, blank, or a comment from its first byte
 * (# or ;). A value is what follows the `=` to the line's end, without blanks
 * around it: `;`, `#`, `=` and quotes are part of it. Refused: indented and
 * continued lines, more than 4,096 bytes, NUL, CR, a byte order mark.
 */
#pragma once

#include "base/fields.h"

enum config_kind {
    CONFIG_TEXT,
    CONFIG_NAME,
    CONFIG_INT,
    CONFIG_DURATION, /* 30s, 5m: seconds */
    CONFIG_FILES,    /* comma list of paths */
};

struct config_key {
    const char *section;
    const char *key;
    enum config_kind kind;
    bool required;
    const char *fallback; /* NULL: none */
    int64_t min;          /* of INT and DURATION; both 0: 0 and up */
    int64_t max;
    const char *help;
    bool live; /* may change while the program runs */
};

struct config {
    char *path;
    struct list values; /* struct pair: "section.key", value */
    struct list kafka;  /* struct pair */
};

/* Reads and checks the whole file; -1 (status 78). */
int config_read(const char *path, const struct config_key *keys, size_t n,
                struct config *ret_config, struct err *err);

/* The same in two steps, for who wants to keep the bytes: the file as it is,
 * and what it says. The text is cut up meanwhile. */
int config_load(const char *path, struct buf *ret_text, struct err *err);
int config_parse(const char *path, struct buf *text,
                 const struct config_key *keys, size_t n,
                 struct config *ret_config, struct err *err);
void config_done(struct config *config);

/* A value that was read or its fallback; NULL, 0: none. */
const char *config_text(const struct config *config, const char *section,
                        const char *key);
int64_t config_int(const struct config *config, const char *section,
                   const char *key); /* durations: seconds */

/* This one value becomes that of another configuration. */
void config_take(struct config *config, const struct config *from,
                 const char *section, const char *key);

/* The parts of a comma list: char *, to be released with texts_done(). */
struct list config_files(const struct config *config, const char *section,
                         const char *key);

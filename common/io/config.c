/*
 * config.c: see config.h. The file is read line by line into pairs, the
 * environment is laid over them, and then the table has its say.
 *
 * inih is not used: as Debian builds it, it cuts values at " ;", breaks lines
 * over 199 bytes, joins indented ones and lets duplicates pass.
 */
#include "io/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/parameter.h"

#define FILE_MAX (1 << 20)
#define LINE_MAX_BYTES 4096
#define ENVIRONMENT "ERRAND_CONF_"

struct reading {
    struct config *config;
    const struct config_key *keys;
    size_t n;
    int line;
    char section[64];
    struct err *err;
};

static int refuse(struct reading *reading, const char *fmt, ...) _printf_(2, 3);

static int refuse(struct reading *reading, const char *fmt, ...)
{
    char text[400];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return err_exit(reading->err, EX_CONFIG, "%s:%d: %s", reading->config->path,
                    reading->line, text);
}

static const struct config_key *find_key(const struct reading *reading,
                                         const char *section, const char *key)
{
    for (size_t i = 0; i < reading->n; i++) {
        if (strcmp(reading->keys[i].section, section) == 0 &&
            (key == NULL || strcmp(reading->keys[i].key, key) == 0)) {
            return &reading->keys[i];
        }
    }
    return NULL;
}

/* "[executor], [log]", or a section's keys: what would have been right. */
static char *known_names(const struct reading *reading, const char *section)
{
    struct buf names = {0};

    for (size_t i = 0; i < reading->n; i++) {
        const struct config_key *key = &reading->keys[i];
        bool first = find_key(reading, key->section, NULL) == key;
        const char *comma = names.len == 0 ? "" : ", ";
        if (section == NULL && first && strcmp(key->section, "kafka") != 0) {
            (void)buf_addf(&names, "%s[%s]", comma, key->section);
        } else if (section != NULL && strcmp(key->section, section) == 0) {
            (void)buf_addf(&names, "%s%s", comma, key->key);
        }
    }
    return buf_take(&names);
}

/* Values */

static int check_int(const struct config_key *key, const char *value,
                     struct err *err)
{
    int64_t number = 0;
    char *end;

    if (key->kind == CONFIG_DURATION) {
        if (duration_parse(value, &number, err) != 0) {
            return -1;
        }
    } else {
        errno = 0;
        number = strtoll(value, &end, 10);
        if (errno != 0 || *end != '\0' ||
            !isdigit((unsigned char)value[*value == '-'])) {
            return err_set(err, ERR_REJECT, "not a whole number");
        }
    }
    if (number < key->min || (key->max > 0 && number > key->max)) {
        return key->max > 0
                   ? err_set(err, ERR_REJECT, "not within %lld to %lld",
                             (long long)key->min, (long long)key->max)
                   : err_set(err, ERR_REJECT, "below %lld",
                             (long long)key->min);
    }
    return 0;
}

static int check_value(const struct config_key *key, const char *value,
                       struct err *err)
{
    switch (key->kind) {
    case CONFIG_NAME:
        return name_is_good(value)
                   ? 0
                   : err_set(err, ERR_REJECT,
                             "not a name: at most 63 of a-z, "
                             "0-9 and '-', a letter or digit first");
    case CONFIG_INT:
    case CONFIG_DURATION:
        return check_int(key, value, err);
    default:
        return 0;
    }
}

static void pair_replace(struct list *pairs, const char *name,
                         const char *value)
{
    for (size_t i = 0; i < pairs->n; i++) {
        struct pair *pair = &list_at(pairs, struct pair, i);
        if (strcmp(pair->name, name) == 0) {
            free(pair->value);
            pair->value = must_strdup(value);
            return;
        }
    }
    pairs_add(pairs, name, value);
}

static void pair_remove(struct list *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->n; i++) {
        struct pair *pair = &list_at(pairs, struct pair, i);
        if (strcmp(pair->name, name) == 0) {
            free(pair->name);
            free(pair->value);
            *pair = list_at(pairs, struct pair, --pairs->n);
            return;
        }
    }
}

static char *full_name(const char *section, const char *key)
{
    return must_printf("%s.%s", section, key);
}

/* The file */

static int on_pair(struct reading *reading, const char *key, const char *value)
{
    bool kafka = strcmp(reading->section, "kafka") == 0;
    const struct config_key *known = find_key(reading, reading->section, key);
    struct list *to =
        kafka ? &reading->config->kafka : &reading->config->values;
    _cleanup_free_ char *name =
        kafka ? must_strdup(key) : full_name(reading->section, key);
    struct err err = {0};

    if (!kafka && known == NULL) {
        _cleanup_free_ char *names = known_names(reading, reading->section);
        return refuse(reading, "unknown key '%.64s' in [%s]; there are: %s",
                      key, reading->section, names);
    }
    if (pairs_get(to, name) != NULL) {
        return refuse(reading, "'%s' in [%s] is here for the second time", key,
                      reading->section);
    }
    if (*value == '\0') {
        return refuse(reading,
                      "'%s' has no value: write one, or take the "
                      "line out",
                      key);
    }
    if (known != NULL && check_value(known, value, &err) != 0) {
        return refuse(reading, "'%s': %s", key, err.text);
    }
    pairs_add(to, name, value);
    return 0;
}

static int on_section(struct reading *reading, char *line, size_t len)
{
    if (len < 3 || line[len - 1] != ']' || len > sizeof(reading->section)) {
        return refuse(reading, "a section is a line like [service]");
    }
    line[len - 1] = '\0';
    (void)snprintf(reading->section, sizeof(reading->section), "%s", line + 1);
    if (strcmp(reading->section, "kafka") != 0 &&
        find_key(reading, reading->section, NULL) == NULL) {
        _cleanup_free_ char *names = known_names(reading, NULL);
        return refuse(reading, "unknown section [%s]; there are: [kafka]%s%s",
                      reading->section, *names == '\0' ? "" : ", ", names);
    }
    return 0;
}

static size_t trimmed(char *text, size_t len)
{
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
        len--;
    }
    text[len] = '\0';
    return len;
}

/* Why a line can't be read, whatever it says; NULL: it can. */
static const char *line_is_bad(const char *line, size_t len)
{
    if (memchr(line, '\0', len) != NULL) {
        return "holds a NUL byte";
    }
    if (len > LINE_MAX_BYTES) {
        return "longer than 4,096 bytes";
    }
    if (memchr(line, '\r', len) != NULL) {
        return "holds a carriage return: lines end with a newline alone";
    }
    if (strncmp(line, "\xef\xbb\xbf", 3) == 0) {
        return "begins with a byte order mark: take it out";
    }
    return NULL;
}

static int on_line(struct reading *reading, char *line, size_t len)
{
    const char *bad = line_is_bad(line, len);

    if (bad != NULL) {
        return refuse(reading, "%s", bad);
    }
    bool indented = *line == ' ' || *line == '\t';
    len = trimmed(line, len);
    if (len == 0 || *line == '#' || *line == ';') {
        return 0;
    }
    if (indented) {
        return refuse(reading, "begins with a blank; a line can't be "
                               "continued: write it as one");
    }
    if (*line == '[') {
        return on_section(reading, line, len);
    }
    char *equals = strchr(line, '=');
    if (equals == NULL || equals == line) {
        return refuse(reading, "neither [section] nor key = value nor a "
                               "# comment");
    }
    if (reading->section[0] == '\0') {
        return refuse(reading, "stands before the first [section]");
    }
    char *value = equals + 1 + strspn(equals + 1, " \t");
    (void)trimmed(line, (size_t)(equals - line));
    return on_pair(reading, line, value);
}

static int read_lines(struct reading *reading, struct buf *text)
{
    char *at = (char *)text->data;
    char *end = at + text->len;

    while (at < end) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *stop = newline == NULL ? end : newline;
        *stop = '\0'; /* a buf has room for one behind its end */
        reading->line++;
        if (on_line(reading, at, (size_t)(stop - at)) != 0) {
            return -1;
        }
        at = stop + 1;
    }
    return 0;
}

/* The environment */

static int overridden(struct reading *reading, const char *variable,
                      const char *section, const char *key, const char *value)
{
    const struct config_key *known = find_key(reading, section, key);
    struct err err = {0};

    if (strcmp(section, "kafka") == 0) {
        pair_replace(&reading->config->kafka, key, value);
        return 0;
    }
    if (known == NULL) {
        return err_exit(reading->err, EX_CONFIG,
                        "environment: %s: no such key in [%s]", variable,
                        section);
    }
    if (*value == '\0' || check_value(known, value, &err) != 0) {
        return err_exit(reading->err, EX_CONFIG, "environment: %s: %s",
                        variable, *value == '\0' ? "empty" : err.text);
    }
    _cleanup_free_ char *name = full_name(section, key);
    pair_replace(&reading->config->values, name, value);
    return 0;
}

/* The key of a section that is spelt so in a variable: "BOOTSTRAP_SERVERS".
 * In [kafka] underscores are dots; elsewhere the table knows. */
static char *spelt(const struct reading *reading, const char *section,
                   const char *upper)
{
    char *key = must_strdup(upper);

    for (char *c = key; *c != '\0'; c++) {
        *c = *c == '_' ? '.' : (char)tolower((unsigned char)*c);
    }
    for (size_t i = 0; i < reading->n; i++) {
        const char *known = reading->keys[i].key;
        size_t len = strlen(known);
        size_t same = 0;
        while (same < len &&
               (known[same] == key[same] ||
                (strchr("-_", known[same]) != NULL && key[same] == '.'))) {
            same++;
        }
        if (same == len && key[len] == '\0' &&
            strcmp(reading->keys[i].section, section) == 0) {
            memcpy(key, known, len);
        }
    }
    return key;
}

/* A section that this program doesn't have is another program's. */
static int read_variable(struct reading *reading, const char *variable)
{
    char section[64];
    const char *name = variable + strlen(ENVIRONMENT);
    size_t len = strcspn(name, "_=");
    const char *equals = strchr(name, '=');

    if (equals == NULL || name[len] != '_' || len >= sizeof(section)) {
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        section[i] = (char)tolower((unsigned char)name[i]);
    }
    section[len] = '\0';
    if (strcmp(section, "kafka") != 0 &&
        find_key(reading, section, NULL) == NULL) {
        return 0;
    }
    _cleanup_free_ char *whole = strndup(variable, (size_t)(equals - variable));
    _cleanup_free_ char *key =
        whole == NULL
            ? NULL
            : spelt(reading, section, whole + strlen(ENVIRONMENT) + len + 1);
    return key == NULL ? err_exit(reading->err, EX_CONFIG, "out of memory")
                       : overridden(reading, whole, section, key, equals + 1);
}

static int read_environment(struct reading *reading)
{
    for (char **variable = environ; *variable != NULL; variable++) {
        if (strncmp(*variable, ENVIRONMENT, strlen(ENVIRONMENT)) == 0 &&
            read_variable(reading, *variable) != 0) {
            return -1;
        }
    }
    return 0;
}

static int complete(struct reading *reading)
{
    struct list *values = &reading->config->values;

    for (size_t i = 0; i < reading->n; i++) {
        const struct config_key *key = &reading->keys[i];
        bool kafka = strcmp(key->section, "kafka") == 0;
        _cleanup_free_ char *name = full_name(key->section, key->key);
        if (pairs_get(kafka ? &reading->config->kafka : values,
                      kafka ? key->key : name) != NULL) {
            continue;
        }
        if (key->required) {
            return err_exit(reading->err, EX_CONFIG,
                            "%s: [%s] %s is missing: %s", reading->config->path,
                            key->section, key->key,
                            key->help == NULL ? "it must be there" : key->help);
        }
        if (key->fallback != NULL) {
            pairs_add(values, name, key->fallback);
        }
    }
    return 0;
}

int config_parse(const char *path, struct buf *text,
                 const struct config_key *keys, size_t n,
                 struct config *ret_config, struct err *err)
{
    struct config config = {.path = must_strdup(path)};
    struct reading reading = {
        .config = &config, .keys = keys, .n = n, .err = err};

    if (read_lines(&reading, text) != 0 || read_environment(&reading) != 0 ||
        complete(&reading) != 0) {
        config_done(&config);
        return -1;
    }
    *ret_config = config;
    return 0;
}

int config_load(const char *path, struct buf *ret_text, struct err *err)
{
    if (file_read(path, FILE_MAX, ret_text, err) != 0) {
        err->status = EX_CONFIG;
        return -1;
    }
    return 0;
}

int config_read(const char *path, const struct config_key *keys, size_t n,
                struct config *ret_config, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    return config_load(path, &text, err) != 0
               ? -1
               : config_parse(path, &text, keys, n, ret_config, err);
}

void config_done(struct config *config)
{
    free(config->path);
    pairs_done(&config->values);
    pairs_done(&config->kafka);
    *config = (struct config){0};
}

const char *config_text(const struct config *config, const char *section,
                        const char *key)
{
    _cleanup_free_ char *name = full_name(section, key);

    return pairs_get(&config->values, name);
}

int64_t config_int(const struct config *config, const char *section,
                   const char *key)
{
    const char *text = config_text(config, section, key);
    int64_t seconds;
    struct err err;

    if (text == NULL) {
        return 0;
    }
    return duration_parse(text, &seconds, &err) == 0 ? seconds
                                                     : strtoll(text, NULL, 10);
}

void config_take(struct config *config, const struct config *from,
                 const char *section, const char *key)
{
    _cleanup_free_ char *name = full_name(section, key);
    const char *value = pairs_get(&from->values, name);

    if (value != NULL) {
        pair_replace(&config->values, name, value);
    } else {
        pair_remove(&config->values, name);
    }
}

struct list config_files(const struct config *config, const char *section,
                         const char *key)
{
    const char *at = config_text(config, section, key);
    struct list files = {0};

    while (at != NULL && *at != '\0') {
        size_t len = strcspn(at, ",");
        _cleanup_free_ char *file = must_printf("%.*s", (int)len, at);
        char *start = file + strspn(file, " \t");
        if (trimmed(start, strlen(start)) > 0) {
            texts_add(&files, start);
        }
        at += len + (at[len] == ',');
    }
    return files;
}

/*
 * command_keys.c: the keys of a command's file, and how each value is read. See
 * command_file.c; a key whose meaning needs its neighbours (a default, choices)
 * is checked by parameter_sound() when its section ends.
 */
#include "model/command_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "model/where.h"

#define PATH_SHOWN 200 /* bytes: the line's number must find room, too */

/* "path:line: key: what"; without the key where there is none. */
int complain(const struct reader *reader, size_t line, const char *key,
             const char *fmt, ...)
{
    size_t len = strlen(reader->path);
    char what[400];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    return err_exit(
        reader->err, EX_DATAERR, "%s%s:%zu: %s%s%s",
        len > PATH_SHOWN ? "…" : "",
        len > PATH_SHOWN ? reader->path + len - PATH_SHOWN : reader->path, line,
        key == NULL ? "" : key, key == NULL ? "" : ": ", what);
}

/* The text of an error that another module made, in its place. */
int pass_on(const struct reader *reader, size_t line, const char *key)
{
    struct err why = *reader->err;

    return complain(reader, line, key, "%s", why.text);
}

/* Values */

static int set_text(char **to, const char *value)
{
    *to = value[0] == '\0' ? NULL : must_strdup(value);
    return 0;
}

static int set_name(struct reader *reader, const char *value)
{
    if (!name_is_good(value)) {
        return complain(reader, reader->line, reader->key,
                        "not a name: at most 63 of a-z, 0-9 and '-', a letter "
                        "or digit first");
    }
    return set_text(&reader->command.name, value);
}

static int set_description(struct reader *reader, const char *value)
{
    return set_text(&reader->command.description, value);
}

int set_list(struct reader *reader, const char *value, struct list *to)
{
    for (const char *at = value;; at++) {
        at += strspn(at, BLANKS);
        size_t all = strcspn(at, ",");
        size_t len = all;
        while (len > 0 && strchr(BLANKS, at[len - 1]) != NULL) {
            len--;
        }
        if (len == 0) {
            return complain(reader, reader->line, reader->key,
                            "an entry is empty: entries are separated by one "
                            "comma each");
        }
        _cleanup_free_ char *entry = strndup(at, len);
        texts_add(to, entry);
        at += all;
        if (*at == '\0') {
            return 0;
        }
    }
}

static int set_targets(struct reader *reader, const char *value)
{
    struct list *targets = &reader->command.targets;

    if (set_list(reader, value, targets) != 0) {
        return -1;
    }
    if (targets->n > COMMAND_TARGETS_MAX) {
        return complain(reader, reader->line, reader->key,
                        "%zu, and at most %d can be", targets->n,
                        COMMAND_TARGETS_MAX);
    }
    for (size_t i = 0; i < targets->n; i++) {
        const char *target = list_at(targets, char *, i);
        struct list before = {targets->items, i};
        if (!where_form.is_good(target)) {
            return complain(reader, reader->line, reader->key, "'%.80s' is %s",
                            target, where_form.what);
        }
        if (texts_hold(&before, target)) {
            return complain(reader, reader->line, reader->key,
                            "%s is there twice", target);
        }
    }
    return 0;
}

int set_duration(struct reader *reader, const char *value, int64_t max,
                 int64_t *to)
{
    char most[32];

    if (duration_parse(value, to, reader->err) != 0) {
        return pass_on(reader, reader->line, reader->key);
    }
    if (*to < 1 || *to > max) {
        duration_format(max, most, sizeof(most));
        return complain(reader, reader->line, reader->key,
                        "from 1s to %s can be", most);
    }
    return 0;
}

static int set_timeout(struct reader *reader, const char *value)
{
    return set_duration(reader, value, TIMEOUT_MAX, &reader->command.timeout);
}

static int set_wait(struct reader *reader, const char *value)
{
    return set_duration(reader, value, WAIT_MAX, &reader->command.wait);
}

static int set_run_as(struct reader *reader, const char *value)
{
    if (!user_form.is_good(value)) {
        return complain(reader, reader->line, reader->key, "'%.40s' is %s",
                        value, user_form.what);
    }
    return set_text(&reader->command.run_as, value);
}

static int set_cpu(struct reader *reader, const char *value)
{
    return set_duration(reader, value, TIMEOUT_MAX, &reader->command.cpu);
}

/* A whole number, perhaps with one of these letters behind it: each is 1,024
 * times the one before. 0: it is none, or over max. */
static int64_t number_of(const char *value, const char *letters, int64_t max)
{
    size_t n = strspn(value, "0123456789");
    const char *letter = value[n] == '\0' ? NULL : strchr(letters, value[n]);
    int shift = letter == NULL ? 0 : 10 * (int)(letter - letters + 1);

    if (n == 0 || n > 16 || value[n + (letter != NULL)] != '\0') {
        return 0;
    }
    int64_t number = strtoll(value, NULL, 10);
    return number > max >> shift ? 0 : number << shift;
}

static int set_number(struct reader *reader, const char *value,
                      const char *letters, int64_t max, int64_t *to)
{
    *to = number_of(value, letters, max);
    return *to > 0 ? 0
                   : complain(reader, reader->line, reader->key,
                              "not a number such as %s",
                              letters[0] == '\0' ? "64" : "512M or 2G");
}

static int set_bytes(struct reader *reader, const char *value, int64_t *to)
{
    return set_number(reader, value, "KMGT", BYTES_MAX, to);
}

static int set_memory(struct reader *reader, const char *value)
{
    return set_bytes(reader, value, &reader->command.memory);
}

static int set_file_size(struct reader *reader, const char *value)
{
    return set_bytes(reader, value, &reader->command.file_size);
}

static int set_open_files(struct reader *reader, const char *value)
{
    return set_number(reader, value, "", NUMBER_MAX,
                      &reader->command.open_files);
}

static int set_processes(struct reader *reader, const char *value)
{
    return set_number(reader, value, "", NUMBER_MAX,
                      &reader->command.processes);
}

static int set_approve(struct reader *reader, const char *value)
{
    return approval_parse(value, &reader->command.approve, reader->err) == 0
               ? 0
               : pass_on(reader, reader->line, reader->key);
}

static int set_approve_within(struct reader *reader, const char *value)
{
    return set_duration(reader, value, APPROVE_WITHIN_MAX,
                        &reader->command.approve.within);
}

struct parameter *parameter_of(struct reader *reader)
{
    struct list *all = &reader->command.parameters;

    return &list_at(all, struct parameter, all->n - 1);
}

static int set_type(struct reader *reader, const char *value)
{
    int type = word_value(&parameter_type_words, value);

    if (type == 0) {
        _cleanup_free_ char *words = words_join(&parameter_type_words);
        return complain(reader, reader->line, reader->key, "not one of %s",
                        words);
    }
    parameter_of(reader)->type = type;
    return 0;
}

static int set_required(struct reader *reader, const char *value)
{
    bool yes = strcmp(value, "true") == 0;

    if (!yes && strcmp(value, "false") != 0) {
        return complain(reader, reader->line, reader->key,
                        "neither true nor false");
    }
    parameter_of(reader)->required = yes;
    return 0;
}

static int set_default(struct reader *reader, const char *value)
{
    parameter_of(reader)->fallback = must_strdup(value);
    return 0;
}

static int set_help(struct reader *reader, const char *value)
{
    return set_text(&parameter_of(reader)->help, value);
}

static int set_choices(struct reader *reader, const char *value)
{
    struct list *choices = &parameter_of(reader)->choices;

    if (set_list(reader, value, choices) != 0) {
        return -1;
    }
    return choices->n <= CHOICES_MAX
               ? 0
               : complain(reader, reader->line, reader->key,
                          "%zu, and at most %d can be", choices->n,
                          CHOICES_MAX);
}

static int set_fixed(struct reader *reader, const char *value)
{
    parameter_of(reader)->fixed = must_strdup(value);
    return 0;
}

static int set_min(struct reader *reader, const char *value)
{
    return set_text(&parameter_of(reader)->min, value);
}

static int set_max(struct reader *reader, const char *value)
{
    return set_text(&parameter_of(reader)->max, value);
}

static int set_max_length(struct reader *reader, const char *value)
{
    struct parameter length = {
        .type = PARAMETER_INT, .min = (char[]){"1"}, .max = (char[]){"4000"}};

    if (parameter_check(&length, value, reader->err) != 0) {
        return pass_on(reader, reader->line, reader->key);
    }
    parameter_of(reader)->max_length = strtoll(value, NULL, 10);
    return 0;
}

static int set_pattern(struct reader *reader, const char *value)
{
    return set_text(&parameter_of(reader)->pattern, value);
}

/* Split at blanks: none can be part of a word, but of a value that comes to
 * stand in one. */
static int set_args(struct reader *reader, const char *value)
{
    struct list *args = &reader->command.args;

    for (value += strspn(value, BLANKS); *value != '\0';
         value += strspn(value, BLANKS)) {
        size_t len = strcspn(value, BLANKS);
        _cleanup_free_ char *word = strndup(value, len);
        texts_add(args, word);
        value += len;
    }
    return args->n <= ARGS_MAX ? 0
                               : complain(reader, reader->line, reader->key,
                                          "%zu words, and at most %d can be",
                                          args->n, ARGS_MAX);
}

static int set_files(struct reader *reader, const char *value)
{
    struct list *files = &reader->command.files;
    struct list names = {0};
    int done = set_list(reader, value, &names);

    for (size_t i = 0; done == 0 && i < names.n; i++) {
        struct attachment *file = list_grow(files, sizeof(*file));
        file->name = must_strdup(list_at(&names, char *, i));
    }
    texts_done(&names);
    if (done != 0) {
        return -1;
    }
    if (files->n > ATTACHMENTS_MAX) {
        return complain(reader, reader->line, reader->key,
                        "%zu, and at most %d can be", files->n,
                        ATTACHMENTS_MAX);
    }
    return attachments_check(files, 0, reader->err) == 0
               ? 0
               : pass_on(reader, reader->line, reader->key);
}

static int set_runner_may(struct reader *reader, const char *value)
{
    return set_list(reader, value, &reader->command.runner_may);
}

static int set_notify(struct reader *reader, const char *value)
{
    struct list *notify = &reader->command.notify;

    return notify_parse(value, notify, reader->err) == 0 &&
                   notify_check(notify, reader->err) == 0
               ? 0
               : pass_on(reader, reader->line, reader->key);
}

const struct key command_keys[] = {
    {"name", set_name}, /* a line each */
    {"description", set_description},
    {"targets", set_targets},
    {"timeout", set_timeout},
    {"wait", set_wait},
    {"args", set_args},
    {"files", set_files},
    {"runner_may", set_runner_may},
    {"run_as", set_run_as},
    {"cpu", set_cpu},
    {"memory", set_memory},
    {"file_size", set_file_size},
    {"open_files", set_open_files},
    {"processes", set_processes},
    {"notify", set_notify},
    {"max_parallel", set_max_parallel}, /* these in pace_keys.c */
    {"max_errors", set_max_errors},
    {"retry", set_retry},
    {"retry_on", set_retry_on},
    {"retry_backoff", set_retry_backoff},
    {"idempotent", set_idempotent},
    {"concurrency", set_concurrency},
    {"concurrency_key", set_concurrency_key},
    {"approve", set_approve},
    {"approve_within", set_approve_within},
    {"schedule", set_schedule},
    {"at", set_at},
    {"zone", set_zone},
    {"catch_up", set_catch_up},
    {NULL, NULL},
};

const struct key parameter_keys[] = {
    {"type", set_type},
    {"required", set_required},
    {"default", set_default},
    {"fixed", set_fixed},
    {"help", set_help},
    {"choices", set_choices},
    {"min", set_min},
    {"max", set_max},
    {"max_length", set_max_length},
    {"pattern", set_pattern},
    {NULL, NULL},
};

bool key_repeats(const char *name)
{
    return strcmp(name, "notify") == 0 || strcmp(name, "schedule") == 0 ||
           strcmp(name, "at") == 0;
}

size_t key_index(const struct key *keys, const char *name)
{
    for (size_t i = 0; keys[i].name != NULL; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return i;
        }
    }
    return KEYS_MAX;
}

/*
 * pace_keys.c: the keys of a command's file that say how its runs go on; see
 * pace.h, command_keys.c. What must fit together is checked by pace_check()
 * when the file ends.
 */
#include "model/command_private.h"

#include <stdlib.h>
#include <string.h>

static int set_share(struct reader *reader, const char *value, char **to)
{
    if (!share_form.is_good(value)) {
        return complain(reader, reader->line, reader->key, "%s",
                        share_form.what);
    }
    *to = must_strdup(value);
    return 0;
}

int set_max_parallel(struct reader *reader, const char *value)
{
    return set_share(reader, value, &reader->command.pace.max_parallel);
}

int set_max_errors(struct reader *reader, const char *value)
{
    return set_share(reader, value, &reader->command.pace.max_errors);
}

int set_retry(struct reader *reader, const char *value)
{
    size_t len = strlen(value);
    long most = len >= 1 && len <= 3 && strspn(value, "0123456789") == len
                    ? strtol(value, NULL, 10)
                    : -1;

    if (most < 0 || most > PACE_RETRY_MAX) {
        return complain(reader, reader->line, reader->key,
                        "how often it is tried again, from 0 to %d",
                        PACE_RETRY_MAX);
    }
    reader->command.pace.retry = most;
    return 0;
}

int set_retry_on(struct reader *reader, const char *value)
{
    struct list *outcomes = &reader->command.pace.retry_on;

    if (set_list(reader, value, outcomes) != 0) {
        return -1;
    }
    for (size_t i = 0; i < outcomes->n; i++) {
        const char *outcome = list_at(outcomes, char *, i);
        if (!retried_form.is_good(outcome)) {
            return complain(reader, reader->line, reader->key, "'%.40s' is %s",
                            outcome, retried_form.what);
        }
    }
    return 0;
}

int set_retry_backoff(struct reader *reader, const char *value)
{
    return set_duration(reader, value, PACE_BACKOFF_MAX,
                        &reader->command.pace.retry_backoff);
}

int set_idempotent(struct reader *reader, const char *value)
{
    bool yes = strcmp(value, "yes") == 0;

    if (!yes && strcmp(value, "no") != 0) {
        return complain(reader, reader->line, reader->key,
                        "neither yes nor no");
    }
    reader->command.pace.idempotent = yes;
    return 0;
}

int set_concurrency(struct reader *reader, const char *value)
{
    int word = word_value(&concurrency_words, value);

    if (word == 0 && strcmp(value, "allow") != 0) {
        return complain(reader, reader->line, reader->key,
                        "not one of allow, queue, refuse and replace");
    }
    reader->command.pace.concurrency = word;
    return 0;
}

int set_concurrency_key(struct reader *reader, const char *value)
{
    if (value[0] == '\0' || value[strcspn(value, BLANKS)] != '\0') {
        return complain(reader, reader->line, reader->key,
                        "one word, such as {host}");
    }
    reader->command.pace.concurrency_key = must_strdup(value);
    return 0;
}

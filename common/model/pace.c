/*
 * pace.c: see pace.h.
 *
 * How long a run may last (pace_life) follows from what is signed, so that each
 * host can hold it: as many rounds as its targets need, in each as many
 * attempts as are allowed, each of them waiting, running out of time and being
 * recorded as slowly as it may. That bound has a bound of its own: claim logs
 * are kept for three times the longest wait, three days by default, and nothing
 * of a run may start when they have forgotten it.
 */
#include "model/pace.h"

#include <stdlib.h>
#include <string.h>

#include "model/argv.h"
#include "model/result.h"

#define DAY 86400
#define RECORDED 60        /* s until an outcome stands in the record */
#define LIFE_MAX (2 * DAY) /* s; or twice the wait, where that is more */
#define QUEUE_MAX DAY      /* s for the runs before it to end */

WORDS(concurrency_words, "queue", "refuse", "replace");

/* 1 to 9999, or 1% to 100%. */
static bool is_share(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    bool part = strcmp(text + digits, "%") == 0;

    return digits >= 1 && digits <= 4 && text[0] != '0' &&
           (part ? atoi(text) <= 100 : text[digits] == '\0');
}

const struct text_form share_form = {
    is_share,
    "not a number of targets, from 1, or a part of them, such as 25%"};

static const char *const retried[] = {"failed", "timed_out", "lost"};

static bool is_retried(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(retried); i++) {
        if (strcmp(retried[i], text) == 0) {
            return true;
        }
    }
    return false;
}

const struct text_form retried_form = {is_retried,
                                       "not one of failed, timed_out or lost"};

static const struct field retried_item = {
    .name = "outcome", .kind = FIELD_TEXT, .max = 20, .form = &retried_form};

static const struct field pace_fields[] = {
    {"max_parallel", FIELD_TEXT, .optional = true, .max = 5,
     .form = &share_form, .at = offsetof(struct pace, max_parallel)},
    {"max_errors", FIELD_TEXT, .optional = true, .max = 5, .form = &share_form,
     .at = offsetof(struct pace, max_errors)},
    {"retry", FIELD_INT, .optional = true, .min = 1, .max = PACE_RETRY_MAX,
     .at = offsetof(struct pace, retry)},
    {"retry_on", FIELD_LIST, .optional = true, .max = ARRAY_SIZE(retried),
     .item = &retried_item, .at = offsetof(struct pace, retry_on)},
    {"retry_backoff", FIELD_INT, .optional = true, .min = 1,
     .max = PACE_BACKOFF_MAX, .at = offsetof(struct pace, retry_backoff)},
    {"idempotent", FIELD_BOOL, .optional = true,
     .at = offsetof(struct pace, idempotent)},
    {"concurrency", FIELD_WORD, .optional = true, .words = &concurrency_words,
     .at = offsetof(struct pace, concurrency)},
    {"concurrency_key", FIELD_TEXT, .optional = true, .max = ARG_MAX_BYTES,
     .at = offsetof(struct pace, concurrency_key)},
};

const struct table pace_table = {
    .name = "pace", TABLE(pace_fields), .size = sizeof(struct pace)};

static int check_retry(const struct pace *pace, struct err *err)
{
    const struct list *on = &pace->retry_on;

    if (pace->retry == 0 && (on->n > 0 || pace->retry_backoff > 0)) {
        return err_set(err, ERR_REJECT,
                       "retry_on and retry_backoff go with a retry");
    }
    for (size_t i = 0; i < on->n; i++) {
        struct list before = {on->items, i};
        if (texts_hold(&before, list_at(on, char *, i))) {
            return err_set(err, ERR_REJECT, "retry_on: %s is there twice",
                           list_at(on, char *, i));
        }
    }
    return !texts_hold(on, "lost") || pace->idempotent
               ? 0
               : err_set(err, ERR_REJECT,
                         "retry_on: nobody knows what became of what is lost: "
                         "it is tried again only where idempotent = yes");
}

int pace_check(const struct pace *pace, const struct list *parameters,
               struct err *err)
{
    struct list key = {&(char *){pace->concurrency_key}, 1};

    if (check_retry(pace, err) != 0) {
        return -1;
    }
    if (pace->concurrency_key == NULL) {
        return 0;
    }
    if (pace->concurrency == CONCURRENCY_ALLOW) {
        return err_set(err, ERR_REJECT,
                       "concurrency_key goes with concurrency = queue, refuse "
                       "or replace");
    }
    return argv_check(&key, parameters, err) == 0
               ? 0
               : err_wrap(err, "concurrency_key");
}

/* Of n. */
static size_t share_of(const char *text, size_t n)
{
    size_t number = strtoul(text, NULL, 10);

    if (strchr(text, '%') != NULL) {
        number = n * number / 100;
    }
    return number > 0 ? number : 1;
}

size_t pace_parallel(const struct pace *pace, size_t n)
{
    size_t most =
        pace->max_parallel == NULL ? n : share_of(pace->max_parallel, n);

    return most < n ? most : n;
}

size_t pace_errors(const struct pace *pace, size_t n)
{
    return pace->max_errors == NULL ? n + 1 : share_of(pace->max_errors, n);
}

int64_t pace_attempts(const struct pace *pace)
{
    return 1 + pace->retry;
}

bool pace_advances(const struct pace *pace, size_t n)
{
    return pace->concurrency != CONCURRENCY_ALLOW || pace_attempts(pace) > 1 ||
           pace_parallel(pace, n) < n;
}

bool pace_retries(const struct pace *pace, int outcome)
{
    if (pace->retry_on.n > 0) {
        return texts_hold(&pace->retry_on, word_text(&outcome_words, outcome));
    }
    return outcome == OUTCOME_FAILED || outcome == OUTCOME_TIMED_OUT;
}

int64_t pace_backoff(const struct pace *pace)
{
    return 1000 *
           (pace->retry_backoff > 0 ? pace->retry_backoff : PACE_BACKOFF);
}

int64_t pace_life(const struct pace *pace, int64_t wait, int64_t timeout,
                  size_t n)
{
    int64_t parallel = n == 0 ? 1 : (int64_t)pace_parallel(pace, n);
    int64_t rounds = n == 0 ? 1 : ((int64_t)n + parallel - 1) / parallel;
    int64_t each = wait + timeout + RECORDED;
    int64_t most = 2 * wait > LIFE_MAX ? 2 * wait : LIFE_MAX;
    int64_t life = rounds * (pace_attempts(pace) * each +
                             pace->retry * pace_backoff(pace) / 1000) -
                   timeout - RECORDED;

    if (pace->concurrency == CONCURRENCY_QUEUE ||
        pace->concurrency == CONCURRENCY_REPLACE) {
        life += QUEUE_MAX;
    }
    return 1000 * (life < most ? life : most);
}

struct hash pace_turn(const struct pace *pace, const struct id *command,
                      const struct list *values)
{
    struct list key = {&(char *){pace->concurrency_key},
                       pace->concurrency_key == NULL ? 0 : 1};
    struct list words = {0};

    argv_make(&key, values, &words);
    const char *word = words.n == 0 ? "" : list_at(&words, char *, 0);
    struct part parts[] = {{command->b, sizeof(command->b)},
                           {word, strlen(word)}};
    struct hash turn = hash_tuple(parts, ARRAY_SIZE(parts));
    texts_done(&words);
    return turn;
}

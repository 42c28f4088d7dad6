/* notify.c: see notify.h. */
#include "model/notify.h"

#include <string.h>

#define BLANKS " \t"

const struct field outcome_item = {
    .name = "outcome", .kind = FIELD_WORD, .words = &outcome_words};

static const struct field notify_fields[] = {
    {"to", FIELD_TEXT, .max = EMAIL_MAX, .at = offsetof(struct notify, to)},
    {"on", FIELD_LIST, .item = &outcome_item, .max = OUTCOMES,
     .at = offsetof(struct notify, on)},
};

static const struct table notify_table = {
    .name = "notify", TABLE(notify_fields), .size = sizeof(struct notify)};

const struct field notify_item = {
    .name = "notify", .kind = FIELD_TABLE, .table = &notify_table};

const char *notify_webhook(const char *to)
{
    size_t len = strlen(NOTIFY_WEBHOOK);

    return strncmp(to, NOTIFY_WEBHOOK, len) == 0 ? to + len : NULL;
}

static bool outcomes_hold(const struct list *outcomes, int outcome)
{
    for (size_t i = 0; i < outcomes->n; i++) {
        if (list_at(outcomes, int, i) == outcome) {
            return true;
        }
    }
    return false;
}

/* As it is signed; the caller's to free. NULL: REJECT. */
static char *to_normal(const char *text, struct err *err)
{
    const char *name = notify_webhook(text);

    if (strstr(text, "://") != NULL) {
        (void)err_set(err, ERR_REJECT,
                      "an address on the web is said by a name that the "
                      "notifier knows it by, webhook:NAME");
        return NULL;
    }
    if (name == NULL) {
        return email_normal(text, err);
    }
    if (!name_is_good(name)) {
        (void)err_set(err, ERR_REJECT,
                      "'%.80s': a webhook's name is at most 63 of a-z, 0-9 and "
                      "'-', a letter or digit first",
                      text);
        return NULL;
    }
    return must_strdup(text);
}

/* Lines */

static char *trimmed(char *text)
{
    char *end = text + strlen(text);

    text += strspn(text, BLANKS);
    while (end > text && strchr(BLANKS, end[-1]) != NULL) {
        *--end = '\0';
    }
    return text;
}

/* Cuts the text before the word `on`; what stands behind it, or NULL. */
static char *cut_at_on(char *text)
{
    for (char *at = text; (at = strpbrk(at, BLANKS)) != NULL;) {
        char *blank = at;
        at += strspn(at, BLANKS);
        if (strncmp(at, "on", 2) == 0 &&
            (at[2] == '\0' || strchr(BLANKS, at[2]) != NULL)) {
            *blank = '\0';
            return at + 2;
        }
    }
    return NULL;
}

static int no_outcome(const char *word, struct err *err)
{
    _cleanup_free_ char *words = words_join(&outcome_words);

    return *word == '\0'
               ? err_set(err, ERR_REJECT,
                         "behind 'on' an outcome is missing: %s; or any; or "
                         "not succeeded",
                         words)
               : err_set(err, ERR_REJECT,
                         "'%.40s' is no outcome: there are %s; or any; or not "
                         "succeeded",
                         word, words);
}

static int read_words(char *text, struct list *outcomes, struct err *err)
{
    for (char *word; (word = strsep(&text, ",")) != NULL;) {
        int outcome = word_value(&outcome_words, word = trimmed(word));
        if (outcome == OUTCOME_NONE) {
            return no_outcome(word, err);
        }
        if (outcomes_hold(outcomes, outcome)) {
            return err_set(err, ERR_REJECT, "%s is there twice", word);
        }
        *(int *)list_grow(outcomes, sizeof(int)) = outcome;
    }
    return 0;
}

static void add_others(const struct list *outcomes, struct list *ret_others)
{
    for (int outcome = 1; outcome <= OUTCOMES; outcome++) {
        if (!outcomes_hold(outcomes, outcome)) {
            *(int *)list_grow(ret_others, sizeof(int)) = outcome;
        }
    }
}

/* "any", "not …" or outcomes. */
static int read_outcomes(char *text, struct list *ret_outcomes, struct err *err)
{
    struct list outcomes = {0};
    bool others;

    text = trimmed(text);
    others = strncmp(text, "not", 3) == 0 && text[3] != '\0' &&
             strchr(BLANKS, text[3]) != NULL;
    if (strcmp(text, "any") != 0 &&
        read_words(others ? text + 3 : text, &outcomes, err) != 0) {
        free(outcomes.items);
        return -1;
    }
    if (others || outcomes.n == 0) {
        add_others(&outcomes, ret_outcomes);
        free(outcomes.items);
    } else {
        *ret_outcomes = outcomes;
    }
    return ret_outcomes->n > 0
               ? 0
               : err_set(err, ERR_REJECT, "no outcome is left to tell of");
}

static int add_one(const char *text, const struct list *outcomes,
                   struct list *notify, struct err *err)
{
    char *to = to_normal(text, err);

    if (to == NULL) {
        return -1;
    }
    struct notify *one = list_grow(notify, sizeof(*one));
    one->to = to;
    for (size_t i = 0; i < outcomes->n; i++) {
        *(int *)list_grow(&one->on, sizeof(int)) = list_at(outcomes, int, i);
    }
    return 0;
}

int notify_parse(const char *value, struct list *notify, struct err *err)
{
    _cleanup_free_ char *copy = must_strdup(value);
    char *when = cut_at_on(copy);
    char *rest = copy;
    struct list outcomes = {0};

    if (when == NULL) {
        return err_set(err, ERR_REJECT,
                       "it does not say when: add 'on' and outcomes, such as "
                       "on failed, timed_out; or on not succeeded; or on any");
    }
    int done = read_outcomes(when, &outcomes, err);
    for (char *to; done == 0 && (to = strsep(&rest, ",")) != NULL;) {
        to = trimmed(to);
        done = *to == '\0'
                   ? err_set(err, ERR_REJECT,
                             "an address is empty: they are separated by one "
                             "comma each")
                   : add_one(to, &outcomes, notify, err);
    }
    free(outcomes.items);
    return done;
}

static int check_one(const struct notify *one, struct err *err)
{
    _cleanup_free_ char *to = to_normal(one->to, err);

    if (to == NULL) {
        return -1;
    }
    if (strcmp(to, one->to) != 0) {
        return err_set(err, ERR_REJECT, "%s is written %s", one->to, to);
    }
    if (one->on.n == 0) {
        return err_set(err, ERR_REJECT, "%s: after no outcome", one->to);
    }
    for (size_t i = 0; i < one->on.n; i++) {
        struct list before = {one->on.items, i};
        int outcome = list_at(&one->on, int, i);
        if (outcomes_hold(&before, outcome)) {
            return err_set(err, ERR_REJECT, "%s: %s is there twice", one->to,
                           word_text(&outcome_words, outcome));
        }
    }
    return 0;
}

int notify_check(const struct list *notify, struct err *err)
{
    if (notify->n > NOTIFY_MAX) {
        return err_set(err, ERR_REJECT,
                       "%zu are to be told, and at most %d "
                       "can be",
                       notify->n, NOTIFY_MAX);
    }
    for (size_t i = 0; i < notify->n; i++) {
        const struct notify *one = &list_at(notify, struct notify, i);
        if (check_one(one, err) != 0) {
            return -1;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(list_at(notify, struct notify, j).to, one->to) == 0) {
                return err_set(err, ERR_REJECT,
                               "%s is there twice: say all its outcomes in one "
                               "line",
                               one->to);
            }
        }
    }
    return 0;
}

char *notify_text(const struct notify *notify)
{
    struct buf text = {0};
    bool succeeded = outcomes_hold(&notify->on, OUTCOME_SUCCEEDED);
    size_t n = notify->on.n;
    int failed = buf_addf(&text, "%s on ", notify->to);

    if (n == OUTCOMES || (n == OUTCOMES - 1 && !succeeded)) {
        failed |= buf_adds(&text, n == OUTCOMES ? "any" : "not succeeded");
    } else {
        for (size_t i = 0; i < n; i++) {
            failed |= buf_addf(
                &text, "%s%s", i == 0 ? "" : ", ",
                word_text(&outcome_words, list_at(&notify->on, int, i)));
        }
    }
    if (failed) {
        abort();
    }
    return buf_take(&text);
}

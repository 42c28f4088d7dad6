/* where.c: see where.h. */
#include "model/where.h"

#include <string.h>

#define VALUE_MAX 63
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char all[] = "@all";

static bool value_is_good(const char *value)
{
    size_t len = strlen(value);

    return len >= 1 && len <= VALUE_MAX &&
           strspn(value, LETTERS DIGITS "._-") == len &&
           strspn(value, LETTERS DIGITS) > 0;
}

static bool label_is_good(const char *text)
{
    const char *is = strchr(text, '=');

    if (is == NULL || !value_is_good(is + 1)) {
        return false;
    }
    _cleanup_free_ char *key = strndup(text, (size_t)(is - text));
    return key != NULL && name_is_good(key);
}

static bool where_is_good(const char *text)
{
    return strcmp(text, all) == 0 ||
           (text[0] == '@' ? label_is_good(text + 1) : name_is_good(text));
}

const struct text_form where_form = {
    .is_good = where_is_good,
    .what = "not a target's name, @LABEL=VALUE or @all",
};

bool where_is_name(const char *where)
{
    return where[0] != '@';
}

bool where_holds(const char *where, const char *name, const struct list *labels)
{
    if (where_is_name(where)) {
        return strcmp(where, name) == 0;
    }
    if (strcmp(where, all) == 0) {
        return true;
    }
    for (size_t i = 0; i < labels->n; i++) {
        const struct pair *label = &list_at(labels, struct pair, i);
        size_t len = strlen(label->name);
        if (strncmp(where + 1, label->name, len) == 0 &&
            where[1 + len] == '=' &&
            strcmp(where + 1 + len + 1, label->value) == 0) {
            return true;
        }
    }
    return false;
}

int label_check(const char *key, const char *value, struct err *err)
{
    if (!name_is_good(key)) {
        return err_set(err, ERR_REJECT,
                       "'%.80s' is no label's name: at most 63 of a-z, 0-9 and "
                       "'-', a letter or digit first",
                       key);
    }
    return value_is_good(value)
               ? 0
               : err_set(err, ERR_REJECT,
                         "label %s: its value is 1 to 63 letters, digits, '.', "
                         "'_' and '-', a letter or digit first",
                         key);
}

int labels_check(const struct list *labels, struct err *err)
{
    if (labels->n > LABELS_MAX) {
        return err_set(err, ERR_REJECT, "%zu labels, and at most %d can be",
                       labels->n, LABELS_MAX);
    }
    for (size_t i = 0; i < labels->n; i++) {
        const struct pair *label = &list_at(labels, struct pair, i);
        if (label_check(label->name, label->value, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static struct pair *find(const struct list *labels, const char *key)
{
    for (size_t i = 0; i < labels->n; i++) {
        struct pair *label = &list_at(labels, struct pair, i);
        if (strcmp(label->name, key) == 0) {
            return label;
        }
    }
    return NULL;
}

static void take_away(struct list *labels, struct pair *label)
{
    free(label->name);
    free(label->value);
    *label = list_at(labels, struct pair, --labels->n);
}

int labels_assign(struct list *labels, const char *key, const char *value,
                  struct err *err)
{
    struct pair *there = find(labels, key);

    if (value[0] == '\0') {
        if (there == NULL) {
            return err_set(err, ERR_REJECT, "there is no label '%.80s'", key);
        }
        take_away(labels, there);
        return 0;
    }
    if (label_check(key, value, err) != 0) {
        return -1;
    }
    if (there == NULL && labels->n == LABELS_MAX) {
        return err_set(err, ERR_REJECT, "at most %d labels can be", LABELS_MAX);
    }
    if (there == NULL) {
        pairs_add(labels, key, value);
        return 0;
    }
    free(there->value);
    there->value = must_strdup(value);
    return 0;
}

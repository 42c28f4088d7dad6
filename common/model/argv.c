/* argv.c: see argv.h. */
#include "model/argv.h"

#include <string.h>

#include "base/utf8.h"
#include "model/parameter.h"

/* What stands next in a word: some text, or {NAME}. */
struct piece {
    const char *text;
    size_t len;
    bool named;
};

/* 1: a piece; 0: the word ends; -1: a brace that is neither. */
static int next_piece(const char **word, struct piece *ret_piece)
{
    const char *at = *word;
    size_t len = strcspn(at, "{}");

    if (at[0] == '\0') {
        return 0;
    }
    if (len == 0 && at[0] == at[1]) { /* a brace, written twice */
        *ret_piece = (struct piece){at, 1, false};
        *word = at + 2;
        return 1;
    }
    if (len > 0) {
        *ret_piece = (struct piece){at, len, false};
        *word = at + len;
        return 1;
    }
    len = at[0] == '{' ? strcspn(at + 1, "{}") : 0;
    if (len == 0 || at[1 + len] != '}') {
        return -1;
    }
    *ret_piece = (struct piece){at + 1, len, true};
    *word = at + len + 2;
    return 1;
}

static bool names(const struct piece *piece, const char *name)
{
    return strlen(name) == piece->len &&
           memcmp(name, piece->text, piece->len) == 0;
}

static const struct parameter *parameter_of(const struct list *parameters,
                                            const struct piece *piece)
{
    for (size_t i = 0; i < parameters->n; i++) {
        const struct parameter *one = &list_at(parameters, struct parameter, i);
        if (names(piece, one->name)) {
            return one;
        }
    }
    return NULL;
}

/* What stands in argv anybody on that host can read. */
static int check_named(const struct piece *piece, const struct list *parameters,
                       struct err *err)
{
    const struct parameter *parameter = parameter_of(parameters, piece);

    if (parameter == NULL) {
        return err_set(err, ERR_REJECT,
                       "{%.*s}: there is no parameter of that name",
                       (int)piece->len, piece->text);
    }
    return parameter->type != PARAMETER_SECRET
               ? 0
               : err_set(err, ERR_REJECT,
                         "{%.*s}: a secret can't be a word: anybody on that "
                         "host could read it; the script has it in its "
                         "environment",
                         (int)piece->len, piece->text);
}

static int check_word(const char *word, const struct list *parameters,
                      struct err *err)
{
    const char *at = word;
    struct piece piece;
    int more;

    if (word[0] == '\0' || has_control(word, "")) {
        return err_set(err, ERR_REJECT,
                       "an empty word, or one with control bytes");
    }
    while ((more = next_piece(&at, &piece)) > 0) {
        if (piece.named && check_named(&piece, parameters, err) != 0) {
            return -1;
        }
    }
    return more == 0 ? 0
                     : err_set(err, ERR_REJECT,
                               "%.80s: a brace alone; {NAME} is a parameter's "
                               "value, {{ and }} are braces",
                               word);
}

int argv_check(const struct list *args, const struct list *parameters,
               struct err *err)
{
    for (size_t i = 0; i < args->n; i++) {
        if (check_word(list_at(args, char *, i), parameters, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static const char *value_of(const struct list *values,
                            const struct piece *piece)
{
    for (size_t i = 0; i < values->n; i++) {
        const struct pair *pair = &list_at(values, struct pair, i);
        if (names(piece, pair->name)) {
            return pair->value;
        }
    }
    return NULL;
}

/* NULL: one of its parameters has no value. */
static char *make_word(const char *word, const struct list *values)
{
    _cleanup_buf_ struct buf text = {0};
    struct piece piece;
    int failed = 0;

    while (next_piece(&word, &piece) > 0) {
        const char *value = piece.named ? value_of(values, &piece) : piece.text;
        if (value == NULL) {
            return NULL;
        }
        failed |=
            buf_add(&text, value, piece.named ? strlen(value) : piece.len);
    }
    if (failed) {
        abort();
    }
    return buf_take(&text);
}

void argv_make(const struct list *args, const struct list *values,
               struct list *ret_words)
{
    for (size_t i = 0; i < args->n; i++) {
        _cleanup_free_ char *word = make_word(list_at(args, char *, i), values);
        if (word != NULL) {
            texts_add(ret_words, word);
        }
    }
}

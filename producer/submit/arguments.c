/* arguments.c: see arguments.h. */
#include "producer/submit/arguments.h"

#include <string.h>

#include "base/field_values.h"
#include "base/file.h"
#include "base/utf8.h"
#include "model/parameter.h"

#define PARAMS_MAX (1 << 20) /* bytes of --params FILE */

/* Files */

/* "-" is standard input. */
static int read_file(const char *path, size_t max, struct buf *ret_text,
                     struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    int done = file_read(standard ? "/dev/stdin" : path, max, ret_text, err);

    if (done != 0) {
        err->status = EXIT_INPUT;
        return -1;
    }
    return memchr(ret_text->data, '\0', ret_text->len) == NULL &&
                   utf8_is_good(ret_text->data, ret_text->len)
               ? 0
               : err_exit(err, EXIT_DATA, "%s: not text in UTF-8", name);
}

/* The text behind NAME=. */
static int value_of(const char *text, struct buf *ret_value, struct err *err)
{
    if (text[0] != '@' || text[1] == '@') {
        return buf_adds(ret_value, text + (text[0] == '@')) == 0
                   ? 0
                   : err_set(err, ERR_RETRY, "out of memory");
    }
    if (text[1] == '\0') {
        return err_exit(err, EXIT_USAGE,
                        "@ alone names no file; the text @ is written @@");
    }
    if (read_file(text + 1, PARAMETER_VALUE_MAX + 1, ret_value, err) != 0) {
        return -1;
    }
    if (ret_value->len > 0 && ret_value->data[ret_value->len - 1] == '\n') {
        ret_value->data[--ret_value->len] = '\0';
    }
    return 0;
}

/* NAME=VALUE */

static int add(struct list *arguments, const char *name, const char *value,
               struct err *err)
{
    if (pairs_get(arguments, name) != NULL) {
        return err_exit(err, EXIT_USAGE, "%.63s is given twice", name);
    }
    pairs_add(arguments, name, value);
    return 0;
}

static int read_word(const char *word, struct list *arguments, struct err *err)
{
    const char *equals = strchr(word, '=');
    _cleanup_buf_ struct buf value = {0};

    if (equals == NULL || equals == word) {
        return err_exit(err, EXIT_USAGE,
                        "'%.200s' is no argument: those are NAME=VALUE", word);
    }
    _cleanup_free_ char *name = strndup(word, (size_t)(equals - word));
    if (value_of(equals + 1, &value, err) != 0) {
        return err_wrap(err, "%.63s", name);
    }
    return add(arguments, name, buf_text(&value), err);
}

/* --params */

static int read_params(const char *path, struct list *arguments,
                       struct err *err)
{
    _cleanup_buf_ struct buf text = {0};
    struct list values = {0};
    int done = 0;

    if (read_file(path, PARAMS_MAX, &text, err) != 0) {
        return -1;
    }
    if (values_decode(text.data, text.len, &values, err) != 0) {
        pairs_done(&values);
        err->status = EXIT_DATA;
        return err_wrap(err,
                        "%s is not an object of names and values, such as "
                        "{\"dir\": \"/var\", \"lines\": 10}",
                        path);
    }
    for (size_t i = 0; i < values.n && done == 0; i++) {
        const struct pair *pair = &list_at(&values, struct pair, i);
        done = add(arguments, pair->name, pair->value, err);
    }
    pairs_done(&values);
    return done;
}

/* Standard input can be read once. */
static int check_input_once(const struct submit *submit, size_t from,
                            struct err *err)
{
    const char *params = flag_value(submit, "params");
    size_t n = params != NULL && strcmp(params, "-") == 0;

    for (size_t i = from; i < submit->n_args; i++) {
        const char *equals = strchr(submit->args[i], '=');
        n += equals != NULL && strcmp(equals, "=@-") == 0;
    }
    return n < 2 ? 0
                 : err_exit(err, EXIT_USAGE,
                            "standard input is named twice, and can be read "
                            "once");
}

int arguments_read(const struct submit *submit, size_t from,
                   struct list *ret_arguments, struct err *err)
{
    const char *params = flag_value(submit, "params");

    if (check_input_once(submit, from, err) != 0) {
        return -1;
    }
    for (size_t i = from; i < submit->n_args; i++) {
        if (read_word(submit->args[i], ret_arguments, err) != 0) {
            return -1;
        }
    }
    return params == NULL ? 0 : read_params(params, ret_arguments, err);
}

/* arguments.c: see arguments.h. */
#include "producer/submit/arguments.h"

#include <sodium.h>
#include <string.h>

#include "base/codec.h"
#include "base/field_values.h"
#include "base/file.h"
#include "base/utf8.h"

#define PARAMS_MAX (1 << 20) /* bytes of --params FILE */

/* Where a value may hold a secret, what is left of it is overwritten. */
static void wiped_done(struct buf *buf)
{
    if (buf->data != NULL) {
        sodium_memzero(buf->data, buf->cap);
    }
    buf_done(buf);
}

static void wiped_pairs_done(struct list *pairs)
{
    for (size_t i = 0; i < pairs->n; i++) {
        char *value = list_at(pairs, struct pair, i).value;
        sodium_memzero(value, strlen(value));
    }
    pairs_done(pairs);
}

/* Files */

/* "-" is standard input. */
static int read_bytes(const char *path, size_t max, struct buf *ret_bytes,
                      struct err *err)
{
    const char *real = strcmp(path, "-") == 0 ? "/dev/stdin" : path;

    if (file_read(real, max, ret_bytes, err) != 0) {
        err->status = EXIT_INPUT;
        return -1;
    }
    return 0;
}

static int read_text(const char *path, size_t max, struct buf *ret_text,
                     struct err *err)
{
    if (read_bytes(path, max, ret_text, err) != 0) {
        return -1;
    }
    return memchr(buf_text(ret_text), '\0', ret_text->len) == NULL &&
                   utf8_is_good(buf_text(ret_text), ret_text->len)
               ? 0
               : err_exit(err, EXIT_DATA, "%s: not text in UTF-8",
                          strcmp(path, "-") == 0 ? "standard input" : path);
}

static int read_value(const char *path, struct buf *ret_value, struct err *err)
{
    if (read_text(path, PARAMETER_VALUE_MAX + 1, ret_value, err) != 0) {
        return -1;
    }
    if (ret_value->len > 0 && ret_value->data[ret_value->len - 1] == '\n') {
        ret_value->data[--ret_value->len] = '\0';
    }
    return 0;
}

/* One parameter's value, from behind NAME=: by its type */

/* The file that it names; NULL: it is the value itself. */
static const char *file_named(const char *text)
{
    return text[0] == '@' && text[1] != '@' ? text + 1 : NULL;
}

static int add_secret(const struct parameter *parameter, const char *text,
                      struct given *given, struct err *err)
{
    const char *path = file_named(text);
    _cleanup_(wiped_done) struct buf value = {0};

    if (path == NULL) {
        return err_exit(err, EXIT_USAGE,
                        "%s is a secret, and others can read what is typed as "
                        "a command: leave it out and be asked, or use %s=@FILE "
                        "or %s=@-",
                        parameter->name, parameter->name, parameter->name);
    }
    if (read_value(path, &value, err) != 0) {
        return err_wrap(err, "%s", parameter->name);
    }
    return given_add_secret(given, parameter, value.data, value.len, err);
}

static int add_file(const struct parameter *parameter, const char *text,
                    struct given *given, struct err *err)
{
    const char *path = file_named(text);
    _cleanup_buf_ struct buf content = {0};

    if (path == NULL) {
        return err_exit(err, EXIT_USAGE, "%s is a file: %s=@FILE or %s=@-",
                        parameter->name, parameter->name, parameter->name);
    }
    if (read_bytes(path, FILE_PARAMETER_MAX, &content, err) != 0) {
        return err_wrap(err, "%s", parameter->name);
    }
    _cleanup_free_ char *value = base64_encode(buf_text(&content), content.len);
    pairs_add(&given->arguments, parameter->name, value);
    return 0;
}

static int add_text(const char *name, const char *text, struct given *given,
                    struct err *err)
{
    const char *path = file_named(text);
    _cleanup_buf_ struct buf value = {0};

    if (path == NULL) {
        pairs_add(&given->arguments, name, text + (text[0] == '@'));
        return 0;
    }
    if (read_value(path, &value, err) != 0) {
        return err_wrap(err, "%.63s", name);
    }
    pairs_add(&given->arguments, name, buf_text(&value));
    return 0;
}

static int twice(const char *name, struct err *err)
{
    return err_exit(err, EXIT_USAGE, "%.63s is given twice", name);
}

static int add_word(const char *word, const struct list *parameters,
                    struct given *given, struct err *err)
{
    const char *text = strchr(word, '=') + 1;
    _cleanup_free_ char *name = strndup(word, (size_t)(text - 1 - word));
    const struct parameter *parameter = parameter_find(parameters, name);
    int type = parameter == NULL ? PARAMETER_NONE : parameter->type;

    if (given_holds(given, name)) {
        return twice(name, err);
    }
    return type == PARAMETER_SECRET ? add_secret(parameter, text, given, err)
           : type == PARAMETER_FILE ? add_file(parameter, text, given, err)
                                    : add_text(name, text, given, err);
}

/* --params */

/* As it is: of a file the base64 of what is in it. */
static int add_pair(const struct pair *pair, const struct list *parameters,
                    struct given *given, struct err *err)
{
    const struct parameter *parameter = parameter_find(parameters, pair->name);

    if (given_holds(given, pair->name)) {
        return twice(pair->name, err);
    }
    if (parameter != NULL && parameter->type == PARAMETER_SECRET) {
        return given_add_secret(given, parameter, pair->value,
                                strlen(pair->value), err);
    }
    pairs_add(&given->arguments, pair->name, pair->value);
    return 0;
}

static int read_params(const char *path, const struct list *parameters,
                       struct given *given, struct err *err)
{
    _cleanup_(wiped_done) struct buf text = {0};
    _cleanup_(wiped_pairs_done) struct list values = {0};

    if (read_text(path, PARAMS_MAX, &text, err) != 0) {
        return -1;
    }
    if (values_decode(text.data, text.len, &values, err) != 0) {
        err->status = EXIT_DATA;
        return err_wrap(err,
                        "%s is not an object of names and values, such as "
                        "{\"dir\": \"/var\", \"lines\": 10}",
                        path);
    }
    for (size_t i = 0; i < values.n; i++) {
        if (add_pair(&list_at(&values, struct pair, i), parameters, given,
                     err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Words alone */

static int check_word(const struct submit *submit, size_t from, size_t i,
                      struct err *err)
{
    const char *word = submit->args[i];
    const char *equals = strchr(word, '=');

    if (equals == NULL || equals == word) {
        return err_exit(err, EXIT_USAGE,
                        "'%.200s' is no argument: those are NAME=VALUE", word);
    }
    if (strcmp(equals, "=@") == 0) {
        return err_exit(err, EXIT_USAGE,
                        "%.*s: @ alone names no file; the text @ is written @@",
                        (int)(equals - word), word);
    }
    size_t len = (size_t)(equals + 1 - word);
    for (size_t j = from; j < i; j++) {
        if (strncmp(submit->args[j], word, len) == 0) {
            return err_exit(err, EXIT_USAGE, "%.*s is given twice",
                            (int)len - 1, word);
        }
    }
    return 0;
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

int arguments_check_words(const struct submit *submit, size_t from,
                          struct err *err)
{
    for (size_t i = from; i < submit->n_args; i++) {
        if (check_word(submit, from, i, err) != 0) {
            return -1;
        }
    }
    return check_input_once(submit, from, err);
}

int arguments_read(const struct submit *submit, size_t from,
                   const struct list *parameters, struct given *ret_given,
                   struct err *err)
{
    const char *params = flag_value(submit, "params");

    for (size_t i = from; i < submit->n_args; i++) {
        if (add_word(submit->args[i], parameters, ret_given, err) != 0) {
            return -1;
        }
    }
    return params == NULL ? 0 : read_params(params, parameters, ret_given, err);
}

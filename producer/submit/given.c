/* given.c: see given.h. */
#include "producer/submit/given.h"

#include <sodium.h>
#include <string.h>

#include "model/secret.h"

#define TRIES 3

void given_done(struct given *given)
{
    for (size_t i = 0; i < given->secrets.n; i++) {
        struct secret_value *one =
            &list_at(&given->secrets, struct secret_value, i);
        free(one->name);
        secret_free(one->text);
    }
    free(given->secrets.items);
    pairs_done(&given->arguments);
    *given = (struct given){0};
}

bool given_holds(const struct given *given, const char *name)
{
    for (size_t i = 0; i < given->secrets.n; i++) {
        if (strcmp(list_at(&given->secrets, struct secret_value, i).name,
                   name) == 0) {
            return true;
        }
    }
    return pairs_get(&given->arguments, name) != NULL;
}

int given_add_secret(struct given *given, const struct parameter *parameter,
                     const void *bytes, size_t n, struct err *err)
{
    _cleanup_secret_ char *text = sodium_malloc(n + 1);

    if (text == NULL) {
        abort();
    }
    memcpy(text, n == 0 ? "" : bytes, n);
    text[n] = '\0';
    if (parameter_check(parameter, text, err) != 0) {
        err->status = EXIT_DATA;
        return err_wrap(err, "%s", parameter->name);
    }
    if (n > 0 && n < SECRET_MASKED_MIN) {
        say("%s: so short a secret is not hidden in the output",
            parameter->name);
    }
    struct secret_value *to = list_grow(&given->secrets, sizeof(*to));
    *to = (struct secret_value){must_strdup(parameter->name), take_ptr(text)};
    return 0;
}

/* 0: it is there, or left out; 1: ask again; -1. */
static int ask_once(struct given *given, const struct parameter *parameter,
                    struct err *err)
{
    _cleanup_free_ char *question =
        must_printf("%s (not shown%s)", parameter->name,
                    parameter->required ? "" : "; Enter leaves it out");
    _cleanup_free_ char *instead =
        must_printf("%s=@FILE or %s=@-", parameter->name, parameter->name);
    _cleanup_secret_ char *text = prompt_secret(question, instead, err);

    if (text == NULL) {
        return -1;
    }
    size_t n = strlen(text);
    if (n == 0 && parameter->required) {
        (void)err_exit(err, EXIT_DATA, "%s: missing, and required",
                       parameter->name);
        return 1;
    }
    if (n >= SECRET_MAX - 1) {
        return err_exit(err, EXIT_DATA, "%s: too long to be typed: %s",
                        parameter->name, instead);
    }
    return n == 0 || given_add_secret(given, parameter, text, n, err) == 0 ? 0
                                                                           : 1;
}

static int ask(struct given *given, const struct parameter *parameter,
               struct err *err)
{
    int done = 1;

    for (int i = 0; done > 0 && i < TRIES; i++) {
        if (i > 0) {
            say("%s", err->text);
            err_clear(err);
        }
        done = ask_once(given, parameter, err);
    }
    return done == 0 ? 0 : -1;
}

int given_ask_secrets(struct given *given, const struct list *parameters,
                      struct err *err)
{
    for (size_t i = 0; i < parameters->n; i++) {
        const struct parameter *one = &list_at(parameters, struct parameter, i);
        bool wanted = one->type == PARAMETER_SECRET &&
                      !given_holds(given, one->name) &&
                      (one->required || prompt_can());
        if (wanted && ask(given, one, err) != 0) {
            return -1;
        }
    }
    return 0;
}

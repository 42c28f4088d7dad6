/*
 * test_argv.c: the words behind a script: whole, never split, left out where
 * there is no value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/argv.h"
#include "model/parameter.h"

static struct parameter all[] = {
    {.name = (char[]){"host"}, .type = PARAMETER_STRING},
    {.name = (char[]){"log-dir"}, .type = PARAMETER_PATH},
};

static struct list parameters = {all, ARRAY_SIZE(all)};

/* The words of `args`, parted by blanks, with these values; joined by '|'. */
static char *make(const char *args, const char *host, const char *dir)
{
    _cleanup_free_ char *copy = must_strdup(args);
    struct list words = {0};
    struct list values = {0};
    struct list made = {0};
    struct err err = {0};
    struct buf text = {0};
    char *rest = NULL;

    for (char *word = strtok_r(copy, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        texts_add(&words, word);
    }
    if (host != NULL) {
        pairs_add(&values, "host", host);
    }
    if (dir != NULL) {
        pairs_add(&values, "log-dir", dir);
    }
    if (argv_check(&words, &parameters, &err) != 0) {
        assert_int_equal(err.kind, ERR_REJECT);
        (void)buf_adds(&text, err.text);
    } else {
        argv_make(&words, &values, &made);
    }
    for (size_t i = 0; i < made.n; i++) {
        (void)buf_addf(&text, "%s%s", i == 0 ? "" : "|",
                       list_at(&made, char *, i));
    }
    texts_done(&words);
    texts_done(&made);
    pairs_done(&values);
    return buf_take(&text);
}

static void words_are_what_the_template_says(void **state)
{
    static const struct {
        const char *args, *host, *dir, *made;
    } cases[] = {
        {"{host}", "a", NULL, "a"},
        {"{host} {log-dir}", "a", "/b", "a|/b"},
        {"--host={host} -v", "a", NULL, "--host=a|-v"},
        {"{host}:{log-dir}", "a", "/b", "a:/b"},
        {"{host}", "two words; $(x) `y` \n'\"", NULL,
         "two words; $(x) `y` \n'\""},
        {"{host}", "{log-dir}", "/b", "{log-dir}"},
        {"{host}", "-rf", NULL, "-rf"},
        {"{host}", "", NULL, ""},
        {"-v {host} --dir={log-dir}", "a", NULL, "-v|a"},
        {"-v {host}{log-dir}", "a", NULL, "-v"},
        {"{{host}} }}{{", NULL, NULL, "{host}|}{"},
        {"{", NULL, NULL,
         "{: a brace alone; {NAME} is a parameter's value, {{ "
         "and }} are braces"},
        {"a{b", NULL, NULL,
         "a{b: a brace alone; {NAME} is a parameter's "
         "value, {{ and }} are braces"},
        {"{hots}", NULL, NULL, "{hots}: there is no parameter of that name"},
        {"{HOST}", NULL, NULL, "{HOST}: there is no parameter of that name"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *made =
            make(cases[i].args, cases[i].host, cases[i].dir);
        assert_string_equal(made == NULL ? "" : made, cases[i].made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_what_the_template_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

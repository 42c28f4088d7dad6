/*
 * test_parameter.c: values against tests/tables/parameters.txt, arguments
 * against a command's parameters, and parameters themselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/parameter.h"
#include "tests/unit/columns.h"

static void add_choices(struct parameter *parameter, char *text)
{
    char *rest = NULL;

    for (char *one = strtok_r(text, ",", &rest); one != NULL;
         one = strtok_r(NULL, ",", &rest)) {
        texts_add(&parameter->choices, one);
    }
}

static void check_row(const struct columns *row)
{
    struct parameter parameter = {
        .type = word_value(&parameter_type_words, row->cells[0])};
    struct err err = {0};

    assert_int_equal(row->n, 4);
    add_choices(&parameter, row->cells[1]);
    bool good = parameter_check(&parameter, row->cells[2], &err) == 0;
    if (good != (strcmp(row->cells[3], "ok") == 0) ||
        (!good && strstr(err.text, row->cells[3]) == NULL)) {
        fail_msg("%s:%zu: '%s': %s", row->path, row->line, row->cells[2],
                 good ? "taken" : err.text);
    }
    if (!good) {
        assert_int_equal(err.kind, ERR_REJECT);
    }
    texts_done(&parameter.choices);
}

static void values_are_what_the_table_says(void **state)
{
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/tables/parameters.txt");
    while (columns_next(&row)) {
        check_row(&row);
        n++;
    }
    assert_true(n > 100);
}

/* "min=1 max=5" into the parameter. */
static void add_limits(struct parameter *parameter, char *text)
{
    const struct {
        const char *name;
        char **to;
    } members[] = {{"min", &parameter->min},
                   {"max", &parameter->max},
                   {"pattern", &parameter->pattern}};
    char *rest = NULL;

    for (char *one = strtok_r(text, " ", &rest); one != NULL;
         one = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(one, '=');
        *value++ = '\0';
        bool length = strcmp(one, "max_length") == 0;
        parameter->max_length =
            length ? strtoll(value, NULL, 10) : parameter->max_length;
        for (size_t i = 0; i < ARRAY_SIZE(members) && !length; i++) {
            if (strcmp(members[i].name, one) == 0) {
                *members[i].to = value;
            }
        }
    }
}

static void limits_are_what_the_table_says(void **state)
{
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/tables/limits.txt");
    while (columns_next(&row)) {
        struct parameter parameter = {
            .type = word_value(&parameter_type_words, row.cells[0])};
        struct err err = {0};
        assert_int_equal(row.n, 4);
        add_limits(&parameter, row.cells[1]);
        if (parameter_sound(&parameter, NULL, &err) != 0) {
            fail_msg("%s:%zu: %s", row.path, row.line, err.text);
        }
        bool good = parameter_check(&parameter, row.cells[2], &err) == 0;
        if (good != (strcmp(row.cells[3], "ok") == 0) ||
            (!good && strstr(err.text, row.cells[3]) == NULL)) {
            fail_msg("%s:%zu: '%s': %s", row.path, row.line, row.cells[2],
                     good ? "taken" : err.text);
        }
        n++;
    }
    assert_true(n > 50);
}

static void what_is_fixed_is_nobodys_to_say(void **state)
{
    struct parameter all[] = {{.name = (char[]){"host"},
                               .type = PARAMETER_STRING,
                               .fixed = (char[]){"db-1"}}};
    struct pair given = {(char[]){"host"}, (char[]){"db-1"}};
    struct list parameters = {all, 1};
    struct list one = {&given, 1};
    struct list none = {0};
    struct list values = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(arguments_check(&parameters, &none, &values, &err), 0);
    assert_string_equal(pairs_get(&values, "host"), "db-1");
    pairs_done(&values);
    assert_int_equal(arguments_check(&parameters, &one, &values, &err), -1);
    assert_non_null(strstr(err.text, "the administrator fixed it"));
}

static void a_value_has_at_most_4000_bytes(void **state)
{
    struct parameter parameter = {.type = PARAMETER_STRING};
    struct err err = {0};
    char value[4002];

    (void)state;
    memset(value, 'x', sizeof(value));
    value[4000] = '\0';
    assert_int_equal(parameter_check(&parameter, value, &err), 0);
    value[4000] = 'x';
    value[4001] = '\0';
    assert_int_equal(parameter_check(&parameter, value, &err), -1);
    assert_non_null(strstr(err.text, "4001 bytes"));
}

static void a_parameter_without_a_type_takes_nothing(void **state)
{
    struct parameter parameter = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(parameter_check(&parameter, "x", &err), -1);
    parameter.type = PARAMETER_FILE + 1;
    assert_int_equal(parameter_check(&parameter, "x", &err), -1);
}

static struct parameter dir = {
    .name = (char[]){"dir"}, .type = PARAMETER_PATH, .required = true};
static struct parameter lines = {.name = (char[]){"lines"},
                                 .type = PARAMETER_INT,
                                 .fallback = (char[]){"10"}};
static struct parameter match = {.name = (char[]){"match"},
                                 .type = PARAMETER_STRING};

/* Arguments as "name=value" words; what comes back likewise, in one text. */
static char *ask(const char *const *words, struct err *err)
{
    struct parameter all[] = {dir, lines, match};
    struct list parameters = {all, ARRAY_SIZE(all)};
    struct list arguments = {0};
    struct list values = {0};
    struct buf text = {0};

    for (; *words != NULL; words++) {
        _cleanup_free_ char *name = must_strdup(*words);
        char *value = strchr(name, '=');
        *value++ = '\0';
        pairs_add(&arguments, name, value);
    }
    int done = arguments_check(&parameters, &arguments, &values, err);
    int same = arguments_check(&parameters, &arguments, NULL, err);
    assert_int_equal(done, same);
    for (size_t i = 0; i < values.n; i++) {
        const struct pair *pair = &list_at(&values, struct pair, i);
        assert_int_equal(buf_addf(&text, "%s=%s ", pair->name, pair->value), 0);
    }
    pairs_done(&arguments);
    pairs_done(&values);
    if (done != 0) {
        assert_int_equal(text.len, 0);
        return NULL;
    }
    return buf_take(&text);
}

#define ASK(err, ...) ask((const char *const[]){__VA_ARGS__, NULL}, err)

static void values_come_in_the_parameters_order_with_defaults(void **state)
{
    struct err err = {0};
    _cleanup_free_ char *some = ASK(&err, "dir=/var");
    _cleanup_free_ char *all = ASK(&err, "match=", "lines=3", "dir=/");

    (void)state;
    assert_string_equal(some, "dir=/var lines=10 ");
    assert_string_equal(all, "dir=/ lines=3 match= ");
}

static void a_required_one_that_is_missing_is_named(void **state)
{
    struct err err = {0};

    (void)state;
    assert_null(ASK(&err, "lines=1"));
    assert_string_equal(err.text, "dir: missing, and required");
    assert_int_equal(err.kind, ERR_REJECT);
}

static void an_unknown_one_is_named_with_those_there_are(void **state)
{
    struct err err = {0};

    (void)state;
    assert_null(ASK(&err, "dri=/var"));
    assert_string_equal(err.text, "there is no parameter 'dri' (did you mean "
                                  "'dir'?); there are: dir, lines, match");
    assert_null(ASK(&err, "DIR=/var"));
    assert_non_null(strstr(err.text, "no parameter 'DIR'"));
}

static void a_bad_value_and_one_given_twice_are_named(void **state)
{
    struct err err = {0};

    (void)state;
    assert_null(ASK(&err, "dir=/var", "lines=many"));
    assert_memory_equal(err.text, "lines: not a whole number", 25);
    assert_null(ASK(&err, "dir=/var", "dir=/var"));
    assert_string_equal(err.text, "dir: given twice");
}

static void a_command_without_parameters_takes_none(void **state)
{
    struct pair pair = {(char[]){"x"}, (char[]){"y"}};
    struct list none = {0};
    struct list one = {&pair, 1};
    struct list values = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(arguments_check(&none, &none, &values, &err), 0);
    assert_int_equal(values.n, 0);
    assert_int_equal(arguments_check(&none, &one, &values, &err), -1);
    assert_non_null(strstr(err.text, "this command has none"));
}

static void a_variable_is_upper_case_with_underscores(void **state)
{
    _cleanup_free_ char *one = parameter_variable("log-dir");
    _cleanup_free_ char *two = parameter_variable("2nd-a-b");

    (void)state;
    assert_string_equal(one, "ERRAND_PARAM_LOG_DIR");
    assert_string_equal(two, "ERRAND_PARAM_2ND_A_B");
}

static void check_sound(struct parameter parameter, const char *choices,
                        const char *member, const char *reason)
{
    _cleanup_free_ char *text = must_strdup(choices);
    const char *got = NULL;
    struct err err = {0};

    parameter.name = (char[]){"p"};
    add_choices(&parameter, text);
    bool good = parameter_sound(&parameter, &got, &err) == 0;
    assert_int_equal(good, member == NULL);
    if (!good) {
        assert_string_equal(got, member);
        assert_non_null(strstr(err.text, reason));
        assert_int_equal(parameter_sound(&parameter, NULL, &err), -1);
    }
    texts_done(&parameter.choices);
}

static void choices_are_for_a_choice_and_each_there_once(void **state)
{
    struct parameter choice = {.type = PARAMETER_CHOICE};
    struct parameter other = {.type = PARAMETER_INT};

    (void)state;
    check_sound(choice, "a,b", NULL, NULL);
    check_sound(choice, "", "choices", "missing");
    check_sound(other, "a", "choices", "only for the type choice");
    check_sound(choice, "a,b,a", "choices", "'a' is there twice");
    check_sound(choice, "a,\x1b", "choices", "control bytes");
}

static void a_default_is_good_and_not_of_a_required_one(void **state)
{
    struct parameter good = {.type = PARAMETER_INT, .fallback = (char[]){"1"}};
    struct parameter bad = {.type = PARAMETER_INT, .fallback = (char[]){"x"}};
    struct parameter both = {
        .type = PARAMETER_INT, .required = true, .fallback = (char[]){"1"}};
    struct parameter empty = {.type = PARAMETER_STRING,
                              .fallback = (char[]){""}};
    struct parameter choice = {.type = PARAMETER_CHOICE,
                               .fallback = (char[]){"c"}};

    (void)state;
    check_sound(good, "", NULL, NULL);
    check_sound(empty, "", NULL, NULL);
    check_sound(bad, "", "default", "not a whole number");
    check_sound(both, "", "default", "required");
    check_sound(choice, "a,b", "default", "not one of a or b");
    check_sound(choice, "b,c", NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_what_the_table_says),
        cmocka_unit_test(limits_are_what_the_table_says),
        cmocka_unit_test(what_is_fixed_is_nobodys_to_say),
        cmocka_unit_test(a_value_has_at_most_4000_bytes),
        cmocka_unit_test(a_parameter_without_a_type_takes_nothing),
        cmocka_unit_test(values_come_in_the_parameters_order_with_defaults),
        cmocka_unit_test(a_required_one_that_is_missing_is_named),
        cmocka_unit_test(an_unknown_one_is_named_with_those_there_are),
        cmocka_unit_test(a_bad_value_and_one_given_twice_are_named),
        cmocka_unit_test(a_command_without_parameters_takes_none),
        cmocka_unit_test(a_variable_is_upper_case_with_underscores),
        cmocka_unit_test(choices_are_for_a_choice_and_each_there_once),
        cmocka_unit_test(a_default_is_good_and_not_of_a_required_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

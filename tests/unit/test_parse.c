/* test_parse.c: command lines of submit: verbs, flags, what is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "producer/submit/parse.h"

#define WORDS_MAX 10

/* Parses "submit" and these words, split at blanks. */
static int parse_line(struct submit *submit, const char *line, struct err *err)
{
    static char text[200];
    char *argv[WORDS_MAX + 2] = {(char *)"submit"};
    char *rest = text;
    int argc = 1;

    (void)snprintf(text, sizeof(text), "%s", line);
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        if (*word != '\0') {
            argv[argc++] = word;
        }
    }
    *submit = (struct submit){0};
    *err = (struct err){0};
    return parse(submit, argc, argv, err);
}

static void refuse(const char *line, const char *said)
{
    struct submit submit;
    struct err err;

    assert_int_equal(parse_line(&submit, line, &err), -1);
    assert_int_equal(err.status, EXIT_USAGE);
    if (strstr(err.text, said) == NULL) {
        fail_msg("%s: \"%s\" does not say \"%s\"", line, err.text, said);
    }
    parse_done(&submit);
}

static void flags_may_stand_anywhere(void **state)
{
    static const char *const lines[] = {
        "run disk-report dir=/var -t web-1 --target web-2 --detach -o json",
        "-o json --detach -t web-1 run --target=web-2 disk-report dir=/var",
        "-dtweb-1 -ojson run disk-report --target web-2 -- dir=/var"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct submit submit;
        struct err err;
        assert_int_equal(parse_line(&submit, lines[i], &err), 0);
        assert_string_equal(submit.verb->name, "run");
        assert_int_equal(submit.n_args, 2);
        assert_string_equal(submit.args[0], "disk-report");
        assert_string_equal(submit.args[1], "dir=/var");
        assert_string_equal(flag_value_at(&submit, "target", 0), "web-1");
        assert_string_equal(flag_value(&submit, "target"), "web-2");
        assert_null(flag_value_at(&submit, "target", 2));
        assert_true(flag_given(&submit, "detach"));
        assert_int_equal(submit.print.format, FORMAT_JSON);
        parse_done(&submit);
    }
}

static void a_verb_may_have_two_words(void **state)
{
    struct submit submit;
    struct err err;

    (void)state;
    assert_int_equal(parse_line(&submit, "command save file", &err), 0);
    assert_string_equal(submit.verb->name, "command save");
    assert_int_equal(submit.n_args, 1);
    assert_string_equal(submit.args[0], "file");
    assert_int_equal(submit.print.format, FORMAT_TABLE);
    parse_done(&submit);
}

static void what_follows_two_dashes_is_no_flag(void **state)
{
    struct submit submit;
    struct err err;

    (void)state;
    assert_int_equal(parse_line(&submit, "run c -- --detach -t", &err), 0);
    assert_int_equal(submit.n_args, 3);
    assert_false(flag_given(&submit, "detach"));
    parse_done(&submit);
    assert_int_equal(parse_line(&submit, "verify --code-file -", &err), 0);
    assert_string_equal(flag_value(&submit, "code-file"), "-");
    parse_done(&submit);
}

static void a_mistyped_word_is_answered_with_the_nearest(void **state)
{
    (void)state;
    refuse("lst", "did you mean 'list'?");
    refuse("rnu disk-report", "unknown verb 'rnu'; did you mean 'run'?");
    refuse("comand save x", "did you mean 'command save'?");
    refuse("user invit a@b", "did you mean 'user invite'?");
    refuse("frobnicate", "`submit help` tells");
    refuse("run x --detch", "did you mean --detach?");
    refuse("run x --xyzzyx", "unknown flag --xyzzyx");
    refuse("run x -q", "unknown flag -q");
}

static void half_a_verb_is_answered_with_its_other_halves(void **state)
{
    (void)state;
    refuse("command", "save, list, show, versions");
    refuse("user", "invite, confirm, list");
}

static void flags_and_arguments_must_fit_the_verb(void **state)
{
    (void)state;
    refuse("list --detach", "'list' takes no --detach");
    refuse("run", "submit run COMMAND");
    refuse("show a b", "'b' is too much");
    refuse("run x -t", "--target needs a value");
    refuse("run x --detach=yes", "--detach takes no value");
    refuse("list -o xml", "table, json, jsonl, csv or name");
    refuse("run x -o csv", "'run' tells no list");
    refuse("command diff a 1 2 3", "'3' is too much");
    refuse("", "what to do?");
}

static void help_and_version_need_nothing_else(void **state)
{
    struct submit submit;
    struct err err;

    (void)state;
    assert_int_equal(parse_line(&submit, "run --help", &err), 0);
    assert_null(submit.verb);
    assert_int_equal(submit.n_args, 1);
    parse_done(&submit);
    assert_int_equal(parse_line(&submit, "--version", &err), 0);
    parse_done(&submit);
}

static void check_flag(const struct flag *a, const struct flag *others)
{
    for (const struct flag *b = others; b && b->name; b++) {
        if (strcmp(a->name, b->name) == 0) {
            assert_int_equal(a->value == NULL, b->value == NULL);
        } else if (a->letter != 0) {
            assert_int_not_equal(a->letter, b->letter);
        }
    }
}

/* A letter or a value that means one thing here and another there would make
 * parsing guess. */
static void the_same_flag_is_the_same_in_all_verbs(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_verbs; i++) {
        for (const struct flag *a = verbs[i].flags; a && a->name; a++) {
            for (size_t k = 0; k < n_verbs; k++) {
                check_flag(a, verbs[k].flags);
            }
        }
    }
}

static void a_verbs_arguments_say_how_many_there_may_be(void **state)
{
    static const struct {
        const char *line;
        int done;
    } lines[] = {
        {"show", -1},        {"show a", 0},        {"show a b", -1},
        {"result", 0},       {"result a", 0},      {"result a b", -1},
        {"run", -1},         {"run a", 0},         {"run a b=1 c=2", 0},
        {"list a", -1},      {"help a b", 0},      {"help", 0},
        {"verify a b c", 0}, {"assign add a", -1}, {"assign add a b c", 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct submit submit = {0};
        struct err err = {0};
        int done = parse_line(&submit, lines[i].line, &err);
        if (done != lines[i].done) {
            fail_msg("%s: %d: %s", lines[i].line, done, err.text);
        }
        parse_done(&submit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_may_stand_anywhere),
        cmocka_unit_test(a_verb_may_have_two_words),
        cmocka_unit_test(what_follows_two_dashes_is_no_flag),
        cmocka_unit_test(a_mistyped_word_is_answered_with_the_nearest),
        cmocka_unit_test(half_a_verb_is_answered_with_its_other_halves),
        cmocka_unit_test(flags_and_arguments_must_fit_the_verb),
        cmocka_unit_test(help_and_version_need_nothing_else),
        cmocka_unit_test(a_verbs_arguments_say_how_many_there_may_be),
        cmocka_unit_test(the_same_flag_is_the_same_in_all_verbs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_command_file.c: commands read from files; what is refused stands in
 * tests/tables/command_files.txt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "model/command.h"
#include "tests/unit/columns.h"

static int read_text(const char *text, struct command_save *ret_command,
                     struct err *err)
{
    return command_read("f", text, strlen(text), ret_command, err);
}

static const struct parameter *parameter_at(const struct command_save *command,
                                            size_t i)
{
    assert_true(i < command->parameters.n);
    return &list_at(&command->parameters, struct parameter, i);
}

static void a_header_says_what_a_command_is(void **state)
{
    static const char text[] = "#!/bin/sh\n"
                               "#: name = disk-report\n"
                               "#: description = What fills a directory\n"
                               "#: targets = web-1, web-2 ,db\n"
                               "#: timeout = 1m30s\n"
                               "#: wait = 10m\n"
                               "#:\n"
                               "#: [param dir]\n"
                               "#: type = path\n"
                               "#: default = /var\n"
                               "#: help = The directory to look at\n"
                               "#: [param how]\n"
                               "#: choices = long, very short\n"
                               "#: type = choice\n"
                               "#: required = true\n"
                               "du -xh \"$ERRAND_PARAM_DIR\"\n";
    struct command_save command;
    struct err err = {0};

    (void)state;
    assert_int_equal(read_text(text, &command, &err), 0);
    assert_string_equal(command.name, "disk-report");
    assert_string_equal(command.description, "What fills a directory");
    assert_int_equal(command.targets.n, 3);
    assert_string_equal(list_at(&command.targets, char *, 1), "web-2");
    assert_string_equal(list_at(&command.targets, char *, 2), "db");
    assert_int_equal(command.timeout, 90);
    assert_int_equal(command.wait, 600);
    assert_int_equal(command.parameters.n, 2);
    assert_string_equal(parameter_at(&command, 0)->fallback, "/var");
    assert_string_equal(parameter_at(&command, 0)->help,
                        "The directory to look at");
    assert_false(parameter_at(&command, 0)->required);
    assert_int_equal(parameter_at(&command, 1)->type, PARAMETER_CHOICE);
    assert_true(parameter_at(&command, 1)->required);
    assert_true(texts_hold(&parameter_at(&command, 1)->choices, "very short"));
    assert_int_equal(command.script.len, sizeof(text) - 1);
    assert_memory_equal(command.script.data, text, sizeof(text) - 1);
    table_done(&command_save_table, &command);
}

static void a_short_header_leaves_the_rest_to_its_defaults(void **state)
{
    struct command_save command;
    struct err err = {0};

    (void)state;
    assert_int_equal(read_text("#!/bin/sh\n#:name=x\n#:targets=a\n"
                               "#: description =",
                               &command, &err),
                     0);
    assert_null(command.description);
    assert_int_equal(command.timeout, 120);
    assert_int_equal(command.wait, 60);
    assert_int_equal(command.parameters.n, 0);
    table_done(&command_save_table, &command);
}

static void any_of_the_three_prefixes_will_do(void **state)
{
    static const char *const texts[] = {
        "#!/bin/sh\n#: name = x\n#: targets = a\n",
        "#!/usr/bin/node\n//: name = x\n//: targets = a\n",
        "#!/usr/bin/lua\n--: name = x\n--: targets = a\n",
    };
    struct command_save command;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_int_equal(read_text(texts[i], &command, &err), 0);
        assert_string_equal(command.name, "x");
        table_done(&command_save_table, &command);
    }
}

static void values_arrive_whole(void **state)
{
    static const char *const values[] = {
        "a ; b",   "a # b",    "a = b = c",   "\"quoted\"",
        "'x",      "back\\n",  "$(x) `y` %s", "; first",
        "= first", "# first",  "[param]",     "grüße 世界 🙂",
        "a\tb",    "#: x = y",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        struct command_save command;
        struct err err = {0};
        _cleanup_free_ char *text =
            must_printf("#!/bin/sh\n#: name = x\n#: targets = a\n"
                        "#: description = %s\n#: [param p]\n"
                        "#: type = string\n#: default = %s\n#: help =%s\n",
                        values[i], values[i], values[i]);
        if (read_text(text, &command, &err) != 0) {
            fail_msg("%s: %s", values[i], err.text);
        }
        assert_string_equal(command.description, values[i]);
        assert_string_equal(parameter_at(&command, 0)->fallback, values[i]);
        assert_string_equal(parameter_at(&command, 0)->help, values[i]);
        table_done(&command_save_table, &command);
    }
}

static void a_value_has_at_most_4000_bytes(void **state)
{
    char value[4002] = {0};
    struct command_save command;
    struct err err = {0};

    (void)state;
    for (size_t n = 4000; n <= 4001; n++) {
        memset(value, 'x', n);
        _cleanup_free_ char *text = must_printf(
            "#!/bin/sh\n#: name = x\n#: description = %s\n#: targets = a\n",
            value);
        int done = read_text(text, &command, &err);
        assert_int_equal(done, n == 4000 ? 0 : -1);
        if (done == 0) {
            assert_string_equal(command.description, value);
            table_done(&command_save_table, &command);
        }
    }
    assert_string_equal(
        err.text, "f:3: description: 4001 bytes, and at most 4000 can be");
}

static void an_empty_default_is_a_default(void **state)
{
    struct command_save command;
    struct err err = {0};

    (void)state;
    assert_int_equal(read_text("#!/bin/sh\n#: name = x\n#: targets = a\n"
                               "#: [param p]\n#: type = string\n#: default =\n"
                               "#: [param q]\n#: type = string\n",
                               &command, &err),
                     0);
    assert_string_equal(parameter_at(&command, 0)->fallback, "");
    assert_null(parameter_at(&command, 1)->fallback);
    table_done(&command_save_table, &command);
}

static void what_is_wrong_is_refused_with_line_and_key(void **state)
{
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/tables/command_files.txt");
    for (; columns_next(&row); n++) {
        struct command_save command = {.version = 77};
        struct err err = {0};
        assert_int_equal(row.n, 2);
        if (read_text(row.cells[0], &command, &err) == 0 ||
            strncmp(err.text, "f:", 2) != 0 ||
            strncmp(err.text + 2, row.cells[1], strlen(row.cells[1])) != 0) {
            fail_msg("%s:%zu: not '%s' but '%s'", row.path, row.line,
                     row.cells[1], err.text);
        }
        assert_int_equal(err.kind, ERR_REJECT);
        assert_int_equal(err.status, EX_DATAERR);
        assert_int_equal(command.version, 77);
    }
    assert_true(n > 80);
}

static void a_nul_in_the_header_is_refused_and_one_below_stays(void **state)
{
    static const char bad[] = "#!/bin/sh\n#: name = x\0y\n#: targets = a\n";
    static const char first[] = "#!/bin/sh\0\n#: name = x\n#: targets = a\n";
    static const char good[] = "#!/bin/sh\n#: name = x\n#: targets = a\na\0b";
    struct command_save command;
    struct err err = {0};

    (void)state;
    assert_int_equal(command_read("f", bad, sizeof(bad) - 1, &command, &err),
                     -1);
    assert_string_equal(err.text, "f:2: holds control bytes");
    assert_int_equal(
        command_read("f", first, sizeof(first) - 1, &command, &err), -1);
    assert_string_equal(err.text, "f:1: the first line holds control bytes");
    assert_int_equal(command_read("f", good, sizeof(good) - 1, &command, &err),
                     0);
    assert_memory_equal(command.script.data, good, sizeof(good) - 1);
    table_done(&command_save_table, &command);
}

static void remarks_like_sphinx_s_are_left_alone_below(void **state)
{
    struct command_save command;
    struct err err = {0};

    (void)state;
    assert_int_equal(read_text("#!/usr/bin/python3\n#: name = x\n"
                               "#: targets = a\nimport os\n"
                               "#: How long to wait; see below.\nwait = 3\n",
                               &command, &err),
                     0);
    table_done(&command_save_table, &command);
}

static void more_than_what_may_be_is_refused(void **state)
{
    struct command_save command;
    struct err err = {0};
    _cleanup_buf_ struct buf many = {0};
    _cleanup_buf_ struct buf large = {0};

    (void)state;
    assert_int_equal(
        buf_adds(&many, "#!/bin/sh\n#: name = x\n#: targets = a\n"), 0);
    for (int i = 0; i <= PARAMETERS_MAX; i++) {
        assert_int_equal(buf_addf(&many, "#: [param p%d]\n#: type = int\n", i),
                         0);
    }
    assert_int_equal(read_text(buf_text(&many), &command, &err), -1);
    assert_string_equal(err.text, "f:132: at most 64 parameters can be");
    assert_int_equal(
        buf_adds(&large, "#!/bin/sh\n#: name = x\n#: targets = a\n"), 0);
    while (large.len <= SCRIPT_MAX) {
        assert_int_equal(buf_adds(&large, "# some 20 bytes more\n"), 0);
    }
    assert_int_equal(command_read("f", large.data, large.len, &command, &err),
                     -1);
    assert_non_null(strstr(err.text, "at most 409600 can be"));
    assert_int_equal(command_read("f", large.data, SCRIPT_MAX, &command, &err),
                     0);
    assert_int_equal(command.script.len, SCRIPT_MAX);
    table_done(&command_save_table, &command);
}

static void a_long_path_leaves_room_for_the_line(void **state)
{
    char path[1000];
    struct command_save command;
    struct err err = {0};

    (void)state;
    memset(path, 'd', sizeof(path));
    memcpy(path + sizeof(path) - 6, "/x.sh", 6);
    assert_int_equal(
        command_read(path, "#!/bin/sh\n#: x = y", 18, &command, &err), -1);
    assert_non_null(strstr(err.text, "/x.sh:2: unknown key 'x'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_says_what_a_command_is),
        cmocka_unit_test(a_short_header_leaves_the_rest_to_its_defaults),
        cmocka_unit_test(any_of_the_three_prefixes_will_do),
        cmocka_unit_test(values_arrive_whole),
        cmocka_unit_test(a_value_has_at_most_4000_bytes),
        cmocka_unit_test(an_empty_default_is_a_default),
        cmocka_unit_test(what_is_wrong_is_refused_with_line_and_key),
        cmocka_unit_test(a_nul_in_the_header_is_refused_and_one_below_stays),
        cmocka_unit_test(remarks_like_sphinx_s_are_left_alone_below),
        cmocka_unit_test(more_than_what_may_be_is_refused),
        cmocka_unit_test(a_long_path_leaves_room_for_the_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_command.c: what a command must be beyond its members' bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/command.h"

/* A command that is good, borrowing its texts. */
static struct command_save good_command(void)
{
    struct command_save command = {.name = must_strdup("x"),
                                   .version = 1,
                                   .timeout = TIMEOUT_DEFAULT,
                                   .wait = WAIT_DEFAULT};
    struct parameter *parameter =
        list_grow(&command.parameters, sizeof(*parameter));

    parameter->name = must_strdup("dir");
    parameter->type = PARAMETER_PATH;
    parameter->fallback = must_strdup("/var");
    texts_add(&command.targets, "web-1");
    assert_int_equal(buf_adds(&command.script, "#!/bin/sh\ntrue\n"), 0);
    return command;
}

static void check_script(const char *text, const char *reason)
{
    struct command_save command = good_command();
    struct err err = {0};

    buf_clear(&command.script);
    assert_int_equal(buf_adds(&command.script, text), 0);
    bool good = command_check(&command, &err) == 0;
    if (good != (reason == NULL) ||
        (!good && strstr(err.text, reason) == NULL)) {
        fail_msg("'%.40s': %s", text, good ? "taken" : err.text);
    }
    table_done(&command_save_table, &command);
}

static void the_first_line_names_an_interpreter(void **state)
{
    char line[300] = "#!/bin/";

    (void)state;
    check_script("#!/bin/sh", NULL);
    check_script("#!/usr/bin/env python3\n", NULL);
    check_script("#! /bin/sh -e\n\r\n", NULL);
    check_script("", "first line is not '#!'");
    check_script("#!", "first line is not '#!'");
    check_script("#!   ", "first line is not '#!'");
    check_script("#!\n/bin/sh", "first line is not '#!'");
    check_script("#!sh\n", "first line is not '#!'");
    check_script("true\n", "first line is not '#!'");
    check_script("#!/bin/sh\r\n", "ends in CRLF");
    memset(line + 7, 'x', 254 - 7);
    check_script(line, NULL);
    line[254] = 'x';
    check_script(line, "over 254 bytes");
}

static void a_script_has_at_most_400_kib(void **state)
{
    struct command_save command = good_command();
    struct err err = {0};

    (void)state;
    while (command.script.len < SCRIPT_MAX) {
        assert_int_equal(buf_adds(&command.script, "\n"), 0);
    }
    assert_int_equal(command_check(&command, &err), 0);
    assert_int_equal(buf_adds(&command.script, "\n"), 0);
    assert_int_equal(command_check(&command, &err), -1);
    assert_string_equal(err.text,
                        "script: 409601 bytes, and at most 409600 can be");
    table_done(&command_save_table, &command);
}

static void a_command_has_targets_and_each_once(void **state)
{
    struct command_save command = good_command();
    struct err err = {0};

    (void)state;
    texts_add(&command.targets, "web-2");
    assert_int_equal(command_check(&command, &err), 0);
    texts_add(&command.targets, "web-1");
    assert_int_equal(command_check(&command, &err), -1);
    assert_string_equal(err.text, "targets: web-1 is there twice");
    texts_done(&command.targets);
    assert_int_equal(command_check(&command, &err), -1);
    assert_string_equal(err.text, "targets: at least one is needed");
    table_done(&command_save_table, &command);
}

static void parameters_are_sound_and_each_there_once(void **state)
{
    struct command_save command = good_command();
    struct err err = {0};
    struct parameter *two = list_grow(&command.parameters, sizeof(*two));

    (void)state;
    two->name = must_strdup("dir");
    two->type = PARAMETER_INT;
    assert_int_equal(command_check(&command, &err), -1);
    assert_string_equal(err.text, "parameter dir: there are two");
    two->name[0] = 'x';
    assert_int_equal(command_check(&command, &err), 0);
    two->fallback = must_strdup("many");
    assert_int_equal(command_check(&command, &err), -1);
    assert_memory_equal(err.text, "parameter xir: default: not a whole", 35);
    table_done(&command_save_table, &command);
}

static void a_command_is_read_as_it_was_written(void **state)
{
    struct command_save command = good_command();
    struct command_save again;
    struct err err = {0};

    (void)state;
    command.request.head.issued = 1;
    command.previous = hash_of("before", 6);
    assert_int_equal(table_copy(&command_save_table, &command, &again, &err),
                     0);
    assert_string_equal(again.name, "x");
    assert_null(again.description);
    assert_true(buf_equal(&again.script, &command.script));
    assert_true(hash_equal(&again.previous, &command.previous));
    assert_int_equal(again.timeout, 120);
    const struct parameter *dir =
        &list_at(&again.parameters, struct parameter, 0);
    assert_string_equal(dir->fallback, "/var");
    assert_int_equal(dir->type, PARAMETER_PATH);
    assert_null(dir->help);
    assert_int_equal(dir->choices.n, 0);
    table_done(&command_save_table, &again);
    table_done(&command_save_table, &command);
}

static void bounds_hold_when_written_too(void **state)
{
    struct command_save command = good_command();
    _cleanup_buf_ struct buf json = {0};
    struct err err = {0};

    (void)state;
    command.timeout = TIMEOUT_MAX + 1;
    assert_int_equal(table_encode(&command_save_table, &command, &json, &err),
                     -1);
    assert_string_equal(err.text, "command.save: timeout: out of its bounds");
    command.timeout = 1;
    command.version = 0;
    assert_int_equal(table_encode(&command_save_table, &command, &json, &err),
                     -1);
    command.version = 1;
    command.name[0] = 'X';
    assert_int_equal(table_encode(&command_save_table, &command, &json, &err),
                     -1);
    assert_int_equal(json.len, 0);
    table_done(&command_save_table, &command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_names_an_interpreter),
        cmocka_unit_test(a_script_has_at_most_400_kib),
        cmocka_unit_test(a_command_has_targets_and_each_once),
        cmocka_unit_test(parameters_are_sound_and_each_there_once),
        cmocka_unit_test(a_command_is_read_as_it_was_written),
        cmocka_unit_test(bounds_hold_when_written_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

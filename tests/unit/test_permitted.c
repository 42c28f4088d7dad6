/* test_permitted.c: as whom, and by what, something may run on a host. */
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "consumer/executor/permitted.h"

static const struct config_key keys[] = {
    {.section = "run_as", .key = "allow", .kind = CONFIG_FILES},
    {.section = "run_as", .key = "default", .kind = CONFIG_TEXT},
    {.section = "interpreters", .key = "allow", .kind = CONFIG_FILES},
};

static int configure(const char *text, struct permitted *ret_permitted,
                     struct err *err)
{
    char path[] = "/tmp/permitted-XXXXXX";
    struct config config = {0};

    (void)close(mkstemp(path));
    assert_int_equal(file_write(path, text, strlen(text), 0600, true, err), 0);
    assert_int_equal(config_read(path, keys, ARRAY_SIZE(keys), &config, err),
                     0);
    int done = permitted_read(&config, ret_permitted, err);
    config_done(&config);
    (void)unlink(path);
    return done;
}

static void a_first_line_is_read_as_the_kernel_does(void **state)
{
    static const struct {
        const char *script, *path, *argument; /* path NULL: refused */
    } cases[] = {
        {"#!/bin/sh\n", "/bin/sh", ""},
        {"#!/bin/sh", "/bin/sh", ""},
        {"#! \t/bin/sh \t\n", "/bin/sh", ""},
        {"#!/bin/sh -eu  -x \n", "/bin/sh", "-eu  -x"},
        {"#!/bin/bash\n", NULL, ""},
        {"#!/bin/sh/\n", NULL, ""},
        {"#!//bin/sh\n", NULL, ""},
        {"#!/bin/../bin/sh\n", NULL, ""},
        {"#!sh\n", NULL, ""},
        {"#!\n/bin/sh\n", NULL, ""},
        {"#/bin/sh\n", NULL, ""},
        {"", NULL, ""},
        {"#!/usr/bin/env python3\n", "/usr/bin/python3", ""},
        {"#!/usr/bin/env  python3 \n", "/usr/bin/python3", ""},
        {"#!/usr/bin/env python3 -u\n", NULL, ""},
        {"#!/usr/bin/env -S python3 -u\n", NULL, ""},
        {"#!/usr/bin/env -i\n", NULL, ""},
        {"#!/usr/bin/env PATH=/tmp python3\n", NULL, ""},
        {"#!/usr/bin/env /usr/bin/python3\n", NULL, ""},
        {"#!/usr/bin/env\n", NULL, ""},
        {"#!/usr/bin/env perl\n", NULL, ""},
    };
    struct permitted permitted;
    struct err err = {0};

    (void)state;
    assert_int_equal(configure("[interpreters]\nallow = /bin/sh, "
                               "/usr/bin/python3\n",
                               &permitted, &err),
                     0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf script = {0};
        struct interpreter found = {0};
        assert_int_equal(buf_adds(&script, cases[i].script), 0);
        int done = permitted_interpreter(&permitted, &script, &found, &err);
        if ((done == 0) != (cases[i].path != NULL)) {
            fail_msg("%s: %s", cases[i].script, done == 0 ? "runs" : err.text);
        }
        if (done == 0) {
            assert_string_equal(found.path, cases[i].path);
            assert_string_equal(found.argument, cases[i].argument);
        }
        buf_done(&script);
    }
    permitted_done(&permitted);
}

static void a_long_first_line_is_refused(void **state)
{
    struct permitted permitted;
    struct interpreter found;
    struct buf script = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(
        configure("[interpreters]\nallow = /bin/sh\n", &permitted, &err), 0);
    assert_int_equal(buf_adds(&script, "#!/bin/sh "), 0);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(buf_adds(&script, "x"), 0);
    }
    assert_int_equal(permitted_interpreter(&permitted, &script, &found, &err),
                     -1);
    buf_done(&script);
    permitted_done(&permitted);
}

static void env_is_no_interpreter(void **state)
{
    struct permitted permitted;
    struct err err = {0};

    (void)state;
    assert_int_equal(
        configure("[interpreters]\nallow = /usr/bin/env\n", &permitted, &err),
        -1);
    assert_int_equal(
        configure("[interpreters]\nallow = sh\n", &permitted, &err), -1);
    assert_non_null(strstr(err.text, "absolute"));
}

static void nobody_runs_who_is_not_allowed(void **state)
{
    struct permitted permitted;
    const struct account *found = NULL;
    struct err err = {0};

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(
        configure("[run_as]\nallow = www-data, nobody\n", &permitted, &err), 0);
    assert_int_equal(permitted_account(&permitted, "www-data", &found, &err),
                     0);
    assert_string_equal(found->name, "www-data");
    assert_int_equal(permitted_account(&permitted, "root", &found, &err), -1);
    assert_non_null(strstr(err.text, "run_as = root is not allowed"));
    assert_int_equal(permitted_account(&permitted, "33", &found, &err), -1);
    assert_int_equal(permitted_account(&permitted, NULL, &found, &err), -1);
    assert_non_null(strstr(err.text, "[run_as] default"));
    permitted_done(&permitted);
}

static void the_configuration_is_refused_by_name(void **state)
{
    static const char *const cases[][2] = {
        {"allow = no-such-user\n", "'no-such-user'"},
        {"allow = nobody\ndefault = www-data\n", "www-data is not in"},
        {"default = root\n", "root is not in"},
    };
    struct permitted permitted;
    struct err err = {0};

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *text = must_printf("[run_as]\n%s", cases[i][0]);
        assert_int_equal(configure(text, &permitted, &err), -1);
        assert_int_equal(err.status, 78);
        if (strstr(err.text, cases[i][1]) == NULL) {
            fail_msg("%s", err.text);
        }
    }
}

/* In a child, which can't become root again. */
static void as_an_ordinary_user(void (*check)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        struct account nobody;
        struct err err = {0};
        if (geteuid() == 0 && (account_find("nobody", &nobody, &err) != 0 ||
                               account_become(&nobody) != NULL)) {
            _exit(99);
        }
        check();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void check_ordinary(void)
{
    struct permitted permitted;
    const struct account *found = NULL;
    struct err err = {0};

    if (configure("[run_as]\nallow = root\n", &permitted, &err) == 0 ||
        strstr(err.text, "root: this executor runs as") == NULL) {
        _exit(1);
    }
    if (configure("", &permitted, &err) != 0 ||
        permitted_account(&permitted, NULL, &found, &err) != 0 ||
        found->uid != geteuid()) {
        _exit(2);
    }
    if (permitted_account(&permitted, "root", &found, &err) == 0) {
        _exit(3);
    }
}

static void an_ordinary_user_works_for_that_one_alone(void **state)
{
    (void)state;
    as_an_ordinary_user(check_ordinary);
}

static void becoming_another_leaves_nothing_of_before(void **state)
{
    struct account account = {0};
    struct err err = {0};
    int status = 0;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(account_find("www-data", &account, &err), 0);
    pid_t pid = fork();
    if (pid == 0) {
        gid_t groups[64] = {4, 27};
        gid_t real, effective, saved;
        bool good = setgroups(2, groups) == 0 &&
                    account_become(&account) == NULL &&
                    getresgid(&real, &effective, &saved) == 0 &&
                    real == account.gid && saved == account.gid &&
                    getuid() == account.uid && setuid(0) != 0 && setgid(0) != 0;
        int n = getgroups(64, groups);
        for (int i = 0; i < n; i++) {
            good = good && groups[i] != 4 && groups[i] != 27;
        }
        _exit(good && n == account.n_groups ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    account_done(&account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_line_is_read_as_the_kernel_does),
        cmocka_unit_test(a_long_first_line_is_refused),
        cmocka_unit_test(env_is_no_interpreter),
        cmocka_unit_test(nobody_runs_who_is_not_allowed),
        cmocka_unit_test(the_configuration_is_refused_by_name),
        cmocka_unit_test(an_ordinary_user_works_for_that_one_alone),
        cmocka_unit_test(becoming_another_leaves_nothing_of_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

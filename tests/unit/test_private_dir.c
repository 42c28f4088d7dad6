/* test_private_dir.c: an execution's directory, and how it goes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "consumer/executor/private_dir.h"
#include "model/attachment.h"

static char above[64];
static char *home;

static int make_home(void **state)
{
    struct command_save command = {0};
    struct run_start run = {0};
    struct order order = {.command = &command, .run = &run};
    struct err err = {0};
    struct id id = id_random();

    (void)state;
    (void)snprintf(above, sizeof(above), "/tmp/private-XXXXXX");
    assert_non_null(mkdtemp(above));
    home = private_path(above, &id);
    return private_make(home, &order, NULL, &err);
}

static int remove_home(void **state)
{
    (void)state;
    private_remove(home);
    assert_int_equal(access(home, F_OK), -1);
    free(home);
    return rmdir(above);
}

static char *in_home(const char *name)
{
    return must_printf("%s/%s", home, name);
}

static void put(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    (void)close(fd);
}

/* An order that brings a file of the command's and one of the run's. */
static void bring_files(struct command_save *command, struct run_start *run)
{
    struct attachment *file = list_grow(&command->files, sizeof(*file));
    struct parameter *parameter =
        list_grow(&command->parameters, sizeof(*parameter));
    struct pair *given = list_grow(&run->arguments, sizeof(*given));

    *file = (struct attachment){.name = (char *)"run.sh", .executable = true};
    assert_int_equal(buf_adds(&file->data, "#!/bin/sh\n"), 0);
    *parameter =
        (struct parameter){.name = (char *)"given", .type = PARAMETER_FILE};
    *given = (struct pair){.name = (char *)"given", .value = (char *)"aGk="};
}

static void looks_like(const char *folder, const char *name, mode_t mode,
                       const struct account *account)
{
    _cleanup_free_ char *path = must_printf("%s/%s", folder, name);
    struct stat about;

    assert_int_equal(lstat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, mode);
    assert_int_equal(about.st_uid, account == NULL ? geteuid() : account->uid);
    assert_int_equal(about.st_gid, account == NULL ? getegid() : account->gid);
}

static void it_is_its_users_alone_with_all_files_that_come(void **state)
{
    struct command_save command = {0};
    struct run_start run = {0};
    struct order order = {.command = &command, .run = &run};
    struct account other = {.uid = 33, .gid = 34};
    struct id id = id_random();
    struct err err = {0};
    const struct account *whose = geteuid() == 0 ? &other : NULL;

    (void)state;
    bring_files(&command, &run);
    _cleanup_free_ char *path = private_path(above, &id);
    assert_int_equal(private_make(path, &order, whose, &err), 0);
    looks_like(path, "", 0700, whose);
    looks_like(path, "run.sh", 0700, whose);
    looks_like(path, PARAMETER_FOLDER, 0700, whose);
    looks_like(path, PARAMETER_FOLDER "/given", 0600, whose);
    assert_int_equal(private_make(path, &order, NULL, &err), -1);
    private_remove(path);
    buf_done(&list_at(&command.files, struct attachment, 0).data);
    free(command.files.items);
    free(command.parameters.items);
    free(run.arguments.items);
}

static void a_link_is_removed_and_not_followed(void **state)
{
    char outside[] = "/tmp/outside-XXXXXX";
    _cleanup_free_ char *link = in_home("link");
    _cleanup_free_ char *deeper = in_home("a");
    _cleanup_free_ char *inner = in_home("a/link");

    (void)state;
    assert_non_null(mkdtemp(outside));
    _cleanup_free_ char *kept = must_printf("%s/kept", outside);
    put(kept);
    assert_int_equal(mkdir(deeper, 0700), 0);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(symlink(outside, inner), 0);
    private_remove(home);
    assert_int_equal(access(home, F_OK), -1);
    assert_int_equal(unlink(kept), 0);
    assert_int_equal(rmdir(outside), 0);
}

static void what_is_mounted_there_is_left_alone(void **state)
{
    char outside[] = "/tmp/outside-XXXXXX";
    _cleanup_free_ char *at = in_home("at");

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_non_null(mkdtemp(outside));
    _cleanup_free_ char *kept = must_printf("%s/kept", outside);
    put(kept);
    assert_int_equal(mkdir(at, 0700), 0);
    /* of the same file system: another device's number would not tell */
    assert_int_equal(mount(outside, at, NULL, MS_BIND, NULL), 0);
    private_remove(home);
    int there = access(kept, F_OK);
    assert_int_equal(umount(at), 0);
    assert_int_equal(there, 0);
    assert_int_equal(unlink(kept), 0);
    assert_int_equal(rmdir(outside), 0);
}

static void no_depth_is_too_much(void **state)
{
    int at = open(home, O_RDONLY | O_DIRECTORY);

    (void)state;
    for (int depth = 0; depth < 5000; depth++) {
        assert_int_equal(mkdirat(at, "below", 0700), 0);
        int next = openat(at, "below", O_RDONLY | O_DIRECTORY);
        assert_true(next >= 0);
        (void)close(at);
        at = next;
    }
    (void)close(at);
}

static void what_is_closed_is_opened(void **state)
{
    _cleanup_free_ char *closed = in_home("closed");
    _cleanup_free_ char *file = in_home("closed/file");

    (void)state;
    assert_int_equal(mkdir(closed, 0700), 0);
    put(file);
    assert_int_equal(chmod(closed, 0), 0);
}

static void names_that_it_uses_itself_are_no_trap(void **state)
{
    _cleanup_free_ char *one = in_home(".errand-0");
    _cleanup_free_ char *two = in_home("x");

    (void)state;
    assert_int_equal(mkdir(one, 0700), 0);
    assert_int_equal(mkdir(two, 0700), 0);
    for (int i = 0; i < 9; i++) {
        _cleanup_free_ char *path = must_printf("%s/.errand-%d", one, i);
        _cleanup_free_ char *other = must_printf("%s/.errand-%d", two, i);
        put(path);
        assert_int_equal(mkdir(other, 0700), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, make_home, remove_home)
        T(it_is_its_users_alone_with_all_files_that_come),
        T(a_link_is_removed_and_not_followed),
        T(what_is_mounted_there_is_left_alone),
        T(no_depth_is_too_much),
        T(what_is_closed_is_opened),
        T(names_that_it_uses_itself_are_no_trap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

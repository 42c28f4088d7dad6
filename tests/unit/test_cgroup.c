/*
 * test_cgroup.c: an execution's group, on the kernel's own cgroup v2 where
 * there is one that the tests may make groups in (else these skip).
 *
 * Where memory and pids are cgroup v1's, or were not delegated, what is tested
 * of limits is that they fall back, and what would be written.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "consumer/executor/cgroup.h"
#include "consumer/executor/rlimits.h"

static char *base;     /* where the tests are */
static char unit[300]; /* a group below it, as systemd makes one for a unit */

static int make_unit(void **state)
{
    (void)state;
    if (base == NULL) {
        return 0;
    }
    (void)snprintf(unit, sizeof(unit), "%s/errand-test-%d", base, getpid());
    return mkdir(unit, 0700);
}

static int remove_unit(void **state)
{
    _cleanup_free_ char *own = must_printf("%s/errand-executor", unit);

    (void)state;
    (void)rmdir(own);
    return base == NULL ? 0 : rmdir(unit);
}

static int open_group(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static bool own_group_ends_in(const char *tail)
{
    _cleanup_buf_ struct buf text = {0};
    struct err err = {0};

    if (file_read("/proc/self/cgroup", 65536, &text, &err) != 0) {
        return false;
    }
    const char *line = strstr(buf_text(&text), "0::/");
    size_t len = line == NULL ? 0 : strcspn(line, "\n");
    return len >= strlen(tail) &&
           strncmp(line + len - strlen(tail), tail, strlen(tail)) == 0;
}

/* Runs in a process of its own in the unit's group: its exit status, 0 good. */
static void in_unit(int (*what)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        int group = open(unit, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _exit(cgroup_join(group) ? what() : 99);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool is_unit(const char *path)
{
    return path != NULL && strcmp(path, unit) == 0;
}

static int move_once(void)
{
    _cleanup_free_ char *first = cgroup_base();
    _cleanup_free_ char *own =
        must_printf("%s/errand-executor", strrchr(unit, '/'));

    if (!is_unit(first) || !own_group_ends_in(own)) {
        return 1;
    }
    _cleanup_free_ char *again = cgroup_base();
    return is_unit(again) && own_group_ends_in(own) ? 0 : 2;
}

static void who_is_alone_in_its_group_moves_down_once(void **state)
{
    (void)state;
    if (base == NULL) {
        skip();
    }
    in_unit(move_once);
}

static int stay(void)
{
    pid_t other = fork();

    if (other == 0) {
        (void)pause();
    }
    _cleanup_free_ char *found = cgroup_base();
    (void)kill(other, SIGKILL);
    (void)waitpid(other, NULL, 0);
    return is_unit(found) && !own_group_ends_in("/errand-executor") ? 0 : 1;
}

static void who_shares_its_group_stays_and_ends_trees_all_the_same(void **state)
{
    (void)state;
    if (base == NULL) {
        skip();
    }
    in_unit(stay);
}

/* In a group that it made in its own, where that was let to it. */
static void what_made_groups_of_its_own_is_killed_and_cleaned_up(void **state)
{
    struct id execution = id_random();
    char id[ID_TEXT];
    int status = 0;
    int ends[2];
    char byte;

    (void)state;
    if (base == NULL) {
        skip();
    }
    id_format(&execution, id);
    _cleanup_close_ int group = cgroup_make(unit, &execution);
    _cleanup_free_ char *below = must_printf("%s/errand-%s/a", unit, id);
    assert_true(group >= 0);
    assert_int_equal(mkdir(below, 0700), 0);
    _cleanup_close_ int inner = open_group(below);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)!write(ends[1], cgroup_join(inner) ? "y" : "n", 1);
        for (;;) {
            (void)pause();
        }
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    (void)cgroup_end(unit, &execution);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    while (!cgroup_end(unit, &execution)) {
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(access(below, F_OK), -1);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* Where the group has no controller each process has the limit by itself. */
static void what_a_group_cannot_hold_each_process_does(void **state)
{
    const struct command_save command = {.memory = 1 << 28, .processes = 4000};
    struct id execution = id_random();
    struct rlimit limit;
    int status = 0;

    (void)state;
    _cleanup_close_ int group =
        cgroup_make(base == NULL ? NULL : unit, &execution);
    unsigned held = rlimits_in_group(group, &command);
    bool lacks = cgroup_lacks(base == NULL ? NULL : unit, "memory") != NULL;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(rlimits_set(&command, held) == NULL &&
                      getrlimit(RLIMIT_AS, &limit) == 0 &&
                      (limit.rlim_cur == 1 << 28) == lacks
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(cgroup_end(base == NULL ? NULL : unit, &execution));
}

/* A directory with files of those names: what is written, and what is left. */
static void what_a_group_holds_no_process_needs_to(void **state)
{
    static const char *const files[] = {"memory.max", "pids.max",
                                        "memory.swap.max", "memory.oom.group"};
    static const char *const wanted[] = {"268435456", "40", "0", "1"};
    const struct command_save command = {
        .memory = 1 << 28, .processes = 40, .open_files = 99};
    char directory[] = "/tmp/cgroup-XXXXXX";
    struct err err = {0};
    int status = 0;

    (void)state;
    assert_non_null(mkdtemp(directory));
    _cleanup_close_ int group = open_group(directory);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        (void)close(openat(group, files[i], O_WRONLY | O_CREAT, 0600));
    }
    unsigned held = rlimits_in_group(group, &command);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit memory;
        struct rlimit open_files;
        _exit(rlimits_set(&command, held) == NULL &&
                      getrlimit(RLIMIT_AS, &memory) == 0 &&
                      memory.rlim_cur == RLIM_INFINITY &&
                      getrlimit(RLIMIT_NOFILE, &open_files) == 0 &&
                      open_files.rlim_cur == 99
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        _cleanup_free_ char *path = must_printf("%s/%s", directory, files[i]);
        _cleanup_buf_ struct buf text = {0};
        assert_int_equal(file_read(path, 64, &text, &err), 0);
        assert_string_equal(buf_text(&text), wanted[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_unit, remove_unit)
    const struct CMUnitTest tests[] = {
        CASE(who_is_alone_in_its_group_moves_down_once),
        CASE(who_shares_its_group_stays_and_ends_trees_all_the_same),
        CASE(what_made_groups_of_its_own_is_killed_and_cleaned_up),
        CASE(what_a_group_cannot_hold_each_process_does),
        CASE(what_a_group_holds_no_process_needs_to),
    };

    base = cgroup_base();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

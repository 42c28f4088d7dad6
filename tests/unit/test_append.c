/* test_append.c: lines at a file's end, behind what a full disk left there. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/append.h"
#include "base/file.h"

static char path[] = "/tmp/errand-append-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    return close(mkstemp(path));
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static int open_with(const void *bytes, size_t n)
{
    struct err err = {0};

    assert_int_equal(file_write(path, bytes, n, 0600, true, &err), 0);
    return open(path, O_RDWR | O_APPEND | O_CLOEXEC);
}

static void has(const char *text)
{
    _cleanup_buf_ struct buf got = {0};
    struct err err = {0};

    assert_int_equal(file_read(path, 1 << 20, &got, &err), 0);
    assert_string_equal(buf_text(&got), text);
}

static void what_is_no_line_is_cut_off(void **state)
{
    static const struct {
        const char *before;
        const char *after;
    } rows[] = {{"", "new\n"},
                {"one\n", "one\nnew\n"},
                {"one\ntwo\n", "one\ntwo\nnew\n"},
                {"one\nha", "one\nnew\n"},
                {"ha", "new\n"},
                {"\n", "\nnew\n"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int fd = open_with(rows[i].before, strlen(rows[i].before));
        assert_int_equal(append_line(fd, append_end(fd), "new\n", 4, true), 0);
        has(rows[i].after);
        (void)close(fd);
    }
}

/* However long the half line is: a result's may be 100 KiB and more. */
static void the_end_is_found_far_back(void **state)
{
    static const size_t halves[] = {1, 4095, 4096, 4097, 8191, 8192, 200000};
    static char text[200004];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
        memset(text, 'x', sizeof(text));
        text[3] = '\n';
        int fd = open_with(text, 4 + halves[i]);
        assert_int_equal(append_end(fd), 4);
        (void)close(fd);
        text[3] = 'x';
        fd = open_with(text, 4 + halves[i]);
        assert_int_equal(append_end(fd), 0);
        (void)close(fd);
    }
}

static void a_line_by_half_is_none(void **state)
{
    struct rlimit limit;

    (void)state;
    int fd = open_with("one\n", 4);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit small = {6, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(append_line(fd, append_end(fd), "new\n", 4, false), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    has("one\n");
    (void)close(fd);
}

static void what_can_t_be_cut_off_is_added_to_by_nobody(void **state)
{
    (void)state;
    (void)close(open_with("one\nha", 6));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(append_line(fd, append_end(fd), "new\n", 4, false), -1);
    has("one\nha");
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_line_is_cut_off),
        cmocka_unit_test(the_end_is_found_far_back),
        cmocka_unit_test(a_line_by_half_is_none),
        cmocka_unit_test(what_can_t_be_cut_off_is_added_to_by_nobody),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}

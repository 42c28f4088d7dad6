/*
 * test_versions.c: an older version than one that was seen is refused, an
 * honest run never; and what a crash leaves of the file.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "consumer/executor/versions.h"

#define MINUTE 60000
#define NOW 1000000000000 /* whenever */

static struct versions *life;
static char path[64];

static int make_name(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/versions-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    versions_free(life);
    life = NULL;
    return unlink(path);
}

/* The next life, once the one before is over. */
static struct versions *open_versions(void)
{
    struct err err = {0};

    versions_free(life);
    life = versions_open(path, &err);
    assert_string_equal(err.text, "");
    assert_non_null(life);
    return life;
}

/* A run of a version, at a moment, and what else is signed. */
struct asked {
    unsigned char command; /* the first byte of its id */
    int64_t version;
    int64_t expires; /* of its command.save */
    int64_t issued;  /* of the run */
    bool pinned;
};

static int take(struct versions *versions, const struct asked *asked,
                int64_t now, struct err *err)
{
    struct command_save save = {.command = {{asked->command}},
                                .name = (char *)"disk-report",
                                .version = asked->version,
                                .request = {.expires = asked->expires}};
    struct run_start run = {.request = {.head = {.issued = asked->issued}}};
    struct order order = {
        .command = &save, .run = &run, .pinned = asked->pinned};

    *err = (struct err){0};
    return versions_take(versions, &order, now, err);
}

static void runs(struct versions *versions, const struct asked *asked)
{
    struct err err;

    if (take(versions, asked, NOW, &err) != 0) {
        fail_msg("%s", err.text);
    }
}

static void is_refused(struct versions *versions, const struct asked *asked,
                       const char *because)
{
    struct err err;

    assert_int_equal(take(versions, asked, NOW, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    if (strstr(err.text, because) == NULL) {
        fail_msg("refused with \"%s\", not \"%s\"", err.text, because);
    }
}

static void one_that_was_replaced_before_it_was_asked_for_is_refused(void **s)
{
    struct versions *versions = open_versions();

    (void)s;
    runs(versions, &(struct asked){1, 1, NOW - 60 * MINUTE, NOW, false});
    runs(versions, &(struct asked){1, 3, NOW - 10 * MINUTE, NOW, false});
    is_refused(versions, &(struct asked){1, 1, 0, NOW, false},
               "version 1 of disk-report: this host has seen version 3");
    is_refused(versions, &(struct asked){1, 2, 0, NOW, false}, "version 2");
    runs(versions, &(struct asked){1, 3, NOW - 10 * MINUTE, NOW, false});
    runs(versions, &(struct asked){2, 1, 0, NOW, false}); /* another command */
}

static void what_was_asked_for_before_goes_on(void **s)
{
    struct versions *versions = open_versions();

    (void)s;
    runs(versions, &(struct asked){1, 2, NOW - 10 * MINUTE, NOW, false});
    runs(versions, &(struct asked){1, 1, 0, NOW - 11 * MINUTE, false});
    /* Clocks differ. */
    runs(versions,
         &(struct asked){1, 1, 0, NOW - 10 * MINUTE + CLOCK_SKEW, false});
    is_refused(
        versions,
        &(struct asked){1, 1, 0, NOW - 10 * MINUTE + CLOCK_SKEW + 1, false},
        "version 1");
}

/* Decided it was, since it came here; its request would have waited longer. */
static void a_save_counts_from_when_it_was_seen_at_the_latest(void **s)
{
    static const int64_t open_for[] = {NOW + 4 * MINUTE, 0};

    (void)s;
    for (unsigned char i = 0; i < 2; i++) {
        struct versions *versions = open_versions();
        runs(versions, &(struct asked){i, 2, open_for[i], NOW, false});
        runs(versions, &(struct asked){i, 1, 0, NOW + CLOCK_SKEW, false});
        is_refused(versions,
                   &(struct asked){i, 1, 0, NOW + CLOCK_SKEW + 1, false},
                   "version 1");
    }
}

static void what_is_signed_for_that_version_alone_runs(void **s)
{
    struct versions *versions = open_versions();

    (void)s;
    runs(versions, &(struct asked){1, 2, NOW - 10 * MINUTE, NOW, false});
    runs(versions, &(struct asked){1, 1, 0, NOW, true});
    is_refused(versions, &(struct asked){1, 1, 0, NOW, false}, "version 1");
}

static off_t size_of_file(void)
{
    struct stat about;

    assert_int_equal(stat(path, &about), 0);
    return about.st_size;
}

static void it_is_remembered_over_lives_one_line_a_command(void **s)
{
    struct versions *versions = open_versions();

    (void)s;
    for (int64_t n = 1; n <= 50; n++) {
        runs(versions, &(struct asked){1, n, NOW - 10 * MINUTE, NOW, false});
        runs(versions, &(struct asked){2, n, NOW - 10 * MINUTE, NOW, false});
    }
    assert_true(size_of_file() > 5000);
    versions = open_versions();
    assert_int_equal(size_of_file(), 2 * strlen("999999400000 50 ") + 2 * 37);
    is_refused(versions, &(struct asked){1, 49, 0, NOW, false}, "version 50");
    is_refused(versions, &(struct asked){2, 1, 0, NOW, false}, "version 50");
    runs(versions, &(struct asked){1, 51, NOW - 10 * MINUTE, NOW, false});
    versions = open_versions();
    is_refused(versions, &(struct asked){1, 50, 0, NOW, false}, "version 51");
}

static void add_to_file(const void *bytes, size_t n)
{
    FILE *file = fopen(path, "a");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void what_a_crash_cut_off_is_dropped(void **s)
{
    static const struct {
        const char *bytes;
        size_t n;
    } tails[] = {{"99999", 5},
                 {"1000000000000 7 01000000-0000-0000-0000-00000000000", 51},
                 {"\0\0\0\0\0\0\0\0", 8}};

    (void)s;
    runs(open_versions(), &(struct asked){1, 2, NOW - 10 * MINUTE, NOW, false});
    for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
        add_to_file(tails[i].bytes, tails[i].n);
        struct versions *versions = open_versions();
        is_refused(versions, &(struct asked){1, 1, 0, NOW, false}, "version 2");
        runs(versions, &(struct asked){(unsigned char)(10 + i), 1,
                                       NOW - 10 * MINUTE, NOW, false});
        (void)open_versions(); /* what came behind it is whole */
    }
}

static void a_line_that_says_nothing_is_damage(void **s)
{
    static const char *const bad[] = {
        "\n", "x 2 01000000-0000-0000-0000-000000000000\n",
        "1 0 01000000-0000-0000-0000-000000000000\n",
        "1 2 01000000-0000-0000-0000-000000000000 3\n",
        "1 2 01000000-0000-0000\n"};

    (void)s;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err err = {0};
        assert_int_equal(
            file_write(path, bad[i], strlen(bad[i]), 0600, true, &err), 0);
        assert_null(versions_open(path, &err));
        assert_int_equal(err.kind, ERR_FATAL);
        assert_non_null(strstr(err.text, "damaged"));
    }
    struct err err = {0};
    assert_int_equal(file_write(path, "", 0, 0600, true, &err), 0);
}

/* The disk is full: nothing starts, and the file is as it was. */
static void what_cannot_be_noted_is_not_started(void **s)
{
    struct versions *versions = open_versions();
    struct rlimit full = {.rlim_max = RLIM_INFINITY};
    struct rlimit before;

    (void)s;
    runs(versions, &(struct asked){1, 1, NOW - 10 * MINUTE, NOW, false});
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    full.rlim_cur = (rlim_t)size_of_file() + 9; /* a write by half */
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    is_refused(versions, &(struct asked){1, 2, NOW - 10 * MINUTE, NOW, false},
               "note it");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(size_of_file(), (off_t)full.rlim_cur - 9);
    runs(versions, &(struct asked){1, 1, NOW - 10 * MINUTE, NOW, false});
    runs(versions, &(struct asked){1, 2, NOW - 10 * MINUTE, NOW, false});
    is_refused(open_versions(), &(struct asked){1, 1, 0, NOW, false},
               "version 2");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_name, remove_file)
    const struct CMUnitTest tests[] = {
        CASE(one_that_was_replaced_before_it_was_asked_for_is_refused),
        CASE(what_was_asked_for_before_goes_on),
        CASE(a_save_counts_from_when_it_was_seen_at_the_latest),
        CASE(what_is_signed_for_that_version_alone_runs),
        CASE(it_is_remembered_over_lives_one_line_a_command),
        CASE(what_a_crash_cut_off_is_dropped),
        CASE(a_line_that_says_nothing_is_damage),
        CASE(what_cannot_be_noted_is_not_started),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

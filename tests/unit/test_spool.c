/* test_spool.c: results on a host's disk, and how they leave it again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "consumer/executor/spool.h"

#define MUCH 100000 /* bytes of a payload */

static char directory[64];
static const struct id execution = {{7}};

static int make_directory(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof(directory), "/dev/shm/spool-XXXXXX");
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int remove_directory(void **state)
{
    (void)state;
    spool_remove(directory, &execution);
    return rmdir(directory);
}

static struct envelope numbered(int number)
{
    struct envelope envelope = {.type = must_strdup("errand.x.v1")};

    for (int n = 0; n < MUCH / 10; n++) {
        assert_int_equal(buf_addf(&envelope.payload, "%010d", number), 0);
    }
    return envelope;
}

static void add(int number, struct spooled *spooled)
{
    _cleanup_envelope_ struct envelope envelope = numbered(number);
    struct err err = {0};

    assert_int_equal(spool_add(directory, &execution, &envelope, spooled, &err),
                     0);
}

/* From the file's beginning on, as a successor reads. */
static void has(int first, int last)
{
    int64_t at = 0;
    struct err err = {0};

    for (int number = first; number <= last; number++) {
        _cleanup_envelope_ struct envelope got = {0};
        _cleanup_envelope_ struct envelope wanted = numbered(number);
        assert_int_equal(spool_read(directory, &execution, at, &got, &at, &err),
                         1);
        assert_true(buf_equal(&got.payload, &wanted.payload));
    }
    struct envelope none;
    assert_int_equal(spool_read(directory, &execution, at, &none, &at, &err),
                     0);
}

static int64_t bytes_of_disk(void)
{
    char id[ID_TEXT];
    struct stat about;

    id_format(&execution, id);
    _cleanup_free_ char *path = must_printf("%s/%s", directory, id);
    assert_int_equal(stat(path, &about), 0);
    return about.st_blocks * 512;
}

static void what_was_added_is_read_in_order(void **state)
{
    struct spooled spooled = {0};

    (void)state;
    has(0, -1);
    for (int number = 0; number < 3; number++) {
        add(number, &spooled);
    }
    has(0, 2);
    assert_true(spooled_held(&spooled) > 3L * MUCH);
}

static void what_is_let_go_of_is_off_the_disk_and_the_last_stays(void **state)
{
    struct spooled spooled = {0};

    (void)state;
    for (int number = 0; number < 40; number++) {
        add(number, &spooled);
        if (number % 10 == 9) {
            spool_let_go(directory, &execution, &spooled);
            has(number, number);
        }
    }
    assert_true(spooled_held(&spooled) < 2L * MUCH);
    assert_true(bytes_of_disk() < 2L * MUCH);
    add(40, &spooled);
    has(39, 40);
}

static void the_only_one_is_kept_however_often_it_is_let_go_of(void **state)
{
    struct spooled spooled = {0};

    (void)state;
    spool_let_go(directory, &execution, &spooled);
    add(0, &spooled);
    for (int times = 0; times < 3; times++) {
        spool_let_go(directory, &execution, &spooled);
        has(0, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) \
    cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)
        T(what_was_added_is_read_in_order),
        T(what_is_let_go_of_is_off_the_disk_and_the_last_stays),
        T(the_only_one_is_kept_however_often_it_is_let_go_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

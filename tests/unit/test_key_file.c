/* test_key_file.c: secret keys on disk: who may read them, and what locks them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "trust/keys.h"

#define PASSWORD "correct horse battery"

static char directory[64];
static char path[96];

static int make_directory(void **state)
{
    (void)state;
    (void)setenv("ERRAND_TEST_LOCK_COST", "low", 1);
    (void)snprintf(directory, sizeof(directory), "/tmp/keys-XXXXXX");
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/key", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(directory);
}

static struct key_pair *write_key(const char *password)
{
    struct key_pair *pair = key_pair_new();
    struct err err = {0};

    assert_int_equal(key_file_write(path, pair, password, false, &err), 0);
    return pair;
}

static void refuse(const char *password, int status, const char *because)
{
    struct key_pair *pair = NULL;
    struct err err = {0};

    assert_int_equal(key_file_read(path, password, &pair, &err), -1);
    assert_null(pair);
    if (strstr(err.text, because) == NULL) {
        fail_msg("refused with \"%s\", not \"%s\"", err.text, because);
    }
    assert_int_equal(err.status, status);
}

static void expect_same(const struct key_pair *pair, const char *password)
{
    _cleanup_key_pair_ struct key_pair *again = NULL;
    struct err err = {0};

    assert_int_equal(key_file_read(path, password, &again, &err), 0);
    assert_memory_equal(again->key.b, pair->key.b, sizeof(pair->key.b));
    assert_memory_equal(again->box.b, pair->box.b, sizeof(pair->box.b));
    assert_memory_equal(again->secret, pair->secret, 64);
}

static void a_key_comes_back_as_it_was_written(void **state)
{
    _cleanup_key_pair_ struct key_pair *pair = write_key(NULL);
    struct stat about;

    (void)state;
    expect_same(pair, NULL);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
}

static void a_locked_key_opens_by_its_password_only(void **state)
{
    _cleanup_key_pair_ struct key_pair *pair = write_key(PASSWORD);

    (void)state;
    expect_same(pair, PASSWORD);
    refuse("correct horse batterz", EX_NOPERM, "wrong password");
    refuse("", EX_NOPERM, "wrong password");
    refuse(NULL, EX_NOPERM, "locked by a password");
}

static void a_locked_key_holds_no_seed_in_clear(void **state)
{
    _cleanup_key_pair_ struct key_pair *pair = write_key(PASSWORD);
    _cleanup_buf_ struct buf text = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(file_read(path, 4096, &text, &err), 0);
    assert_null(strstr(buf_text(&text), "seeds"));
    assert_null(memmem(text.data, text.len, pair->secret, 32));
}

static void a_lock_that_is_too_cheap_is_refused(void **state)
{
    (void)state;
    key_pair_free(write_key(PASSWORD));
    (void)unsetenv("ERRAND_TEST_LOCK_COST");
    refuse(PASSWORD, 0, "too cheap");
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    (void)state;
    key_pair_free(write_key(NULL));
    assert_int_equal(chmod(path, 0640), 0);
    refuse(NULL, EX_NOINPUT, "chmod 600");
}

static void a_key_is_not_replaced_unless_told_to(void **state)
{
    _cleanup_key_pair_ struct key_pair *pair = write_key(NULL);
    _cleanup_key_pair_ struct key_pair *other = key_pair_new();
    struct err err = {0};

    (void)state;
    assert_int_equal(key_file_write(path, other, NULL, false, &err), -1);
    assert_non_null(strstr(err.text, "is there already"));
    expect_same(pair, NULL);
    assert_int_equal(key_file_write(path, other, NULL, true, &err), 0);
    expect_same(other, NULL);
}

static void a_damaged_key_is_refused(void **state)
{
    _cleanup_buf_ struct buf text = {0};
    struct err err = {0};

    (void)state;
    key_pair_free(write_key(NULL));
    assert_int_equal(file_read(path, 4096, &text, &err), 0);
    char *seeds = strstr((char *)text.data, "\"seeds\":\"");
    assert_non_null(seeds);
    seeds[9] = seeds[9] == 'A' ? 'B' : 'A';
    assert_int_equal(file_write(path, text.data, text.len, 0600, true, &err),
                     0);
    refuse(NULL, 0, "damaged");
}

static void a_box_opens_for_its_key_only(void **state)
{
    _cleanup_key_pair_ struct key_pair *pair = write_key(NULL);
    _cleanup_key_pair_ struct key_pair *other = key_pair_new();
    _cleanup_buf_ struct buf box = {0};
    _cleanup_buf_ struct buf out = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(box_seal(&pair->box, "secret", 6, &box), 0);
    assert_int_equal(box_open(other, box.data, box.len, &out, &err), -1);
    assert_int_equal(box_open(pair, box.data, box.len, &out, &err), 0);
    assert_string_equal(buf_text(&out), "secret");
    box.data[box.len - 1] ^= 1;
    assert_int_equal(box_open(pair, box.data, box.len, &out, &err), -1);
    assert_int_equal(box_open(pair, box.data, 3, &out, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) \
    cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)
        T(a_key_comes_back_as_it_was_written),
        T(a_locked_key_opens_by_its_password_only),
        T(a_locked_key_holds_no_seed_in_clear),
        T(a_lock_that_is_too_cheap_is_refused),
        T(a_key_that_others_may_read_is_refused),
        T(a_key_is_not_replaced_unless_told_to),
        T(a_damaged_key_is_refused),
        T(a_box_opens_for_its_key_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

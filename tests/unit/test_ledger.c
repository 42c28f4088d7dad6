/* test_ledger.c: what the ledger remembers, over crashes and damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "consumer/executor/ledger.h"
#include "consumer/executor/state_lock.h"

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof(directory), "/dev/shm/ledger-XXXXXX");
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int remove_directory(void **state)
{
    static const char *const names[] = {"ledger", "lock"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *path = must_printf("%s/%s", directory, names[i]);
        (void)unlink(path);
    }
    return rmdir(directory);
}

static struct ledger *open_ledger(struct id *ret_incarnation)
{
    struct err err = {0};
    *ret_incarnation = id_random();
    struct ledger *ledger = ledger_open(directory, ret_incarnation, &err);

    assert_string_equal(err.text, "");
    assert_non_null(ledger);
    return ledger;
}

static struct envelope some_envelope(void)
{
    struct envelope envelope = {.type = must_strdup("errand.x.v1")};

    assert_int_equal(buf_adds(&envelope.payload, "{}"), 0);
    struct signature *signature =
        list_grow(&envelope.signatures, sizeof(*signature));
    signature->b[7] = 9;
    return envelope;
}

static off_t size_of_file(void)
{
    _cleanup_free_ char *path = must_printf("%s/ledger", directory);
    struct stat about;

    assert_int_equal(stat(path, &about), 0);
    return about.st_size;
}

static void cut_file(off_t size)
{
    _cleanup_free_ char *path = must_printf("%s/ledger", directory);

    assert_int_equal(truncate(path, size), 0);
}

static void a_new_ledger_knows_nothing(void **state)
{
    struct id me;
    struct id execution = id_random();

    (void)state;
    struct ledger *ledger = open_ledger(&me);
    assert_null(ledger_find(ledger, &execution));
    assert_null(ledger_next(ledger, NULL));
    assert_false(ledger_lived(ledger, &me));
    ledger_free(ledger);
}

static void what_was_started_is_known_to_the_next_life(void **state)
{
    struct id first;
    struct id second;
    struct id execution = id_random();
    struct err err = {0};

    (void)state;
    struct ledger *ledger = open_ledger(&first);
    assert_int_equal(ledger_start(ledger, &execution, 17, &err), 0);
    ledger_free(ledger);
    ledger = open_ledger(&second);
    const struct entry *entry = ledger_find(ledger, &execution);
    assert_non_null(entry);
    assert_true(entry->started && entry->same_boot);
    assert_false(entry->exited || entry->sent);
    assert_int_equal(entry->claim, 17);
    assert_true(id_equal(&entry->incarnation, &first));
    assert_true(ledger_lived(ledger, &first));
    ledger_free(ledger);
}

static void a_result_is_kept_byte_for_byte_until_it_is_sent(void **state)
{
    struct id me;
    struct id execution = id_random();
    struct envelope finished = some_envelope();
    struct err err = {0};

    (void)state;
    struct ledger *ledger = open_ledger(&me);
    assert_int_equal(ledger_start(ledger, &execution, 3, &err), 0);
    assert_int_equal(ledger_exit(ledger, &execution, &me, &finished, &err), 0);
    ledger_free(ledger);
    ledger = open_ledger(&me);
    const struct entry *entry = ledger_find(ledger, &execution);
    assert_true(entry->exited);
    assert_string_equal(entry->finished.type, finished.type);
    assert_true(buf_equal(&entry->finished.payload, &finished.payload));
    assert_memory_equal(entry->finished.signatures.items,
                        finished.signatures.items, sizeof(struct signature));
    assert_int_equal(ledger_sent(ledger, &execution, &err), 0);
    ledger_free(ledger);
    ledger = open_ledger(&me);
    assert_true(ledger_find(ledger, &execution)->sent);
    ledger_free(ledger);
    envelope_done(&finished);
}

static void a_torn_last_line_is_cut_off_wherever_it_tore(void **state)
{
    struct id me;
    struct id execution = id_random();
    struct err err = {0};

    (void)state;
    for (off_t torn = 100; torn >= 0; torn -= 7) {
        struct ledger *ledger = open_ledger(&me);
        off_t whole = size_of_file();
        assert_int_equal(ledger_start(ledger, &execution, 3, &err), 0);
        ledger_free(ledger);
        cut_file(whole + torn);
        ledger = open_ledger(&me);
        assert_null(ledger_find(ledger, &execution));
        ledger_free(ledger);
    }
}

/* As a full disk leaves it that does not let it be cut off: longer than what
 * comes next. */
static void a_line_that_could_not_be_cut_off_leaves_no_tail(void **state)
{
    struct id me;
    struct id execution = id_random();
    struct err err = {0};
    _cleanup_free_ char *path = must_printf("%s/ledger", directory);

    (void)state;
    struct ledger *ledger = open_ledger(&me);
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    assert_true(fprintf(file, "%0300d\n", 0) > 0 && fclose(file) == 0);
    assert_int_equal(ledger_start(ledger, &execution, 3, &err), 0);
    ledger_free(ledger);
    ledger = open_ledger(&me);
    assert_non_null(ledger_find(ledger, &execution));
    ledger_free(ledger);
}

static void damage_within_the_ledger_refuses(void **state)
{
    struct id me;
    struct id execution = id_random();
    struct err err = {0};
    _cleanup_free_ char *path = must_printf("%s/ledger", directory);

    (void)state;
    struct ledger *ledger = open_ledger(&me);
    assert_int_equal(ledger_start(ledger, &execution, 3, &err), 0);
    ledger_free(ledger);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 30, SEEK_SET), 0);
    assert_int_equal(fputc('!', file), '!');
    assert_int_equal(fclose(file), 0);
    assert_null(ledger_open(directory, &me, &err));
    assert_int_equal(err.kind, ERR_FATAL);
    assert_non_null(strstr(err.text, ":1: damaged"));
}

/* 16 MiB of results, all but the last sent. */
static void results_that_were_sent_are_left_out_some_day(void **state)
{
    struct id me;
    struct id execution;
    struct envelope finished = some_envelope();
    struct err err = {0};

    (void)state;
    struct ledger *ledger = open_ledger(&me);
    _cleanup_free_ char *much = must_calloc(1, 1 << 19);
    assert_int_equal(buf_add(&finished.payload, much, 1 << 19), 0);
    for (int i = 0; i < 20; i++) {
        execution = id_random();
        assert_int_equal(ledger_start(ledger, &execution, i, &err), 0);
        assert_int_equal(ledger_exit(ledger, &execution, &me, &finished, &err),
                         0);
        if (i < 19) {
            assert_int_equal(ledger_sent(ledger, &execution, &err), 0);
        }
    }
    assert_true(size_of_file() < 8 << 20);
    assert_int_equal(ledger_sent(ledger, &me, &err), 0);
    ledger_free(ledger);
    ledger = open_ledger(&me);
    const struct entry *entry = NULL;
    size_t known = 0;
    while ((entry = ledger_next(ledger, entry)) != NULL) {
        known += entry->started;
        assert_true(!entry->started || entry->sent || entry->exited);
    }
    assert_int_equal(known, 20);
    entry = ledger_find(ledger, &execution);
    assert_true(buf_equal(&entry->finished.payload, &finished.payload));
    ledger_free(ledger);
    envelope_done(&finished);
}

static int64_t bytes_of_disk(void)
{
    _cleanup_free_ char *path = must_printf("%s/ledger", directory);
    struct stat about;

    assert_int_equal(stat(path, &about), 0);
    return about.st_blocks * 512;
}

/* Over a life's end, and in a file that was written anew. */
static void room_for_ends_is_the_file_s_own(void **state)
{
    struct id me;
    struct envelope finished = some_envelope();
    struct err err = {0};

    (void)state;
    struct ledger *ledger = open_ledger(&me);
    off_t size = size_of_file();
    assert_int_equal(ledger_reserve(ledger, 100, &err), 0);
    assert_int_equal(size_of_file(), size);
    assert_true(bytes_of_disk() >= 100 << 16);
    ledger_free(ledger);
    ledger = open_ledger(&me);
    assert_true(bytes_of_disk() >= 100 << 16);
    assert_int_equal(ledger_reserve(ledger, 100, &err), 0);
    _cleanup_free_ char *much = must_calloc(1, 1 << 19);
    assert_int_equal(buf_add(&finished.payload, much, 1 << 19), 0);
    for (int i = 0; i < 20; i++) {
        struct id execution = id_random();
        assert_int_equal(ledger_exit(ledger, &execution, &me, &finished, &err),
                         0);
        assert_int_equal(ledger_reserve(ledger, 100, &err), 0);
        assert_int_equal(ledger_sent(ledger, &execution, &err), 0);
    }
    size = size_of_file();
    assert_true(size < 8 << 20);
    assert_true(bytes_of_disk() - size >= 100 << 16);
    ledger_free(ledger);
    envelope_done(&finished);
}

static void two_executors_can_not_share_a_directory(void **state)
{
    struct err err = {0};

    (void)state;
    _cleanup_close_ int lock = state_lock(directory, &err);
    assert_true(lock >= 0);
    assert_int_equal(state_lock(directory, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_non_null(strstr(err.text, "another executor"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) \
    cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)
        T(a_new_ledger_knows_nothing),
        T(what_was_started_is_known_to_the_next_life),
        T(a_result_is_kept_byte_for_byte_until_it_is_sent),
        T(a_torn_last_line_is_cut_off_wherever_it_tore),
        T(a_line_that_could_not_be_cut_off_leaves_no_tail),
        T(damage_within_the_ledger_refuses),
        T(results_that_were_sent_are_left_out_some_day),
        T(room_for_ends_is_the_file_s_own),
        T(two_executors_can_not_share_a_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

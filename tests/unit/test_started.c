/* test_started.c: what a spawner has started, and what was done to its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "consumer/executor/started.h"

#define NOW INT64_C(1795521600123)
#define FIRST "01234567-89ab-7def-8123-456789abcdef"
#define SECOND "11234567-89ab-7def-8123-456789abcdef"
#define LINE(id) "1795521600000 " id "\n"
#define FILE_OF(text) text, sizeof(text) - 1

static char path[] = "/tmp/errand-started-XXXXXX";

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

static struct started *open_with(const char *bytes, size_t n, struct err *err)
{
    struct err ignored = {0};

    assert_int_equal(file_write(path, bytes, n, 0600, true, &ignored), 0);
    return started_open(path, NOW, err);
}

static void is_known(struct started *started, const char *text)
{
    struct err err = {0};
    struct id id;

    assert_int_equal(id_parse(text, &id), 0);
    assert_int_equal(started_note(started, &id, NOW, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
}

static void is_damaged(const char *bytes, size_t n)
{
    struct err err = {0};

    assert_null(open_with(bytes, n, &err));
    assert_int_equal(err.kind, ERR_FATAL);
    assert_non_null(strstr(err.text, path));
}

static void what_was_noted_is_known_to_the_next_life(void **state)
{
    struct err err = {0};
    struct id id = id_random();
    char text[ID_TEXT];

    (void)state;
    struct started *started = open_with("", 0, &err);
    assert_int_equal(started_note(started, &id, NOW, &err), 0);
    started_free(started);
    started = started_open(path, NOW, &err);
    id_format(&id, text);
    is_known(started, text);
    started_free(started);
}

static void a_line_that_was_cut_is_forgotten_and_no_other(void **state)
{
    struct err err = {0};
    struct id second;

    (void)state;
    struct started *started =
        open_with(FILE_OF(LINE(FIRST) "1795521600000 11234567"), &err);
    assert_non_null(started);
    is_known(started, FIRST);
    assert_int_equal(id_parse(SECOND, &second), 0);
    assert_int_equal(started_note(started, &second, NOW, &err), 0);
    started_free(started);
    started = started_open(path, NOW, &err);
    is_known(started, SECOND);
    started_free(started);
}

/* As a full disk leaves it that does not let it be cut off. */
static void a_half_line_is_glued_to_nothing(void **state)
{
    struct err err = {0};
    struct id second;

    (void)state;
    struct started *started = open_with(FILE_OF(LINE(FIRST)), &err);
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    assert_int_equal(fputs("17955216", file) >= 0 && fclose(file) == 0, 1);
    assert_int_equal(id_parse(SECOND, &second), 0);
    assert_int_equal(started_note(started, &second, NOW, &err), 0);
    started_free(started);
    started = started_open(path, NOW, &err);
    assert_non_null(started);
    is_known(started, FIRST);
    is_known(started, SECOND);
    started_free(started);
}

#define AGES INT64_C(100000000000) /* ms: three years */

static void what_is_too_old_goes_within_one_life(void **state)
{
    _cleanup_buf_ struct buf text = {0};
    struct err err = {0};
    struct id second = id_random();

    (void)state;
    struct started *started = open_with(FILE_OF(LINE(FIRST)), &err);
    assert_int_equal(started_note(started, &second, NOW + AGES, &err), 0);
    assert_int_equal(started_note(started, &second, NOW + AGES, &err), -1);
    assert_int_equal(file_read(path, 1 << 20, &text, &err), 0);
    assert_null(strstr(buf_text(&text), FIRST));
    assert_int_equal(strlen(buf_text(&text)), strlen(LINE(SECOND)));
    started_free(started);
}

/* Found by fuzz_ledger: what stood behind it could have been started again. */
static void a_nul_hides_nothing(void **state)
{
    (void)state;
    is_damaged(FILE_OF("17955216\0\n" LINE(SECOND)));
    is_damaged(FILE_OF("\0\n"));
    is_damaged(FILE_OF("1795521600000 " FIRST "\0\n" LINE(SECOND)));
}

static void anything_else_is_damage(void **state)
{
    (void)state;
    is_damaged(FILE_OF("\n"));
    is_damaged(FILE_OF("17955216000000\n"));
    is_damaged(FILE_OF("soon " FIRST "\n"));
    is_damaged(FILE_OF("-1 " FIRST "\n"));
}

static void a_clock_far_behind_it_opens_nothing(void **state)
{
    (void)state;
    is_damaged(FILE_OF("1795521640000 " FIRST "\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test(f)
        T(what_was_noted_is_known_to_the_next_life),
        T(a_line_that_was_cut_is_forgotten_and_no_other),
        T(a_half_line_is_glued_to_nothing),
        T(what_is_too_old_goes_within_one_life),
        T(a_nul_hides_nothing),
        T(anything_else_is_damage),
        T(a_clock_far_behind_it_opens_nothing),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}

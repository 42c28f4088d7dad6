/* test_unified.c: what changed between two texts, as patch takes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fields.h"
#include "producer/submit/unified.h"

static struct buf bytes(const char *text)
{
    struct buf buf = {0};

    assert_int_equal(buf_adds(&buf, text), 0);
    return buf;
}

static char *diff(const struct buf *old, const struct buf *new)
{
    struct buf out = {0};

    assert_int_equal(unified_diff(&(struct unified_side){"a", old},
                                  &(struct unified_side){"b", new}, &out),
                     0);
    return buf_take(&out);
}

static void expect(const char *before, const char *after, const char *expected)
{
    _cleanup_buf_ struct buf old = bytes(before);
    _cleanup_buf_ struct buf new = bytes(after);
    _cleanup_free_ char *told = diff(&old, &new);

    assert_string_equal(told, expected);
}

static void the_same_is_nothing(void **state)
{
    (void)state;
    expect("", "", "");
    expect("a\nb\n", "a\nb\n", "");
}

static void a_line_that_changed_goes_and_comes(void **state)
{
    (void)state;
    expect("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
           "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n");
}

static void an_empty_text_is_named_by_the_line_before(void **state)
{
    (void)state;
    expect("", "a\n", "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+a\n");
    expect("a\nb\n", "", "--- a\n+++ b\n@@ -1,2 +0,0 @@\n-a\n-b\n");
}

static void a_missing_newline_is_told(void **state)
{
    (void)state;
    expect("a\nb", "a\nb\n",
           "--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\n-b\n"
           "\\ No newline at end of file\n+b\n");
}

static void far_changes_are_apart_and_near_ones_together(void **state)
{
    (void)state;
    expect("x\n1\n2\n3\n4\n5\n6\ny\n", "X\n1\n2\n3\n4\n5\n6\nY\n",
           "--- a\n+++ b\n@@ -1,8 +1,8 @@\n-x\n+X\n 1\n 2\n 3\n 4\n 5\n 6\n"
           "-y\n+Y\n");
    expect("x\n1\n2\n3\n4\n5\n6\n7\ny\n", "X\n1\n2\n3\n4\n5\n6\n7\nY\n",
           "--- a\n+++ b\n@@ -1,4 +1,4 @@\n-x\n+X\n 1\n 2\n 3\n"
           "@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-y\n+Y\n");
}

/* One line of these, of few kinds, so that much is alike. */
static struct buf drawn(unsigned *seed, size_t kinds, size_t most)
{
    struct buf text = {0};
    size_t n = (size_t)rand_r(seed) % (most + 1);

    for (size_t i = 0; i < n; i++) {
        (void)buf_addf(&text, "%zu%s", (size_t)rand_r(seed) % kinds,
                       i + 1 == n && rand_r(seed) % 3 == 0 ? "" : "\n");
    }
    return text;
}

/* The next line of a text; its length with the newline. */
static size_t next_len(const char *at)
{
    const char *newline = strchr(at, '\n');

    return newline == NULL ? strlen(at) : (size_t)(newline - at) + 1;
}

/* What a reader of the format makes of both: the old text from ' ' and '-', the
 * new one from ' ' and '+', hunk by hunk, with what is in between from `old`.
 */
static void apply(const char *told, const char *old, struct buf *ret_new)
{
    size_t line = 0;

    told += next_len(told);
    told += next_len(told);
    while (*told != '\0') {
        size_t first, n, to, m;
        assert_int_equal(
            sscanf(told, "@@ -%zu,%zu +%zu,%zu @@", &first, &n, &to, &m), 4);
        told += next_len(told);
        for (; line + (n > 0) < first; line++) {
            (void)buf_add(ret_new, old, next_len(old));
            old += next_len(old);
        }
        while (n + m > 0) {
            char sign = *told++;
            size_t len = next_len(told);
            size_t bare = told[len] == '\\' ? len - 1 : len;
            if (sign != '+') {
                assert_int_equal(next_len(old), bare);
                assert_memory_equal(old, told, bare);
                old += bare;
                line++;
                n--;
            }
            if (sign != '-') {
                (void)buf_add(ret_new, told, bare);
                m--;
            }
            told += len;
            told += *told == '\\' ? next_len(told) : 0;
        }
    }
    (void)buf_adds(ret_new, old);
}

static void applied_it_gives_the_new_text(void **state)
{
    unsigned seed = 20261126;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        size_t kinds = 1 + (size_t)rand_r(&seed) % 12;
        _cleanup_buf_ struct buf old = drawn(&seed, kinds, 40);
        _cleanup_buf_ struct buf new = drawn(&seed, kinds, 40);
        _cleanup_free_ char *told = diff(&old, &new);
        _cleanup_buf_ struct buf made = {0};
        if (told[0] == '\0') {
            assert_true(buf_equal(&old, &new));
            continue;
        }
        apply(told, buf_text(&old), &made);
        assert_string_equal(buf_text(&made), buf_text(&new));
    }
}

/* More than it looks for: one block, and still right. */
static void what_differs_too_much_is_told_whole(void **state)
{
    _cleanup_buf_ struct buf old = bytes("same\n");
    _cleanup_buf_ struct buf new = bytes("same\n");

    (void)state;
    for (int i = 0; i < 2 * UNIFIED_EDITS; i++) {
        (void)buf_addf(&old, "old %d\n%s", i, i % 7 == 0 ? "both\n" : "");
        (void)buf_addf(&new, "new %d\n%s", i, i % 7 == 0 ? "both\n" : "");
    }
    _cleanup_free_ char *told = diff(&old, &new);
    _cleanup_buf_ struct buf made = {0};
    assert_null(strstr(told, "\n both\n"));
    apply(told, buf_text(&old), &made);
    assert_string_equal(buf_text(&made), buf_text(&new));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_nothing),
        cmocka_unit_test(a_line_that_changed_goes_and_comes),
        cmocka_unit_test(an_empty_text_is_named_by_the_line_before),
        cmocka_unit_test(a_missing_newline_is_told),
        cmocka_unit_test(far_changes_are_apart_and_near_ones_together),
        cmocka_unit_test(applied_it_gives_the_new_text),
        cmocka_unit_test(what_differs_too_much_is_told_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

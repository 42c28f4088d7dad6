/* test_mask.c: no secret comes out of a stream, however it was cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "consumer/executor/mask.h"

struct scene {
    struct list words;
    struct mask mask;
    struct buf out;
};

static void open_scene(struct scene *s, const char *const *secrets)
{
    *s = (struct scene){0};
    for (; *secrets != NULL; secrets++) {
        mask_words_add(&s->words, *secrets, strlen(*secrets));
    }
    s->mask.words = &s->words;
}

static void close_scene(struct scene *s)
{
    mask_done(&s->mask);
    buf_done(&s->out);
    free(s->words.items);
}

static void add(struct scene *s, const char *bytes, size_t n)
{
    assert_int_equal(mask_add(&s->mask, bytes, n, &s->out), 0);
}

#define SECRETS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Cut in three at every two places, and byte by byte. */
static void expect(const char *const *secrets, const char *text,
                   const char *wanted)
{
    size_t n = strlen(text);

    for (size_t i = 0; i <= n; i++) {
        for (size_t j = i; j <= n; j++) {
            struct scene s;
            open_scene(&s, secrets);
            add(&s, text, i);
            add(&s, text + i, j - i);
            add(&s, text + j, n - j);
            assert_int_equal(mask_end(&s.mask, &s.out), 0);
            assert_string_equal(buf_text(&s.out), wanted);
            close_scene(&s);
        }
    }
    struct scene s;
    open_scene(&s, secrets);
    for (size_t i = 0; i < n; i++) {
        add(&s, text + i, 1);
    }
    assert_int_equal(mask_end(&s.mask, &s.out), 0);
    assert_string_equal(buf_text(&s.out), wanted);
    close_scene(&s);
}

static void a_secret_is_hidden_wherever_the_stream_is_cut(void **state)
{
    (void)state;
    expect(SECRETS("hunter2"), "a hunter2 b", "a *** b");
    expect(SECRETS("hunter2"), "hunter2", "***");
    expect(SECRETS("hunter2"), "huntehunter2hunt3r2", "hunte***hunt3r2");
    expect(SECRETS("grüße"), "<grüße>", "<***>");
    expect(SECRETS("hunter2"), "nothing of it", "nothing of it");
    expect(SECRETS("hunter2"), "", "");
}

static void stars_tell_neither_length_nor_how_often(void **state)
{
    (void)state;
    expect(SECRETS("abcdefghijklmnopqrst"), "=abcdefghijklmnopqrst=", "=***=");
    expect(SECRETS("abcd"), "abcdabcdabcd.abcd", "***.***");
}

static void where_secrets_overlap_all_of_both_is_hidden(void **state)
{
    (void)state;
    expect(SECRETS("abcab"), "xabcabcabx", "x***x");
    expect(SECRETS("abcd", "cdef"), "-abcdef-", "-***-");
    expect(SECRETS("abcd", "abcdefgh"), "abcd abcdefgh abcdefg.",
           "*** *** ***efg.");
    expect(SECRETS("aaaa"), "aaaaaaab", "***b");
    expect(SECRETS("aaab"), "aaaab", "a***");
}

static void each_line_of_a_secret_is_hidden_too(void **state)
{
    (void)state;
    expect(SECRETS("-----BEGIN-----\nMIIBVAIBADAN\r\nend\n"),
           "> -----BEGIN-----\n> MIIBVAIBADAN\n> end\n",
           "> ***\n> ***\n> end\n");
    expect(SECRETS("one line\nand another"), "one line\nand another", "***");
}

static void what_is_too_short_is_left_as_it_is(void **state)
{
    (void)state;
    expect(SECRETS("abc"), "abc abcd", "abc abcd");
    expect(SECRETS(""), "anything", "anything");
    expect(SECRETS("abcd"), "abcd", "***");
}

static void a_beginning_is_held_until_it_is_decided(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, SECRETS("hunter2"));
    add(&s, "so: hun", 7);
    assert_string_equal(buf_text(&s.out), "so: ");
    add(&s, "g", 1);
    assert_string_equal(buf_text(&s.out), "so: hung");
    close_scene(&s);
}

static void at_the_end_no_long_beginning_is_let_out(void **state)
{
    (void)state;
    expect(SECRETS("hunter2"), "so: hun", "so: hun");
    expect(SECRETS("hunter2"), "so: hunt", "so: ***");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_hidden_wherever_the_stream_is_cut),
        cmocka_unit_test(stars_tell_neither_length_nor_how_often),
        cmocka_unit_test(where_secrets_overlap_all_of_both_is_hidden),
        cmocka_unit_test(each_line_of_a_secret_is_hidden_too),
        cmocka_unit_test(what_is_too_short_is_left_as_it_is),
        cmocka_unit_test(a_beginning_is_held_until_it_is_decided),
        cmocka_unit_test(at_the_end_no_long_beginning_is_let_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

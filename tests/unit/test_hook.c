/* test_hook.c: webhooks' files, the signatures of Standard Webhooks, and what a
 * receiver's answer means. How calls are made tests/e2e/test_notify.py shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "consumer/notifier/hook.h"
#include "consumer/notifier/hook_keys.h"

#define URL "https://hooks.example.org/services/T0/secret-path\n"
/* The secret of the specification's own example. */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER                                                            \
    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKiss" \
    "LS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

static char *signatures(const char *file)
{
    static const char text[] = "{\"test\": 2432232314}";
    struct buf body = {0};
    struct buf out = {0};
    struct err err = {0};
    struct hook_keys *keys = hook_keys_read(file, &err);

    assert_non_null(keys);
    assert_string_equal(hook_url(keys),
                        "https://hooks.example.org/services/T0/secret-path");
    assert_int_equal(buf_adds(&body, text), 0);
    assert_int_equal(hook_sign(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                               &body, &out),
                     0);
    hook_keys_free(keys);
    buf_done(&body);
    return buf_take(&out);
}

static void a_call_is_signed_as_the_specification_s_example(void **state)
{
    _cleanup_free_ char *one = signatures(URL SECRET "\n");
    _cleanup_free_ char *bare = signatures(URL SECRET);

    (void)state;
    assert_string_equal(one, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_string_equal(bare, one);
}

static void each_secret_gives_a_signature(void **state)
{
    _cleanup_free_ char *both = signatures(URL SECRET "\n" OTHER "\n");

    (void)state;
    assert_string_equal(both,
                        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= "
                        "v1,LZ5zuwHTqQH3VM8ERUusjzVQq1FXzemvpR8Mk7Ivp5c=");
}

static void a_file_that_is_none_is_refused_without_its_secrets(void **state)
{
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"", "it is empty"},
        {"https://x.example", "it has no secret"},
        {SECRET "\n", "its first line is not a URL"},
        {"ftp://x.example\n" SECRET, "its first line is not a URL"},
        {"https://x.example/secret-path and more\n" SECRET,
         "its first line is not a URL"},
        {"https://x.example\r\n" SECRET, "its first line is not a URL"},
        {URL "\n" SECRET, "its line 2 is not a secret"},
        {URL "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "its line 2 is not a secret"},
        {URL SECRET "\n" SECRET " \n", "its line 3 is not a secret"},
        {URL SECRET "\r\n", "its line 2 is not a secret"},
        {URL "whsec_", "its line 2 is not a secret"},
        {URL "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         "its line 2 is not a secret: whsec_ and 24 to 64 bytes in base64"},
        {URL SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n" SECRET,
         "it has more than 4 secrets"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct err err = {0};
        assert_null(hook_keys_read(rows[i].text, &err));
        if (strncmp(err.text, rows[i].said, strlen(rows[i].said)) != 0 ||
            strstr(err.text, "secret-path") != NULL ||
            strstr(err.text, "MfKQ9") != NULL) {
            fail_msg("row %zu: %s", i, err.text);
        }
    }
}

static void only_2xx_is_taken_and_only_410_for_good(void **state)
{
    static const struct {
        long status;
        enum post_verdict verdict;
        bool away;
    } rows[] = {
        {200, POST_SENT, false},  {204, POST_SENT, false},
        {299, POST_SENT, false},  {0, POST_LATER, true},
        {301, POST_LATER, false}, {302, POST_LATER, false},
        {400, POST_LATER, false}, {401, POST_LATER, false},
        {404, POST_LATER, false}, {410, POST_REFUSED, false},
        {429, POST_LATER, true},  {500, POST_LATER, true},
        {503, POST_LATER, true},  {100, POST_LATER, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        bool away = !rows[i].away;
        if (hook_verdict_of(rows[i].status, &away) != rows[i].verdict ||
            away != rows[i].away) {
            fail_msg("%ld", rows[i].status);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_signed_as_the_specification_s_example),
        cmocka_unit_test(each_secret_gives_a_signature),
        cmocka_unit_test(a_file_that_is_none_is_refused_without_its_secrets),
        cmocka_unit_test(only_2xx_is_taken_and_only_410_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_post.c: what an end of an SMTP dialogue means for the mail. How libcurl
 * comes to such an end, tests/e2e/test_mail.py shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumer/notifier/post.h"

static void only_a_5xx_to_recipient_or_text_is_for_good(void **state)
{
    static const struct {
        bool good;
        long code;
        const char *verb;
        enum post_verdict verdict;
    } rows[] = {
        {true, 250, "DATA", POST_SENT},
        {false, 0, "", POST_LATER},       /* nobody there */
        {false, 554, "", POST_LATER},     /* it greets with a refusal */
        {false, 421, "EHLO", POST_LATER}, /* it goes down */
        {false, 502, "EHLO", POST_LATER},
        {false, 454, "STAR", POST_LATER},
        {false, 535, "AUTH", POST_LATER}, /* our password: we, not the mail */
        {false, 451, "MAIL", POST_LATER},
        {false, 550, "MAIL", POST_LATER}, /* our address */
        {false, 450, "RCPT", POST_LATER}, /* grey-listed */
        {false, 550, "RCPT", POST_REFUSED},
        {false, 452, "DATA", POST_LATER},
        {false, 354, "DATA", POST_LATER}, /* it died in the middle */
        {false, 250, "DATA",
         POST_LATER}, /* it said so, and we gave up before */
        {false, 554, "DATA", POST_REFUSED},
        {false, 600, "RCPT", POST_LATER}, /* no code that there is */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (post_verdict_of(rows[i].good, rows[i].code, rows[i].verb) !=
            rows[i].verdict) {
            fail_msg("%ld to '%s'", rows[i].code, rows[i].verb);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_5xx_to_recipient_or_text_is_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_letter.c: mails' bytes: headers and encodings from tables, and whole
 * ones that must be the same each time. Other people's parser reads them in
 * tests/e2e/test_mail.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "consumer/notifier/letter.h"
#include "consumer/notifier/mime.h"

#define MOMENT 1795521600123 /* 2026-11-24T12:00:00.123Z, a Tuesday */

static void a_date_is_in_english_and_utc(void **state)
{
    static const struct {
        int64_t moment;
        const char *text;
    } rows[] = {
        {MOMENT, "Date: Tue, 24 Nov 2026 12:00:00 +0000\r\n"},
        {0, "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"},
        {951782400000, "Date: Tue, 29 Feb 2000 00:00:00 +0000\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out = {0};
        assert_int_equal(mime_date(&out, rows[i].moment), 0);
        assert_string_equal(buf_text(&out), rows[i].text);
        buf_done(&out);
    }
}

static void a_name_that_is_not_plain_is_encoded_whole(void **state)
{
    static const struct {
        const char *name, *text;
    } rows[] = {
        {NULL, "To: a@b.c\r\n"},
        {"Rita Runner", "To: Rita Runner <a@b.c>\r\n"},
        {"A, B", "To: =?utf-8?B?QSwgQg==?=\r\n <a@b.c>\r\n"},
        {"x\r\nBcc: y@z", "To: =?utf-8?B?eA0KQmNjOiB5QHo=?=\r\n <a@b.c>\r\n"},
        {"Bj\xc3\xb6rk", "To: =?utf-8?B?QmrDtnJr?=\r\n <a@b.c>\r\n"},
        {"\"", "To: =?utf-8?B?Ig==?=\r\n <a@b.c>\r\n"},
        {"=?utf-8?Q?x?=",
         "To: =?utf-8?B?PT91dGYtOD9RP3g/PQ==?=\r\n <a@b.c>\r\n"},
        /* a character is never cut in two: 22 of two bytes, not 22 and a half
         */
        {"\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6"
         "\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6"
         "\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6",
         "To: "
         "=?utf-8?B?w7bDtsO2w7bDtsO2w7bDtsO2w7bDtsO2w7bDtsO2w7bDtsO2w7bDtsO2"
         "w7Y=?=\r\n =?utf-8?B?w7Y=?=\r\n <a@b.c>\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out = {0};
        assert_int_equal(mime_address(&out, "To", rows[i].name, "a@b.c"), 0);
        assert_string_equal(buf_text(&out), rows[i].text);
        buf_done(&out);
    }
}

static void a_text_is_quoted_in_lines_of_76(void **state)
{
    static const struct {
        const char *text, *quoted;
    } rows[] = {
        {"plain text\n", "plain text\r\n"},
        {"a=b\n", "a=3Db\r\n"},
        {"\xc3\xbc", "=C3=BC"},
        {"blank at the end \nnext", "blank at the end=20\r\nnext"},
        {".\n..\n", "=2E\r\n=2E.\r\n"},
        {"\r\t\x7f", "=0D=09=7F"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaa"
         "aaaa",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaa"
         "aaa=\r\na"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaa"
         "a\xc3\xbc",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaa"
         "a=\r\n=C3=BC"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out = {0};
        assert_int_equal(mime_quoted(&out, rows[i].text), 0);
        assert_string_equal(buf_text(&out), rows[i].quoted);
        buf_done(&out);
    }
}

static void what_means_something_in_html_is_escaped(void **state)
{
    struct buf out = {0};

    (void)state;
    assert_int_equal(html_escaped(&out, "<b>&\"'"), 0);
    assert_string_equal(buf_text(&out), "&lt;b&gt;&amp;&quot;&#39;");
    buf_done(&out);
}

static struct news sample(enum event_kind kind)
{
    struct news news = {.kind = kind,
                        .issued = MOMENT,
                        .about = hash_of("invite", 6),
                        .root = hash_of("root", 4),
                        .role = ROLE_ADMINISTRATOR,
                        .until = MOMENT + INVITATION_LIFE,
                        .open = true,
                        .seed = "fifteen letters"};

    (void)snprintf(news.email, sizeof(news.email), "new@example.org");
    (void)snprintf(news.inviter, sizeof(news.inviter), "admin@example.org");
    news.name = must_strdup("<b>Bj\xc3\xb6rk</b>");
    news.words = must_strdup("one two three four five six");
    return news;
}

static const struct sender sender = {.from = "errand@example.org",
                                     .brokers = "kafka.example.org:9092"};

static void make(enum event_kind kind, enum letter letter, struct buf *out)
{
    struct news news = sample(kind);

    assert_int_equal(letter_make(&news, letter, &sender, out), 0);
    news_done(&news);
}

static const enum event_kind kinds[] = {EVENT_USER_INVITED, EVENT_USER_VERIFIED,
                                        EVENT_INVITATION_REUSED};

static void the_same_news_make_the_same_bytes(void **state)
{
    enum letter letter;

    (void)state;
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (size_t i = 0; (letter = letter_of(kinds[k], i)) != LETTER_NONE;
             i++) {
            _cleanup_buf_ struct buf one = {0};
            _cleanup_buf_ struct buf two = {0};
            make(kinds[k], letter, &one);
            make(kinds[k], letter, &two);
            assert_true(buf_equal(&one, &two));
        }
    }
}

static void every_line_is_ascii_and_short(void **state)
{
    enum letter letter;

    (void)state;
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (size_t i = 0; (letter = letter_of(kinds[k], i)) != LETTER_NONE;
             i++) {
            _cleanup_buf_ struct buf out = {0};
            size_t column = 0;
            make(kinds[k], letter, &out);
            for (size_t at = 0; at < out.len; at++) {
                unsigned char byte = out.data[at];
                assert_true(byte < 0x7f &&
                            (byte >= 0x20 || byte == '\r' || byte == '\n'));
                assert_true((byte == '\n') ==
                            (at > 0 && out.data[at - 1] == '\r'));
                column = byte == '\n' ? 0 : column + 1;
                assert_true(column <= 77);
            }
        }
    }
}

static void each_letter_goes_to_whom_it_concerns(void **state)
{
    struct news news = sample(EVENT_USER_INVITED);

    (void)state;
    assert_string_equal(letter_to(&news, LETTER_INVITATION), "new@example.org");
    assert_string_equal(letter_to(&news, LETTER_FOLLOWED), "admin@example.org");
    assert_string_equal(letter_to(&news, LETTER_REUSED), "admin@example.org");
    assert_string_equal(letter_to(&news, LETTER_REUSED_OWN), "new@example.org");
    assert_int_equal(letter_of(EVENT_COMMAND_SAVED, 0), LETTER_NONE);
    news_done(&news);
}

static void who_was_reset_is_not_invited(void **state)
{
    _cleanup_buf_ struct buf mail = {0};
    struct news news = sample(EVENT_USER_REINVITED);

    (void)state;
    news.again = true;
    assert_int_equal(letter_make(&news, LETTER_INVITATION, &sender, &mail), 0);
    const char *text = buf_text(&mail);
    assert_non_null(strstr(text, "Subject: Errand: choose a new password\r\n"));
    assert_non_null(strstr(text, "has reset your password"));
    assert_null(strstr(text, "invites you"));
    news_done(&news);
}

static void only_the_invitation_holds_the_code(void **state)
{
    struct ticket ticket = {.seed = "fifteen letters"};
    struct hash root = hash_of("root", 4);
    enum letter letter;

    (void)state;
    ticket.half = id_of_hash(&root);
    _cleanup_free_ char *code = invitation_code(&ticket);
    code[20] = '\0'; /* in one line, whatever breaks it */
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (size_t i = 0; (letter = letter_of(kinds[k], i)) != LETTER_NONE;
             i++) {
            _cleanup_buf_ struct buf out = {0};
            make(kinds[k], letter, &out);
            assert_int_equal(strstr(buf_text(&out), code) != NULL,
                             letter == LETTER_INVITATION);
            const char *html = strstr(buf_text(&out), "text/html");
            assert_non_null(html);
            assert_null(strstr(html, "<b>"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_is_in_english_and_utc),
        cmocka_unit_test(a_name_that_is_not_plain_is_encoded_whole),
        cmocka_unit_test(a_text_is_quoted_in_lines_of_76),
        cmocka_unit_test(what_means_something_in_html_is_escaped),
        cmocka_unit_test(the_same_news_make_the_same_bytes),
        cmocka_unit_test(every_line_is_ascii_and_short),
        cmocka_unit_test(each_letter_goes_to_whom_it_concerns),
        cmocka_unit_test(who_was_reset_is_not_invited),
        cmocka_unit_test(only_the_invitation_holds_the_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

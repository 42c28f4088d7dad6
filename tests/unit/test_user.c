/* test_user.c: who a user is: ids by tests/vectors/derive, addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/user.h"
#include "tests/unit/columns.h"

static void a_user_s_id_is_that_of_the_vectors(void **state)
{
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/vectors/derived.txt");
    for (; columns_next_of(&row, "user"); n++) {
        struct hash root;
        struct key32 key;
        char text[ID_TEXT];
        assert_int_equal(unhex(row.cells[2], root.b, sizeof(root.b)), 32);
        assert_int_equal(unhex(row.cells[3], key.b, sizeof(key.b)), 32);
        struct id id = user_id(&root, &key);
        id_format(&id, text);
        assert_string_equal(text, row.cells[1]);
    }
    assert_int_equal(n, 3);
}

static void an_address_is_taken_in_lower_case(void **state)
{
    struct err err = {0};
    _cleanup_free_ char *one = email_normal("Rita@Example.COM", &err);
    _cleanup_free_ char *two = email_normal("a+b.c-d_e@x", &err);

    (void)state;
    assert_string_equal(one, "rita@example.com");
    assert_string_equal(two, "a+b.c-d_e@x");
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "@", "rita", "rita@", "@example.com", "a@b@c", "a b@c", "a@b c",
        " a@b", "a@b ", "a@b\n", "a\r@b", "a@b\tc", "<a@b>", "a,b@c", "a;b@c",
        "\"a\"@b", "a(b)@c", "a@[1.2.3.4]", "a\\@b", "a@b'", "gr\xc3\xbc@b",
        "a\x01@b", "a\x7f@b", "a:b@c",
        /* what would end a header, or be one */
        "a@b\r\nBcc: c@d", "a\r\n@b", "a@b\n.c", "a@b%0d%0aBcc:c",
        "a@=?utf-8?q?b?=", "a@b\xe2\x80\xa8",
        /* what looks like another, or isn't seen */
        "r\xd0\xbeot@example.org", "admin@ex\xd0\xb0mple.org",
        "a\xe2\x80\xae@b", "a\xe2\x80\x8b@b", "a\xef\xbb\xbf@b", "a\xc0\x8a@b",
        "a\xff@b",
        /* what RFC 5321 has not */
        ".a@b", "a.@b", "a..b@c", "a@.b", "a@b.", "a@b..c", "a@b_c", "a@b/c"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err err = {0};
        _cleanup_free_ char *email = email_normal(bad[i], &err);
        if (email != NULL) {
            fail_msg("'%s' is taken", bad[i]);
        }
        assert_int_equal(err.kind, ERR_REJECT);
    }
}

static void a_name_is_text_that_is_seen(void **state)
{
    static const char *const good[] = {"Rita", "J\xc3\xbcrgen O'Neil-\xc3\x9f",
                                       "\xe6\x9d\x8e\xe5\xb0\x8f\xe9\xbe\x99",
                                       "Dr. \"A\", <B> & C"};
    static const char *const bad[] = {
        "",              /* nothing */
        "a\r\nBcc: c@d", /* an end of line */
        "a\tb",          /* controls */
        "a\x7f",
        "a\xc2\x85",
        "a\xe2\x80\xa8",     /* a line separator */
        "a\xe2\x80\xaez",    /* right to left override */
        "a\xe2\x81\xa6z",    /* an isolate */
        "a\xd8\x9cz",        /* Arabic letter mark */
        "a\xe2\x80\x8bz",    /* of no width */
        "a\xc2\xadz",        /* a soft hyphen */
        "a\xf3\xa0\x81\x81", /* a tag */
        "a\xc0\x8a",         /* an overlong end of line */
        "a\xed\xa0\x80",     /* a surrogate */
        "a\xff",             /* no UTF-8 */
    };
    char text[NAME_MAX_CHARACTERS + 2];
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        assert_int_equal(display_name_check(good[i], &err), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (display_name_check(bad[i], &err) == 0) {
            fail_msg("name %zu is taken", i);
        }
        assert_int_equal(err.kind, ERR_REJECT);
    }
    memset(text, 'x', sizeof(text));
    text[NAME_MAX_CHARACTERS] = '\0';
    assert_int_equal(display_name_check(text, &err), 0);
    text[NAME_MAX_CHARACTERS] = 'x';
    text[NAME_MAX_CHARACTERS + 1] = '\0';
    assert_int_equal(display_name_check(text, &err), -1);
}

static void an_address_has_at_most_254_bytes(void **state)
{
    char text[256];
    struct err err = {0};

    (void)state;
    memset(text, 'x', sizeof(text));
    text[1] = '@';
    for (size_t i = 50; i < 250; i += 50) {
        text[i] = '.';
    }
    text[254] = '\0';
    _cleanup_free_ char *good = email_normal(text, &err);
    assert_non_null(good);
    assert_string_equal(good, text);
    text[254] = 'x';
    text[255] = '\0';
    assert_null(email_normal(text, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_s_id_is_that_of_the_vectors),
        cmocka_unit_test(an_address_is_taken_in_lower_case),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_name_is_text_that_is_seen),
        cmocka_unit_test(an_address_has_at_most_254_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

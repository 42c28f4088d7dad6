/* test_invitation.c: codes and blocks: as made, as mail mangles them, and as
 * nobody made them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/invitation.h"

#define BROKERS "kafka-1.example.org:9092,[::1]:19092"

static struct ticket sample(const char *brokers)
{
    struct ticket ticket = {.seed = "fifteen letters",
                            .root = hash_of("root", 4)};

    ticket.half = id_of_hash(&ticket.root);
    memcpy(ticket.brokers, brokers, strlen(brokers) + 1);
    return ticket;
}

static char *block_of(const char *brokers)
{
    struct ticket ticket = sample(brokers);
    struct buf out = {0};

    assert_int_equal(invitation_block(&ticket, &out), 0);
    return buf_take(&out);
}

static void reads_as(const char *text, const char *brokers)
{
    struct ticket is;
    struct ticket expected = sample(brokers);
    struct err err = {0};

    if (invitation_read(text, &is, &err) != 0) {
        fail_msg("%s: %s", text, err.text);
    }
    assert_memory_equal(is.seed, expected.seed, INVITATION_SEED);
    assert_true(hash_equal(&is.root, &expected.root));
    assert_string_equal(is.brokers, brokers);
}

/* The same text with each `from` as `to`. */
static char *changed(const char *text, const char *from, const char *to)
{
    struct buf out = {0};
    const char *at;

    while ((at = strstr(text, from)) != NULL) {
        assert_int_equal(buf_add(&out, text, (size_t)(at - text)), 0);
        assert_int_equal(buf_adds(&out, to), 0);
        text = at + strlen(from);
    }
    assert_int_equal(buf_adds(&out, text), 0);
    return buf_take(&out);
}

static void refused(const char *text, const char *why)
{
    struct ticket is;
    struct err err = {0};

    assert_int_equal(invitation_read(text, &is, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    if (strstr(err.text, why) == NULL) {
        fail_msg("'%s' instead of '%s'", err.text, why);
    }
}

static void a_block_is_read_as_it_was_made(void **state)
{
    _cleanup_free_ char *block = block_of(BROKERS);

    (void)state;
    reads_as(block, BROKERS);
}

static void no_line_of_a_block_is_longer_than_mail_likes(void **state)
{
    char many[INVITATION_BROKERS + 1];

    (void)state;
    memset(many, 'a', sizeof(many));
    memcpy(many + INVITATION_BROKERS - 5, ":9092", 6);
    _cleanup_free_ char *block = block_of(many);
    for (const char *at = block; *at != '\0'; at += strcspn(at, "\n") + 1) {
        assert_true(strcspn(at, "\n") <= 76);
    }
    reads_as(block, many);
}

static void what_mail_programs_do_to_a_block_does_no_harm(void **state)
{
    static const struct {
        const char *from, *to;
    } how[] = {{"\n", "\r\n"},
               {"\n", "\n> "},
               {"\n", "\n\n"},
               {" = ", "="},
               {" = ", "  =\t"},
               {"9092,", "9092,\n"},
               {"-----BEGIN", "See:\n  -----BEGIN"},
               {"example", "exam\nple"}};
    _cleanup_free_ char *block = block_of(BROKERS);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
        _cleanup_free_ char *text = changed(block, how[i].from, how[i].to);
        reads_as(text, BROKERS);
    }
}

/* As a mail's source shows it: quoted-printable, with soft line breaks. */
static void a_block_from_a_mail_s_source_is_read_too(void **state)
{
    _cleanup_free_ char *block = block_of(BROKERS);
    _cleanup_free_ char *quoted = changed(block, "=", "=3D");
    _cleanup_free_ char *broken =
        changed(quoted, "example.org", "exam=\nple.org");
    _cleanup_free_ char *dos = changed(broken, "\n", "\r\n");
    _cleanup_free_ char *spelled = changed(quoted, "kafka-1", "k=61fka=2d1");
    _cleanup_free_ char *other = changed(quoted, "kafka-1", "kafka-2");

    (void)state;
    reads_as(quoted, BROKERS);
    reads_as(broken, BROKERS);
    reads_as(dos, BROKERS);
    reads_as(spelled, BROKERS);
    refused(other, "checksum");
}

static void a_block_that_was_changed_is_refused(void **state)
{
    static const struct {
        const char *from, *to, *why;
    } how[] = {{"kafka-1", "kafka-2", "checksum"},
               {"root = ", "root = 0", "checksum"},
               {"code = ", "code = a", "checksum"},
               {"check = ", "check = 0", "checksum"},
               {"check = ", "chuck = ", "does not say its check"},
               {"brokers", "broker", "does not say its brokers"},
               {"root = ", "code = 1\nroot = ", "says twice"},
               {"-----END", "-----FIN", "incomplete"}};
    _cleanup_free_ char *block = block_of(BROKERS);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
        _cleanup_free_ char *text = changed(block, how[i].from, how[i].to);
        refused(text, how[i].why);
    }
    _cleanup_free_ char *bad = block_of("kafka 1:9092");
    refused(bad, "checksum");
}

static void a_block_of_another_root_than_its_code_s_is_refused(void **state)
{
    struct ticket ticket = sample(BROKERS);
    struct buf out = {0};

    (void)state;
    ticket.half.b[0] ^= 1;
    assert_int_equal(invitation_block(&ticket, &out), 0);
    refused(buf_text(&out), "root is not that of its code");
    buf_done(&out);
}

static void a_bare_code_is_good_too(void **state)
{
    struct ticket ticket = sample("");
    struct ticket is;
    struct err err = {0};
    _cleanup_free_ char *code = invitation_code(&ticket);
    _cleanup_free_ char *line = must_printf("\n  %s \nmore", code);

    (void)state;
    assert_int_equal(invitation_read(line, &is, &err), 0);
    assert_memory_equal(is.seed, ticket.seed, INVITATION_SEED);
    assert_true(id_equal(&is.half, &ticket.half));
    assert_true(hash_is_zero(&is.root));
    assert_string_equal(is.brokers, "");
    code[0] = code[0] == 'a' ? 'b' : 'a';
    refused(code, "mistyped");
}

static void brokers_are_hosts_with_ports(void **state)
{
    static const char *const good[] = {"a:1", "127.0.0.1:9092", "a:1,b:65535",
                                       "[::1]:9092"};
    static const char *const bad[] = {
        "",        "a",     ":1",       "a:",      "a:0",
        "a:65536", "a:1,",  ",a:1",     "a:1 b:2", "a:1,,b:2",
        "a:b",     "a\n:1", "a:1\nx=y", "a;b:1",   "a:1:b"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct err err = {0};
        assert_int_equal(brokers_check(good[i], &err), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err err = {0};
        if (brokers_check(bad[i], &err) == 0) {
            fail_msg("'%s' is taken", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_read_as_it_was_made),
        cmocka_unit_test(no_line_of_a_block_is_longer_than_mail_likes),
        cmocka_unit_test(what_mail_programs_do_to_a_block_does_no_harm),
        cmocka_unit_test(a_block_from_a_mail_s_source_is_read_too),
        cmocka_unit_test(a_block_that_was_changed_is_refused),
        cmocka_unit_test(a_block_of_another_root_than_its_code_s_is_refused),
        cmocka_unit_test(a_bare_code_is_good_too),
        cmocka_unit_test(brokers_are_hosts_with_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

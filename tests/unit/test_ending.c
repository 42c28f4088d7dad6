/* test_ending.c: which ends of runs are believed, who is told of them, and in
 * which bytes. Each case spoils one thing of an installation that is good
 * otherwise. Other people's parsers read the bytes in tests/e2e/test_notify.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"
#include "consumer/notifier/notice.h"

struct setting {
    struct chain chain;
    struct run_end end;
    const struct key_pair *signer; /* NULL: the authorizer */
};

static void begin(struct setting *s)
{
    struct err err = {0};

    *s = (struct setting){.signer = NULL};
    chain_init(&s->chain);
    assert_int_equal(notify_parse("ops@example.org, webhook:pager on failed",
                                  &s->chain.save.notify, &err),
                     0);
}

static void add_target(struct run_end *end, const char *name, int outcome,
                       int64_t exit)
{
    struct target_end *to = list_grow(&end->targets, sizeof(*to));

    *to = (struct target_end){must_strdup(name), outcome, exit};
}

/* Signs everything, and the event over it. */
static struct event *sign_end(struct setting *s)
{
    struct chain *c = &s->chain;
    struct envelope envelope;
    struct err err = {0};

    chain_sign(c);
    if (hash_is_zero(&s->end.head.root)) {
        s->end.head = head_new(&c->root_hash, &c->enrol_hash, c->now);
    }
    s->end.run = c->run.request.head.id;
    s->end.start = c->run_hash;
    s->end.command = c->save_hash;
    s->end.user = c->invite.user;
    s->end.outcome = OUTCOME_FAILED;
    s->end.asked = c->now;
    s->end.ended = c->now + 5000;
    if (s->end.asker == NULL) {
        s->end.asker = must_strdup("runner@example.org");
    }
    add_target(&s->end, "web-1", OUTCOME_FAILED, 3);
    add_target(&s->end, "web-2", OUTCOME_TIMED_OUT, 124);
    s->end.envelopes = c->envelopes;
    assert_int_equal(event_sign(EVENT_RUN_ENDED, &s->end,
                                s->signer == NULL ? c->authorizer : s->signer,
                                NULL, &envelope, &err),
                     0);
    return event_new_take(&envelope, &err);
}

static void finish(struct setting *s)
{
    s->end.envelopes = (struct list){0}; /* lent */
    table_done(&run_end_table, &s->end);
    chain_done(&s->chain);
}

static void refused(struct setting *s, const char *why)
{
    _cleanup_event_ struct event *event = sign_end(s);
    struct ending ending;
    struct err err = {0};

    assert_non_null(event);
    assert_int_equal(
        ending_read(&s->chain.roots, event, s->chain.now, &ending, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    if (strstr(err.text, why) == NULL) {
        fail_msg("'%s' instead of '%s'", err.text, why);
    }
    finish(s);
}

static void who_is_told_is_read_from_what_an_administrator_signed(void **state)
{
    struct setting s;
    struct ending ending;
    struct err err = {0};

    (void)state;
    begin(&s);
    _cleanup_event_ struct event *event = sign_end(&s);
    assert_int_equal(
        ending_read(&s.chain.roots, event, s.chain.now, &ending, &err), 0);
    assert_int_equal(ending.saved.notify.n, 2);
    assert_string_equal(list_at(&ending.saved.notify, struct notify, 0).to,
                        "ops@example.org");
    assert_int_equal(ending.end->targets.n, 2);
    ending_done(&ending);
    finish(&s);
}

static void only_an_authorizer_says_that_a_run_ended(void **state)
{
    struct setting s;

    (void)state;
    begin(&s);
    s.signer = s.chain.executor;
    refused(&s, "");
    begin(&s);
    chain_sign(&s.chain);
    s.end.head = head_new(&s.chain.root_hash, &s.chain.host_hash, s.chain.now);
    s.signer = s.chain.executor;
    refused(&s, "");
}

static void a_command_that_no_administrator_signed_tells_nobody(void **state)
{
    struct setting s;

    (void)state;
    begin(&s);
    event_free(sign_end(&s));
    struct envelope *saved = chain_find(&s.chain.envelopes, EVENT_COMMAND_SAVE);
    list_at(&saved->signatures, struct signature, 0).b[0] ^= 1;
    s.end.envelopes = s.chain.envelopes;
    struct envelope envelope;
    struct ending ending;
    struct err err = {0};
    assert_int_equal(event_sign(EVENT_RUN_ENDED, &s.end, s.chain.authorizer,
                                NULL, &envelope, &err),
                     0);
    _cleanup_event_ struct event *forged = event_new_take(&envelope, &err);
    assert_int_equal(
        ending_read(&s.chain.roots, forged, s.chain.now, &ending, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    finish(&s);
}

static void an_asker_who_is_none_is_refused(void **state)
{
    struct setting s;

    (void)state;
    begin(&s);
    s.end.asker = must_strdup("a@b.example\r\nBcc: c@d.example");
    refused(&s, "an e-mail address is printable ASCII");
}

static void a_mail_is_the_same_each_time_and_says_no_arguments(void **state)
{
    struct setting s;
    struct ending ending;
    struct err err = {0};
    _cleanup_buf_ struct buf one = {0};
    _cleanup_buf_ struct buf two = {0};

    (void)state;
    begin(&s);
    _cleanup_event_ struct event *event = sign_end(&s);
    assert_int_equal(
        ending_read(&s.chain.roots, event, s.chain.now, &ending, &err), 0);
    const struct notify *ops = &list_at(&ending.saved.notify, struct notify, 0);
    assert_int_equal(notice_mail(&ending, ops, "errand@example.org", &one), 0);
    assert_int_equal(notice_mail(&ending, ops, "errand@example.org", &two), 0);
    assert_true(buf_equal(&one, &two));
    assert_non_null(strstr(buf_text(&one), "To: ops@example.org\r\n"));
    assert_non_null(
        strstr(buf_text(&one), "Subject: Errand: disk-report failed\r\n"));
    assert_non_null(strstr(buf_text(&one), "web-1: failed (exit 3)\r\n"));
    assert_non_null(strstr(buf_text(&one), "web-2: timed out (exit 124)\r\n"));
    ending_done(&ending);
    finish(&s);
}

static void a_call_is_json_of_what_is_known(void **state)
{
    struct setting s;
    struct ending ending;
    struct err err = {0};
    _cleanup_buf_ struct buf json = {0};

    (void)state;
    begin(&s);
    _cleanup_event_ struct event *event = sign_end(&s);
    assert_int_equal(
        ending_read(&s.chain.roots, event, s.chain.now, &ending, &err), 0);
    assert_int_equal(notice_json(&ending, &json, &err), 0);
    const char *text = buf_text(&json);
    assert_ptr_equal(strstr(text, "{\"type\":\"run.ended\",\"timestamp\":\"2"),
                     text);
    assert_non_null(strstr(text, "\"command\":\"disk-report\",\"version\":1,"
                                 "\"outcome\":\"failed\","
                                 "\"asked_by\":\"runner@example.org\""));
    assert_non_null(strstr(
        text, "\"targets\":[{\"target\":\"web-1\",\"outcome\":\"failed\","
              "\"exit\":3},{\"target\":\"web-2\",\"outcome\":\"timed_out\","
              "\"exit\":124}]}}"));
    ending_done(&ending);
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_told_is_read_from_what_an_administrator_signed),
        cmocka_unit_test(only_an_authorizer_says_that_a_run_ended),
        cmocka_unit_test(a_command_that_no_administrator_signed_tells_nobody),
        cmocka_unit_test(an_asker_who_is_none_is_refused),
        cmocka_unit_test(a_mail_is_the_same_each_time_and_says_no_arguments),
        cmocka_unit_test(a_call_is_json_of_what_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

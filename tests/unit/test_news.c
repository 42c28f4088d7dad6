/* test_news.c: which events are believed, and what is taken from them. Each
 * case spoils one thing of an installation that is good otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"
#include "consumer/notifier/news.h"
#include "model/change.h"
#include "model/key_words.h"
#include "trust/sealed.h"

struct setting {
    struct chain chain;
    struct key_pair *notifier;
    struct change change;
    const struct key_pair *signer; /* NULL: the authorizer */
};

static const unsigned char seed[INVITATION_SEED] = "an invitation!!";

static void seal(struct setting *s, const char *purpose,
                 const unsigned char *value)
{
    struct user_invite *invite = &s->chain.invite;
    struct sealed content = {
        .root = s->chain.root_hash,
        .purpose = (char *)purpose,
        .signer = key_id(&s->chain.admin->key),
        .request = invite->request.head.id,
        .name = invite->email,
        .value = {.data = (unsigned char *)value, .len = INVITATION_SEED}};
    struct sealed_seed *to = list_grow(&invite->sealed, sizeof(*to));
    struct err err;

    to->to = key_id(&s->notifier->box);
    assert_int_equal(sealed_make(&content, &s->notifier->box, &to->box, &err),
                     0);
}

static void begin(struct setting *s)
{
    *s = (struct setting){.notifier = key_pair_new()};
    chain_init(&s->chain);
    s->chain.invite.request.head.id = id_new(s->chain.now);
}

/* Signs everything, and the event over it. */
static struct event *end(struct setting *s, enum event_kind kind)
{
    struct chain *c = &s->chain;
    struct envelope envelope;
    struct err err = {0};

    chain_sign(c);
    if (hash_is_zero(&s->change.head.root)) {
        s->change.head = head_new(&c->root_hash, &c->enrol_hash, c->now);
    }
    s->change.subject =
        kind == EVENT_USER_VERIFIED ? c->verify_hash : c->invite_hash;
    s->change.invite = c->invite_hash;
    if (id_is_zero(&s->change.user)) {
        s->change.user = c->invite.user;
    }
    s->change.envelopes = c->envelopes;
    assert_int_equal(event_sign(kind, &s->change,
                                s->signer == NULL ? c->authorizer : s->signer,
                                NULL, &envelope, &err),
                     0);
    return event_new_take(&envelope, &err);
}

static int believe(struct setting *s, struct event *event_taken,
                   struct news *ret_news, struct err *err)
{
    _cleanup_event_ struct event *event = event_taken;
    struct reader reader = {&s->chain.roots, s->notifier};

    return news_read(&reader, event, s->chain.now, ret_news, err);
}

static void finish(struct setting *s)
{
    key_pair_free(s->notifier);
    chain_done(&s->chain);
}

static void refused(struct setting *s, struct event *event, const char *why)
{
    struct news news;
    struct err err = {0};

    assert_int_equal(believe(s, event, &news, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    if (strstr(err.text, why) == NULL) {
        fail_msg("'%s' instead of '%s'", err.text, why);
    }
    finish(s);
}

static void an_invitation_is_read_from_its_envelopes(void **state)
{
    struct setting s;
    struct news news;
    struct err err = {0};

    (void)state;
    begin(&s);
    seal(&s, "invitation", seed);
    assert_int_equal(believe(&s, end(&s, EVENT_USER_INVITED), &news, &err), 0);
    assert_string_equal(news.email, "runner@example.org");
    assert_string_equal(news.inviter, "admin@example.org");
    assert_int_equal(news.role, ROLE_RUNNER);
    assert_true(news.by_mail && news.open);
    assert_memory_equal(news.seed, seed, INVITATION_SEED);
    news_done(&news);
    finish(&s);
}

/* Believed, but there is no seed. */
static void closed(struct setting *s, const char *why)
{
    struct news news;
    struct err err = {0};

    assert_int_equal(believe(s, end(s, EVENT_USER_INVITED), &news, &err), 0);
    assert_true(news.by_mail);
    assert_false(news.open);
    if (strstr(news.closed.text, why) == NULL) {
        fail_msg("'%s' instead of '%s'", news.closed.text, why);
    }
    news_done(&news);
    finish(s);
}

static void a_seed_is_taken_only_from_its_own_box(void **state)
{
    static const unsigned char other[INVITATION_SEED] = "another seed!!!";
    struct setting s;

    (void)state;
    begin(&s);
    seal(&s, "card", seed);
    closed(&s, "its purpose");
    begin(&s);
    seal(&s, "invitation", other);
    closed(&s, "not the invitation's");
    begin(&s);
    seal(&s, "invitation", seed);
    s.chain.invite.request.head.id.b[15] ^= 1;
    closed(&s, "its request");
    begin(&s);
    seal(&s, "invitation", seed);
    list_at(&s.chain.invite.sealed, struct sealed_seed, 0).to.b[0] ^= 1;
    closed(&s, "other notifiers");
}

static void who_followed_as_an_administrator_has_six_words(void **state)
{
    struct setting s;
    struct news news;
    struct err err = {0};

    (void)state;
    begin(&s);
    s.chain.invite.role = ROLE_ADMINISTRATOR;
    _cleanup_free_ char *words = key_words(&s.chain.verify.key);
    assert_int_equal(believe(&s, end(&s, EVENT_USER_VERIFIED), &news, &err), 0);
    assert_string_equal(news.words, words);
    assert_true(hash_equal(&news.about, &s.chain.verify_hash));
    news_done(&news);
    finish(&s);
    begin(&s);
    assert_int_equal(believe(&s, end(&s, EVENT_USER_VERIFIED), &news, &err), 0);
    assert_null(news.words);
    news_done(&news);
    finish(&s);
}

static void only_an_authorizer_s_word_counts(void **state)
{
    struct setting s;
    struct key_pair *thief = key_pair_new();

    (void)state;
    begin(&s);
    s.signer = thief;
    refused(&s, end(&s, EVENT_USER_INVITED), "not signed by");
    begin(&s);
    s.chain.enrol.kind = SERVICE_SCHEDULER;
    refused(&s, end(&s, EVENT_USER_INVITED), "not as authorizer");
    begin(&s);
    s.chain.enrol.until = s.chain.now - 1;
    refused(&s, end(&s, EVENT_USER_INVITED), "has ended");
    begin(&s);
    list_at(&s.chain.roots.keys, struct key32, 0) = thief->key;
    refused(&s, end(&s, EVENT_USER_INVITED), "not pinned");
    key_pair_free(thief);
}

static void what_people_did_not_sign_is_no_news(void **state)
{
    struct setting s;

    (void)state;
    begin(&s);
    s.change.user = id_random();
    refused(&s, end(&s, EVENT_USER_INVITED), "another user");
    begin(&s);
    struct event *event = end(&s, EVENT_USER_INVITED);
    struct change *change = event->payload;
    envelopes_done(&change->envelopes); /* as a broker can't, a bug could */
    refused(&s, event, "lacks an envelope");
    begin(&s);
    s.chain.invite.user = id_random();
    refused(&s, end(&s, EVENT_USER_INVITED), "not that of the invitation");
}

static void what_would_not_be_let_in_is_not_mailed(void **state)
{
    struct setting s;

    (void)state;
    begin(&s);
    free(s.chain.invite.email);
    s.chain.invite.email = must_strdup("a@b\r\nBcc: c@d");
    refused(&s, end(&s, EVENT_USER_INVITED), "e-mail");
    begin(&s);
    s.chain.invite.name = must_strdup("a\xe2\x80\xaez");
    refused(&s, end(&s, EVENT_USER_INVITED), "a name is text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invitation_is_read_from_its_envelopes),
        cmocka_unit_test(a_seed_is_taken_only_from_its_own_box),
        cmocka_unit_test(who_followed_as_an_administrator_has_six_words),
        cmocka_unit_test(only_an_authorizer_s_word_counts),
        cmocka_unit_test(what_people_did_not_sign_is_no_news),
        cmocka_unit_test(what_would_not_be_let_in_is_not_mailed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_proof.c: what a dispatch's proof allows, one broken link at a time.
 *
 * Each case takes a whole good chain, breaks one thing in it as whoever holds a
 * stolen key or a broker could, and expects the refusal that names it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"

static int judge(struct chain *c, const char *target, int64_t now,
                 struct err *err)
{
    struct envelope copy = envelope_dup(&c->signed_dispatch);
    _cleanup_event_ struct event *event = event_new_take(&copy, err);
    _cleanup_proof_ struct proof *proof = proof_new(&c->roots, NULL, NULL);
    struct order order;

    if (event == NULL) {
        return -1;
    }
    return proof_dispatch(proof, event, target, now, &order, err);
}

static void check_refused(struct chain *c, const char *because)
{
    struct err err = {0};

    assert_int_equal(judge(c, "web-1", c->now, &err), -1);
    if (strstr(err.text, because) == NULL) {
        fail_msg("refused with \"%s\", not \"%s\"", err.text, because);
    }
    assert_int_equal(err.kind, ERR_REJECT);
    chain_done(c);
}

static void a_whole_chain_allows_its_run(void **state)
{
    struct chain c;
    struct err err = {0};

    (void)state;
    chain_init(&c);
    chain_sign(&c);
    chain_dispatch(&c);
    int allowed = judge(&c, "web-1", c.now, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(allowed, 0);
    chain_done(&c);
}

static void an_administrator_in_force_needs_no_assignment(void **state)
{
    struct chain c;
    struct err err = {0};

    (void)state;
    chain_init(&c);
    c.add.command = id_new(c.now); /* of something else */
    chain_sign(&c);
    /* A session of the administrator's own, and the run under it. */
    struct session_open open = c.open;
    struct run_start run = c.run;
    struct envelope signed_open;
    struct envelope signed_run;
    open.request.head.by = c.init_hash;
    assert_int_equal(event_sign(EVENT_SESSION_OPEN, &open, c.admin, c.session,
                                &signed_open, &err),
                     0);
    run.request.head.by = envelope_hash(&signed_open);
    assert_int_equal(
        event_sign(EVENT_RUN_START, &run, c.session, NULL, &signed_run, &err),
        0);
    envelopes_add(&c.envelopes, &signed_open);
    envelopes_add(&c.envelopes, &signed_run);
    c.dispatch.run = envelope_hash(&signed_run);
    c.dispatch.command = c.save_hash;
    chain_dispatch(&c);
    int allowed = judge(&c, "web-1", c.now, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(allowed, 0);
    envelope_done(&signed_open);
    envelope_done(&signed_run);
    chain_done(&c);
}

static void every_envelope_of_the_proof_is_needed(void **state)
{
    (void)state;
    for (size_t i = 0;; i++) {
        struct chain c;
        struct err err = {0};
        chain_init(&c);
        chain_sign(&c);
        if (i == c.envelopes.n) {
            chain_done(&c);
            break;
        }
        struct envelope *gone = &list_at(&c.envelopes, struct envelope, i);
        bool needed = strcmp(gone->type, "errand.service.enrol.v1") != 0 ||
                      i == 1; /* the executor's own is not looked at */
        envelope_done(gone);
        *gone = envelope_dup(
            &list_at(&c.envelopes, struct envelope, i == 0 ? 1 : 0));
        chain_dispatch(&c);
        assert_int_equal(judge(&c, "web-1", c.now, &err), needed ? -1 : 0);
        chain_done(&c);
    }
}

static void every_signature_of_the_proof_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0;; i++) {
        struct chain c;
        struct err err = {0};
        chain_init(&c);
        chain_sign(&c);
        if (i == c.envelopes.n) {
            chain_done(&c);
            break;
        }
        struct envelope *e = &list_at(&c.envelopes, struct envelope, i);
        for (size_t s = 0; s < e->signatures.n && i != 2; s++) {
            list_at(&e->signatures, struct signature, s).b[5] ^= 1;
            chain_dispatch(&c);
            assert_int_equal(judge(&c, "web-1", c.now, &err), -1);
            envelope_done(&c.signed_dispatch);
            memset(&c.dispatch.head, 0, sizeof(c.dispatch.head));
            list_at(&e->signatures, struct signature, s).b[5] ^= 1;
        }
        chain_done(&c);
    }
}

static void another_root_is_refused(void **state)
{
    struct chain c;
    struct key_pair *other = key_pair_new();

    (void)state;
    chain_init(&c);
    chain_sign(&c);
    chain_dispatch(&c);
    list_at(&c.roots.keys, struct key32, 0) = other->key;
    key_pair_free(other);
    check_refused(&c, "not pinned");
}

static void a_dispatch_for_another_target_is_refused(void **state)
{
    struct chain c;
    struct err err = {0};

    (void)state;
    chain_init(&c);
    chain_sign(&c);
    chain_dispatch(&c);
    assert_int_equal(judge(&c, "web-2", c.now, &err), -1);
    assert_non_null(strstr(err.text, "not web-2"));
    chain_done(&c);
}

static void an_expired_dispatch_is_refused(void **state)
{
    struct chain c;
    struct err err = {0};

    (void)state;
    chain_init(&c);
    chain_sign(&c);
    chain_dispatch(&c);
    assert_int_equal(judge(&c, "web-1", c.dispatch.expires + 1, &err), -1);
    assert_non_null(strstr(err.text, "expired"));
    chain_done(&c);
}

/* Each breaks one payload before it is signed. */

static void someone_elses_assignment(struct chain *c)
{
    c->add.user = id_new(c->now);
}

static void an_assignment_that_ended(struct chain *c)
{
    c->add.until = c->now - 1;
}

static void an_assignment_pinned_elsewhere(struct chain *c)
{
    c->add.pin = 2;
}

static void another_command(struct chain *c)
{
    c->run.command = id_new(c->now);
}

static void another_name_than_the_asker_said(struct chain *c)
{
    c->run.name = must_strdup("wipe-disk");
}

static void a_target_that_the_run_does_not_name(struct chain *c)
{
    list_at(&c->run.targets, char *, 0)[0] = 'x';
}

static void a_target_that_the_command_does_not_name(struct chain *c)
{
    list_at(&c->save.targets, char *, 0)[0] = 'x';
}

static void a_deadline_beyond_the_wait(struct chain *c)
{
    c->run.deadline = c->now + REQUEST_LIFE + 61000;
}

static void an_argument_that_is_none(struct chain *c)
{
    pairs_add(&c->run.arguments, "ld-preload", "/tmp/x");
}

static void a_value_that_does_not_fit(struct chain *c)
{
    list_at(&c->run.arguments, struct pair, 0).value[0] = '-';
}

static void a_session_that_is_too_long(struct chain *c)
{
    c->open.until = c->now + SESSION_LIFE + 1;
}

static void a_run_after_its_session(struct chain *c)
{
    c->open.until = c->now - 1;
}

static void an_invitation_used_too_late(struct chain *c)
{
    c->invite.until = c->now - CLOCK_SKEW - 1;
}

static void a_users_id_of_ones_own_choice(struct chain *c)
{
    c->invite.user.b[3] ^= 1;
    c->verify.user = c->invite.user;
    c->add.user = c->invite.user;
}

static void an_authorizer_without_an_end(struct chain *c)
{
    c->enrol.until = 0;
}

static void an_authorizer_for_too_long(struct chain *c)
{
    c->enrol.until = c->now + AUTHORIZER_LIFE_MAX + 1;
}

static void an_authorizer_that_is_an_executor(struct chain *c)
{
    c->enrol.kind = SERVICE_EXECUTOR;
}

static void a_dispatch_beyond_the_deadline(struct chain *c)
{
    c->dispatch.expires = c->run.deadline + 1;
}

static void an_execution_id_of_ones_own_choice(struct chain *c)
{
    c->dispatch.execution = id_new(c->now);
}

static void an_envelope_of_another_installation(struct chain *c)
{
    c->save.request.head.root.b[0] = 1;
}

static void a_run_for_another_installation(struct chain *c)
{
    c->run.request.head.root.b[0] = 1;
}

static void an_attempt_beyond_those_allowed(struct chain *c)
{
    c->save.pace.retry = 2;
    c->dispatch.attempt = 4;
}

static void a_deadline_beyond_all_attempts(struct chain *c)
{
    c->save.pace.retry = 1;
    c->run.deadline =
        c->now + REQUEST_LIFE +
        pace_life(&c->save.pace, c->save.wait, c->save.timeout, 1) + 1;
}

static void a_dispatch_of_a_second_attempt(struct chain *c)
{
    c->dispatch.attempt = 2;
}

static void a_dispatch_for_another_installation(struct chain *c)
{
    c->dispatch.head.root.b[0] = 1;
}

static void an_invitation_as_administrator_unconfirmed(struct chain *c)
{
    c->invite.role = ROLE_ADMINISTRATOR;
}

static const struct {
    void (*breaks)(struct chain *);
    const char *because;
} broken[] = {
    {someone_elses_assignment, "no assignment"},
    {an_assignment_that_ended, "no assignment"},
    {an_assignment_pinned_elsewhere, "no assignment"},
    {another_command, "another command"},
    {another_name_than_the_asker_said, "another command"},
    {a_target_that_the_run_does_not_name, "does not name target"},
    {a_target_that_the_command_does_not_name, "not for target"},
    {a_deadline_beyond_the_wait, "later than its command's wait"},
    {an_argument_that_is_none, "ld-preload"},
    {a_value_that_does_not_fit, "dir"},
    {a_session_that_is_too_long, "open for too long"},
    {a_run_after_its_session, "within its session"},
    {an_invitation_used_too_late, "had ended"},
    {a_users_id_of_ones_own_choice, "user's id"},
    {an_authorizer_without_an_end, "without an end"},
    {an_authorizer_for_too_long, "without an end"},
    {an_authorizer_that_is_an_executor, "not as authorizer"},
    {a_dispatch_beyond_the_deadline, "deadline"},
    {an_execution_id_of_ones_own_choice, "execution's id"},
    {an_envelope_of_another_installation, "another installation"},
    {a_run_for_another_installation, "another installation"},
    {a_dispatch_of_a_second_attempt, "attempt 2"},
    {an_attempt_beyond_those_allowed, "attempt 4"},
    {a_deadline_beyond_all_attempts, "limits allow"},
    {a_dispatch_for_another_installation, "another installation"},
    {an_invitation_as_administrator_unconfirmed, "waits to be confirmed"},
};

static void each_broken_payload_is_refused_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        struct chain c;
        chain_init(&c);
        broken[i].breaks(&c);
        chain_sign(&c);
        chain_dispatch(&c);
        check_refused(&c, broken[i].because);
    }
}

/* Each signs one step with a key that has no business there. */

static void a_thief_of_the_authorizers_key_can_not_write_commands(void **state)
{
    struct chain c;

    (void)state;
    chain_init(&c);
    key_pair_free(c.admin); /* command, assignment, invitation: all by it */
    unsigned char seeds[64];
    memcpy(seeds, c.authorizer->secret, sizeof(seeds));
    c.admin = key_pair_from_seeds(seeds);
    chain_sign(&c);
    chain_dispatch(&c);
    check_refused(&c, "not signed by");
}

static void a_run_signed_by_the_own_key_is_refused(void **state)
{
    struct chain c;
    struct err err = {0};
    struct envelope by_own;

    (void)state;
    chain_init(&c);
    chain_sign(&c);
    c.run.request.head.by = c.verify_hash;
    assert_int_equal(
        event_sign(EVENT_RUN_START, &c.run, c.runner, NULL, &by_own, &err), 0);
    envelopes_add(&c.envelopes, &by_own);
    c.dispatch.run = envelope_hash(&by_own);
    c.dispatch.command = c.save_hash;
    envelope_done(&by_own);
    chain_dispatch(&c);
    check_refused(&c, "not signed by a session's key");
}

static void a_runner_can_not_save_a_command(void **state)
{
    struct chain c;
    struct err err = {0};
    struct envelope by_runner;

    (void)state;
    chain_init(&c);
    chain_sign(&c);
    c.save.request.head.by = c.verify_hash;
    assert_int_equal(event_sign(EVENT_COMMAND_SAVE, &c.save, c.runner, NULL,
                                &by_runner, &err),
                     0);
    envelopes_add(&c.envelopes, &by_runner);
    c.dispatch.run = c.run_hash;
    c.dispatch.command = envelope_hash(&by_runner);
    envelope_done(&by_runner);
    chain_dispatch(&c);
    check_refused(&c, "no administrator");
}

/* As a store does: a user.verify comes with its user.confirm. */
static int fetch(void *arg, const struct hash *hash, struct proof *proof,
                 struct err *err)
{
    struct chain *c = arg;
    struct envelope *confirm = chain_find(&c->envelopes, EVENT_USER_CONFIRM);

    for (size_t i = 0; i < c->envelopes.n; i++) {
        struct envelope *e = &list_at(&c->envelopes, struct envelope, i);
        struct hash its = envelope_hash(e);
        if (hash_equal(&its, hash) && proof_add(proof, e, err) != 0) {
            return -1;
        }
    }
    return hash_equal(hash, &c->verify_hash) ? proof_add(proof, confirm, err)
                                             : 0;
}

static void a_request_that_was_judged_is_no_link_for_others(void **state)
{
    struct chain c;
    struct err err = {0};
    struct signer signer;
    struct person person;
    struct envelope signed_confirm;

    (void)state;
    chain_init(&c);
    c.invite.role = ROLE_ADMINISTRATOR;
    chain_sign(&c);
    struct user_confirm confirm = {
        .request.head = head_new(&c.root_hash, &c.init_hash, c.now),
        .user = c.verify.user,
        .key = c.verify.key,
        .verify = c.verify_hash};
    assert_int_equal(event_sign(EVENT_USER_CONFIRM, &confirm, c.admin, NULL,
                                &signed_confirm, &err),
                     0);
    envelopes_add(&c.envelopes, &signed_confirm);
    envelope_done(&signed_confirm);

    struct envelope asked =
        envelope_dup(chain_find(&c.envelopes, EVENT_USER_VERIFY));
    _cleanup_event_ struct event *request = event_new_take(&asked, &err);
    _cleanup_proof_ struct proof *proof = proof_new(&c.roots, fetch, &c);
    assert_non_null(request);
    assert_int_equal(proof_request(proof, request, &signer, &err), 0);
    int done = proof_administrator(proof, &c.verify_hash, &person, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(done, 0);
    chain_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_chain_allows_its_run),
        cmocka_unit_test(an_administrator_in_force_needs_no_assignment),
        cmocka_unit_test(every_envelope_of_the_proof_is_needed),
        cmocka_unit_test(every_signature_of_the_proof_is_checked),
        cmocka_unit_test(another_root_is_refused),
        cmocka_unit_test(a_dispatch_for_another_target_is_refused),
        cmocka_unit_test(an_expired_dispatch_is_refused),
        cmocka_unit_test(each_broken_payload_is_refused_by_its_name),
        cmocka_unit_test(a_thief_of_the_authorizers_key_can_not_write_commands),
        cmocka_unit_test(a_run_signed_by_the_own_key_is_refused),
        cmocka_unit_test(a_runner_can_not_save_a_command),
        cmocka_unit_test(a_request_that_was_judged_is_no_link_for_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_cut_proof.c: which cut of the audit log is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"
#include "trust/cut_proof.h"

#include "base/clock.h"
#include "model/rules.h"

#define DAY_MS INT64_C(86400000)
#define KEEP_DAYS 90

struct cutting {
    struct chain chain;
    struct policy_set policy;
    struct audit_cut cut;
    const struct key_pair *policy_signer;
    const struct key_pair *cut_signer;
    struct err err;
};

/* A cut that is one day older than it has to be. */
static int set_up(void **state)
{
    struct cutting *c = must_calloc(1, sizeof(*c));

    chain_init(&c->chain);
    chain_sign(&c->chain);
    c->policy_signer = c->chain.admin;
    c->cut_signer = c->chain.authorizer;
    c->policy = (struct policy_set){
        .request.head =
            head_new(&c->chain.root_hash, &c->chain.init_hash, c->chain.now),
        .version = 1,
        .rules = rules_default};
    c->policy.request.head.id = id_new(c->chain.now);
    c->policy.rules.keep = KEEP_DAYS * DAY_MS / 1000;
    c->cut =
        (struct audit_cut){.head = head_new(&c->chain.root_hash,
                                            &c->chain.enrol_hash, c->chain.now),
                           .until = c->chain.now - (KEEP_DAYS + 1) * DAY_MS};
    *(struct span_row *)list_grow(&c->cut.spans, sizeof(struct span_row)) =
        (struct span_row){.partition = 1, .first = 1, .last = 3};
    *state = c;
    return 0;
}

static int tear_down(void **state)
{
    struct cutting *c = *state;

    free(c->cut.spans.items);
    chain_done(&c->chain);
    free(c);
    return 0;
}

static int check(struct cutting *c)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&c->chain.roots, NULL, NULL);
    struct envelope cut = {0};
    _cleanup_envelope_ struct envelope policy = {0};

    assert_int_equal(event_sign(EVENT_POLICY_SET, &c->policy, c->policy_signer,
                                NULL, &policy, &c->err),
                     0);
    if (hash_is_zero(&c->cut.policy)) {
        c->cut.policy = envelope_hash(&policy);
    }
    c->cut.head.id = cut_id(&c->cut);
    assert_int_equal(event_sign(EVENT_AUDIT_CUT, &c->cut, c->cut_signer, NULL,
                                &cut, &c->err),
                     0);
    assert_int_equal(proof_add_all(proof, &c->chain.envelopes, &c->err), 0);
    assert_int_equal(proof_add(proof, &policy, &c->err), 0);
    _cleanup_event_ struct event *event = event_new_take(&cut, &c->err);
    assert_non_null(event);
    return cut_check(proof, event, &c->err);
}

static void refused(struct cutting *c, const char *because)
{
    assert_int_equal(check(c), -1);
    assert_int_equal(c->err.kind, ERR_REJECT);
    if (strstr(c->err.text, because) == NULL) {
        fail_msg("'%s' does not say '%s'", c->err.text, because);
    }
}

static void one_as_the_policy_says_is_believed(void **state)
{
    struct cutting *c = *state;

    c->cut.until = c->chain.now - KEEP_DAYS * DAY_MS;
    if (check(c) != 0) {
        fail_msg("%s", c->err.text);
    }
}

static void one_that_is_too_early_is_not(void **state)
{
    struct cutting *c = *state;

    c->cut.until = c->chain.now - KEEP_DAYS * DAY_MS + 1;
    refused(c, "wants to be kept");
}

static void nor_where_the_policy_keeps_for_ever(void **state)
{
    struct cutting *c = *state;

    c->policy.rules.keep = 0;
    refused(c, "wants to be kept");
}

static void nor_by_a_policy_of_later(void **state)
{
    struct cutting *c = *state;

    c->policy.request.head.issued++;
    refused(c, "of later");
}

static void nor_by_a_policy_that_no_administrator_signed(void **state)
{
    struct cutting *c = *state;

    c->policy_signer = c->chain.runner;
    c->policy.request.head.by = c->chain.verify_hash;
    refused(c, "");
}

static void nor_by_none(void **state)
{
    struct cutting *c = *state;

    c->cut.policy = c->chain.save_hash;
    refused(c, "");
}

static void nor_one_that_somebody_else_signed(void **state)
{
    struct cutting *c = *state;

    c->cut_signer = c->chain.admin;
    refused(c, "signed");
}

static void nor_one_by_a_daemon_of_another_kind(void **state)
{
    struct cutting *c = *state;

    c->cut_signer = c->chain.executor;
    c->cut.head.by = c->chain.host_hash;
    refused(c, "");
}

static void nor_one_of_after_the_enrolment(void **state)
{
    struct cutting *c = *state;

    c->cut.head.issued = c->chain.enrol.until + 1;
    refused(c, "");
}

static void nor_one_whose_spans_are_none(void **state)
{
    struct cutting *c = *state;

    list_at(&c->cut.spans, struct span_row, 0).last = 0;
    refused(c, "span 0");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_as_the_policy_says_is_believed),
        CASE(one_that_is_too_early_is_not),
        CASE(nor_where_the_policy_keeps_for_ever),
        CASE(nor_by_a_policy_of_later),
        CASE(nor_by_a_policy_that_no_administrator_signed),
        CASE(nor_by_none),
        CASE(nor_one_that_somebody_else_signed),
        CASE(nor_one_by_a_daemon_of_another_kind),
        CASE(nor_one_of_after_the_enrolment),
        CASE(nor_one_whose_spans_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

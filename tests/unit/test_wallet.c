/* test_wallet.c: a person's cards by their steps; boxes that are opened for the
 * card, the person and the step that they were sealed in, and for no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "chain.h"
#include "trust/wallet.h"

#define NUMBER "4242424242424242"

struct bench {
    struct chain chain; /* its runner is one with billing */
    struct key_pair *billing;
    struct hash billing_hash;
    struct proof *proof;
    struct wallet wallet;
    struct list steps; /* struct envelope: all that were signed */
};

static struct hash sign(struct bench *b, enum event_kind kind, void *payload,
                        const struct key_pair *by, struct list *to)
{
    struct envelope envelope;
    struct err err = {0};

    assert_int_equal(event_sign(kind, payload, by, NULL, &envelope, &err), 0);
    struct hash hash = envelope_hash(&envelope);
    envelopes_add(to, &envelope);
    envelope_done(&envelope);
    (void)b;
    return hash;
}

static void setup(struct bench *b, int role)
{
    *b = (struct bench){.billing = key_pair_new()};
    chain_init(&b->chain);
    b->chain.invite.role = role;
    chain_sign(&b->chain);
    struct billing_init init = {
        .request.head =
            head_new(&b->chain.root_hash, &b->chain.init_hash, b->chain.now),
        .box = b->billing->box,
        .generation = 1};
    b->billing_hash =
        sign(b, EVENT_BILLING_INIT, &init, b->chain.admin, &b->chain.envelopes);
    b->proof = proof_new(&b->chain.roots, NULL, NULL);
    struct err err;
    assert_int_equal(proof_add_all(b->proof, &b->chain.envelopes, &err), 0);
}

static void done(struct bench *b)
{
    wallet_done(&b->wallet);
    proof_free(b->proof);
    envelopes_done(&b->steps);
    key_pair_free(b->billing);
    chain_done(&b->chain);
}

static struct card_step next(const struct bench *b)
{
    return (struct card_step){
        .request.head =
            head_new(&b->chain.root_hash, &b->chain.verify_hash, b->chain.now),
        .number = wallet_next(&b->wallet),
        .previous = wallet_head(&b->wallet)};
}

/* A card.add that is sealed as it should be; the last of b->steps. */
static struct id add_step(struct bench *b, const char *number)
{
    struct card_secret secret = {.number = (char *)number,
                                 .name = (char *)"Ann Alda",
                                 .expiry = (char *)"2027-12"};
    struct card_add add = {.step = next(b), .billing = b->billing_hash};
    struct err err = {0};

    assert_int_equal(card_seal(&secret, &b->billing->box, &b->chain.runner->key,
                               &b->chain.invite.user, &add, &err),
                     0);
    (void)sign(b, EVENT_CARD_ADD, &add, b->chain.runner, &b->steps);
    struct id id = add.step.request.head.id;
    table_done(&card_add_table, &add);
    return id;
}

static void named_step(struct bench *b, enum event_kind kind,
                       const struct id *card)
{
    struct card_named named = {.step = next(b), .card = *card};

    (void)sign(b, kind, &named, b->chain.runner, &b->steps);
}

static int take(struct bench *b, size_t i, struct err *err)
{
    err_clear(err);
    return wallet_add(&b->wallet, b->proof, &b->chain.invite.user,
                      &list_at(&b->steps, struct envelope, i), err);
}

static void taken(struct bench *b)
{
    struct err err;

    if (take(b, b->steps.n - 1, &err) != 0) {
        fail_msg("%s", err.text);
    }
}

static void refused(struct bench *b, size_t i, const char *words)
{
    struct err err;
    size_t steps = b->wallet.steps.n;
    size_t cards = b->wallet.cards.n;

    assert_int_equal(take(b, i, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    if (strstr(err.text, words) == NULL) {
        fail_msg("'%s' instead of '%s'", err.text, words);
    }
    assert_int_equal(b->wallet.steps.n, steps);
    assert_int_equal(b->wallet.cards.n, cards);
}

static void steps_make_cards(void **state)
{
    struct bench b;

    (void)state;
    setup(&b, ROLE_RUNNER_BILLING);
    struct id first = add_step(&b, NUMBER);
    taken(&b);
    struct id second = add_step(&b, "378282246310005");
    taken(&b);
    assert_true(wallet_card(&b.wallet, &first)->is_default);
    assert_false(wallet_card(&b.wallet, &second)->is_default);
    named_step(&b, EVENT_CARD_DEFAULT, &second);
    taken(&b);
    assert_false(wallet_card(&b.wallet, &first)->is_default);
    assert_true(wallet_card(&b.wallet, &second)->is_default);
    named_step(&b, EVENT_CARD_REMOVE, &second);
    taken(&b);
    assert_null(wallet_card(&b.wallet, &second));
    assert_false(wallet_card(&b.wallet, &first)->is_default);
    struct id third = add_step(&b, NUMBER);
    taken(&b);
    assert_true(wallet_card(&b.wallet, &third)->is_default);
    assert_int_equal(b.wallet.cards.n, 2);
    assert_int_equal(wallet_next(&b.wallet), 6);
    assert_string_equal(b.wallet.person.email, "runner@example.org");
    done(&b);
}

static void a_step_is_neither_repeated_nor_left_out(void **state)
{
    struct bench b;

    (void)state;
    setup(&b, ROLE_RUNNER_BILLING);
    (void)add_step(&b, NUMBER);
    taken(&b);
    refused(&b, 0, "replayed");
    (void)add_step(&b, NUMBER);
    taken(&b);
    refused(&b, 0, "replayed");
    (void)add_step(&b, NUMBER); /* on top of the second */
    wallet_done(&b.wallet);
    refused(&b, 2, "missing");
    assert_int_equal(0, take(&b, 0, &(struct err){0}));
    refused(&b, 2, "missing");
    assert_int_equal(0, take(&b, 1, &(struct err){0}));
    assert_int_equal(0, take(&b, 2, &(struct err){0}));
    done(&b);
}

static void a_step_on_top_of_another_is_refused(void **state)
{
    struct bench b;

    (void)state;
    setup(&b, ROLE_RUNNER_BILLING);
    struct id card = add_step(&b, NUMBER);
    taken(&b);
    struct card_named named = {.step = next(&b), .card = card};
    named.step.previous.b[0] ^= 1;
    (void)sign(&b, EVENT_CARD_REMOVE, &named, b.chain.runner, &b.steps);
    refused(&b, 1, "another's place");
    card.b[0] ^= 1;
    named_step(&b, EVENT_CARD_REMOVE, &card);
    refused(&b, 2, "no card of theirs");
    done(&b);
}

static void only_the_own_key_of_who_may_keep_cards_signs(void **state)
{
    struct bench b;
    struct id card;

    (void)state;
    setup(&b, ROLE_RUNNER_BILLING);
    card = add_step(&b, NUMBER);
    taken(&b);
    struct card_named named = {.step = next(&b), .card = card};
    (void)sign(&b, EVENT_CARD_REMOVE, &named, b.chain.session, &b.steps);
    refused(&b, 1, "not signed by their own key");
    named.step.request.head.by = b.chain.open_hash;
    (void)sign(&b, EVENT_CARD_REMOVE, &named, b.chain.session, &b.steps);
    refused(&b, 2, "names no person's key");
    named.step.request.head.by = b.chain.init_hash;
    (void)sign(&b, EVENT_CARD_REMOVE, &named, b.chain.admin, &b.steps);
    refused(&b, 3, "admin@example.org's");
    named.step = next(&b);
    named.step.request.head.root.b[0] ^= 1;
    (void)sign(&b, EVENT_CARD_REMOVE, &named, b.chain.runner, &b.steps);
    refused(&b, 4, "not signed by their own key");
    (void)sign(&b, EVENT_ASSIGNMENT_ADD, &b.chain.add, b.chain.runner,
               &b.steps);
    refused(&b, 5, "no step of anybody's cards");
    done(&b);

    setup(&b, ROLE_RUNNER);
    (void)add_step(&b, NUMBER);
    refused(&b, 0, "may keep no cards");
    done(&b);

    setup(&b, ROLE_ADMINISTRATOR); /* whom nobody confirmed */
    (void)add_step(&b, NUMBER);
    refused(&b, 0, "may keep no cards");
    done(&b);
}

static struct card only_card(struct bench *b)
{
    assert_int_equal(b->wallet.cards.n, 1);
    return list_at(&b->wallet.cards, struct card, 0);
}

static void a_card_comes_out_as_it_went_in(void **state)
{
    struct bench b;
    _cleanup_card_secret_ struct card_secret secret = {0};
    struct err err = {0};

    (void)state;
    setup(&b, ROLE_RUNNER_BILLING);
    (void)add_step(&b, NUMBER);
    taken(&b);
    struct card card = only_card(&b);
    assert_string_equal(card.last4, "4242");
    assert_int_equal(
        card_open(b.billing, b.proof, &b.wallet, &card, &secret, &err), 0);
    assert_string_equal(secret.number, NUMBER);
    assert_string_equal(secret.name, "Ann Alda");
    assert_string_equal(secret.expiry, "2027-12");
    const struct envelope *step = &list_at(&b.steps, struct envelope, 0);
    assert_null(memmem(step->payload.data, step->payload.len, "42424242", 8));
    done(&b);
}

static void not_opened(struct bench *b, const struct key_pair *pair,
                       const char *words)
{
    struct card card = only_card(b);
    struct card_secret secret = {0};
    struct err err = {0};

    assert_int_equal(
        card_open(pair, b->proof, &b->wallet, &card, &secret, &err), -1);
    if (strstr(err.text, words) == NULL) {
        fail_msg("'%s' instead of '%s'", err.text, words);
    }
    assert_null(secret.number);
}

/* A box taken out of a step of theirs, and put into another. */
static void a_box_of_another_step_is_refused(void **state)
{
    struct bench b;
    struct card_add add;
    struct err err;

    (void)state;
    setup(&b, ROLE_RUNNER_BILLING);
    (void)add_step(&b, NUMBER);
    assert_int_equal(event_decode(EVENT_CARD_ADD,
                                  &list_at(&b.steps, struct envelope, 0), &add,
                                  &err),
                     0);
    add.step.request.head.id = id_new(b.chain.now);
    (void)sign(&b, EVENT_CARD_ADD, &add, b.chain.runner, &b.steps);
    table_done(&card_add_table, &add);
    taken(&b);
    not_opened(&b, b.billing, "request");
    done(&b);
}

static void another_card_inside_than_outside_is_refused(void **state)
{
    struct bench b;
    struct card_add add;
    struct err err;

    (void)state;
    setup(&b, ROLE_RUNNER_BILLING);
    (void)add_step(&b, NUMBER);
    assert_int_equal(event_decode(EVENT_CARD_ADD,
                                  &list_at(&b.steps, struct envelope, 0), &add,
                                  &err),
                     0);
    memcpy(add.last4, "1111", 4);
    (void)sign(&b, EVENT_CARD_ADD, &add, b.chain.runner, &b.steps);
    table_done(&card_add_table, &add);
    taken(&b);
    not_opened(&b, b.billing, "another card is in the box");
    done(&b);
}

static void another_key_opens_nothing(void **state)
{
    struct bench b;
    _cleanup_key_pair_ struct key_pair *other = key_pair_new();

    (void)state;
    setup(&b, ROLE_RUNNER_BILLING);
    (void)add_step(&b, NUMBER);
    taken(&b);
    not_opened(&b, other, "not for this key");
    done(&b);
}

static void a_billing_key_is_an_administrators(void **state)
{
    struct bench b;
    const struct billing_init *init = NULL;
    struct list more = {0};
    struct err err = {0};

    (void)state;
    setup(&b, ROLE_RUNNER_BILLING);
    assert_int_equal(proof_billing(b.proof, &b.billing_hash, &init, &err), 0);
    assert_memory_equal(init->box.b, b.billing->box.b, 32);
    struct billing_init forged = *init;
    forged.generation = 2;
    forged.request.head.by = b.chain.verify_hash;
    struct hash hash =
        sign(&b, EVENT_BILLING_INIT, &forged, b.chain.runner, &more);
    assert_int_equal(proof_add_all(b.proof, &more, &err), 0);
    assert_int_equal(proof_billing(b.proof, &hash, &init, &err), -1);
    assert_non_null(strstr(err.text, "no administrator"));
    assert_int_equal(proof_billing(b.proof, &b.chain.invite_hash, &init, &err),
                     -1);
    envelopes_done(&more);
    done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_make_cards),
        cmocka_unit_test(a_step_is_neither_repeated_nor_left_out),
        cmocka_unit_test(a_step_on_top_of_another_is_refused),
        cmocka_unit_test(only_the_own_key_of_who_may_keep_cards_signs),
        cmocka_unit_test(a_card_comes_out_as_it_went_in),
        cmocka_unit_test(a_box_of_another_step_is_refused),
        cmocka_unit_test(another_card_inside_than_outside_is_refused),
        cmocka_unit_test(another_key_opens_nothing),
        cmocka_unit_test(a_billing_key_is_an_administrators),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

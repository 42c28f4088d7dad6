/* test_rpc_reply.c: which replies are believed, and which are passed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "chain.h"
#include "rpc_private.h"

/* A request that was sent, and the reply to it, as yet to be changed. */
struct asked {
    struct chain chain;
    struct rpc *rpc;
    struct reply reply;
    const struct key_pair *signer;
    const struct key_pair *box; /* whom it is sealed to */
};

static int set_up(void **state)
{
    struct asked *a = must_calloc(1, sizeof(*a));
    struct list kafka = {0};
    struct err err = {0};

    chain_init(&a->chain);
    chain_sign(&a->chain);
    pairs_add(&kafka, "bootstrap.servers", "127.0.0.1:1");
    a->rpc = rpc_new(&kafka, &a->chain.roots, &err);
    pairs_done(&kafka);
    struct call *call = &a->rpc->call;
    call->id = a->chain.run.request.head.id;
    id_format(&call->id, call->key);
    call->hash = a->chain.run_hash;
    call->root = a->chain.root_hash;
    a->reply = (struct reply){
        .head =
            head_new(&a->chain.root_hash, &a->chain.enrol_hash, clock_now()),
        .to = call->id,
        .request = call->hash,
        .last = true,
        .log = a->chain.init_hash,
        .status = REPLY_OK,
        .proof = a->chain.envelopes,
    };
    a->signer = a->chain.authorizer;
    a->box = a->rpc->box;
    *state = a;
    return 0;
}

static int tear_down(void **state)
{
    struct asked *a = *state;

    rpc_free(a->rpc);
    chain_done(&a->chain);
    buf_done(&a->reply.body);
    free(a);
    return 0;
}

static void follow(struct asked *a)
{
    struct call *run = &a->rpc->run;

    *run = (struct call){.id = a->rpc->call.id,
                         .hash = a->rpc->call.hash,
                         .root = a->rpc->call.root};
    memcpy(run->key, a->rpc->call.key, sizeof(run->key));
    texts_add(&run->targets, "web-1");
}

static void arrive(struct asked *a)
{
    struct record record = {0};
    struct envelope envelope = {0};
    struct sealed_reply sealed = {0};
    struct buf json = {0};
    struct err err = {0};

    assert_int_equal(
        event_sign(EVENT_REPLY, &a->reply, a->signer, NULL, &envelope, &err),
        0);
    assert_int_equal(envelope_encode(&envelope, &json, &err), 0);
    assert_int_equal(box_seal(&a->box->box, json.data, json.len, &sealed.box),
                     0);
    assert_int_equal(
        table_encode(&sealed_reply_table, &sealed, &record.value, &err), 0);
    (void)buf_adds(&record.key, a->rpc->call.key);
    rpc_take_record(a->rpc, &record);
    record_done(&record);
    envelope_done(&envelope);
    table_done(&sealed_reply_table, &sealed);
    buf_done(&json);
}

static bool answered(const struct asked *a)
{
    return a->rpc->call.whole;
}

/* Also one who was believed in this very process before. */
static void who_was_revoked_meanwhile_is_believed_no_more(void **state)
{
    struct asked *a = *state;
    struct service_revoke said = {.service = a->chain.enrol_hash};
    struct standing *standing = standing_new(&a->chain.init_hash);
    struct err err = {0};

    (void)buf_adds(&a->reply.body, "{}");
    arrive(a);
    assert_true(answered(a));
    a->rpc->call.whole = false;
    a->rpc->call.part = 0;
    _cleanup_event_ struct event *entry =
        chain_entry(&a->chain, standing, EVENT_SERVICE_REVOKE, &said);
    assert_int_equal(standing_add(standing, entry, &err), 0);
    rpc_set_standing(a->rpc, standing);
    arrive(a);
    assert_false(answered(a));
    standing_free(standing);
}

static void an_honest_reply_is_believed(void **state)
{
    struct asked *a = *state;

    (void)buf_adds(&a->reply.body, "{}");
    arrive(a);
    assert_true(answered(a));
    assert_string_equal(buf_text(&a->rpc->call.body), "{}");
}

static void one_for_another_process_is_not_opened(void **state)
{
    struct asked *a = *state;

    a->box = a->chain.runner;
    arrive(a);
    assert_false(answered(a));
}

static void one_to_another_request_is_passed_over(void **state)
{
    struct asked *a = *state;

    a->reply.request.b[0] ^= 1;
    arrive(a);
    assert_false(answered(a));
    a->reply.request.b[0] ^= 1;
    a->reply.to.b[0] ^= 1;
    arrive(a);
    assert_false(answered(a));
}

static void only_an_authorizer_answers(void **state)
{
    struct asked *a = *state;

    a->signer = a->chain.executor; /* in the authorizer's name */
    arrive(a);
    assert_false(answered(a));
    a->reply.head.by = a->chain.host_hash; /* and in its own */
    arrive(a);
    assert_false(answered(a));
}

static void a_chain_to_another_root_is_worth_nothing(void **state)
{
    struct asked *a = *state;

    list_at(&a->rpc->roots.keys, struct key32, 0).b[0] ^= 1;
    arrive(a);
    assert_false(answered(a));
}

static void without_a_chain_nobody_is_known(void **state)
{
    struct asked *a = *state;

    a->reply.proof = (struct list){0};
    arrive(a);
    assert_false(answered(a));
}

static void an_enrolment_that_has_ended_counts_no_more(void **state)
{
    struct asked *a = *state;
    struct service_enrol enrol = a->chain.enrol;
    struct envelope ended = {0};
    struct err err = {0};
    struct envelopes proof = {0};

    enrol.until = clock_now() - 1;
    assert_int_equal(event_sign(EVENT_SERVICE_ENROL, &enrol, a->chain.root,
                                NULL, &ended, &err),
                     0);
    envelopes_add(&proof.list, &ended);
    a->reply.head.by = envelope_hash(&ended);
    a->reply.proof = proof.list;
    arrive(a);
    assert_false(answered(a));
    envelopes_done(&proof.list);
    envelope_done(&ended);
}

static void what_was_seen_is_not_taken_back(void **state)
{
    struct asked *a = *state;
    struct hash other = {{1}};

    rpc_set_seen(a->rpc, 1, &a->chain.init_hash);
    arrive(a); /* a lower seq */
    assert_false(answered(a));
    rpc_set_seen(a->rpc, 0, &other);
    arrive(a); /* another head at the same */
    assert_false(answered(a));
    a->reply.seq = 1;
    arrive(a);
    assert_true(answered(a));
}

static void parts_are_joined_in_order(void **state)
{
    struct asked *a = *state;
    static const char *const texts[] = {"{\"a\"", ":", "1}"};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_false(answered(a));
        a->reply.part = (int64_t)i;
        a->reply.last = i + 1 == ARRAY_SIZE(texts);
        a->reply.body.len = 0;
        (void)buf_adds(&a->reply.body, texts[i]);
        arrive(a);
        a->reply.proof = (struct list){0};
    }
    assert_true(answered(a));
    assert_string_equal(buf_text(&a->rpc->call.body), "{\"a\":1}");
}

static void parts_of_two_answers_are_not_mixed(void **state)
{
    struct asked *a = *state;

    a->reply.last = false;
    (void)buf_adds(&a->reply.body, "first");
    arrive(a);
    a->reply.part = 1;
    a->reply.last = true;
    a->reply.head.issued++; /* of an answer that was made later */
    arrive(a);
    assert_false(answered(a));
}

static void garbage_is_passed_over(void **state)
{
    struct asked *a = *state;
    static const char *const values[] = {"", "{}", "{\"box\":\"AAAA\"}", "x"};

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        struct record record = {0};
        (void)buf_adds(&record.key, a->rpc->call.key);
        (void)buf_adds(&record.value, values[i]);
        rpc_take_record(a->rpc, &record);
        record_done(&record);
    }
    assert_false(answered(a));
    arrive(a);
    assert_true(answered(a));
}

/* Following an invitation */

static void learn(struct asked *a)
{
    roots_done(&a->rpc->roots);
    a->rpc->call.root = (struct hash){0};
    struct id half = id_of_hash(&a->chain.root_hash);
    rpc_learn_root(a->rpc, &half);
    a->reply.root_key = a->chain.root->key;
}

static void a_root_of_the_codes_half_is_learnt(void **state)
{
    struct asked *a = *state;

    learn(a);
    assert_null(rpc_root(a->rpc));
    arrive(a);
    assert_true(answered(a));
    assert_memory_equal(rpc_root(a->rpc), &a->chain.root->key, 32);
}

static void a_root_that_is_not_the_codes_is_not_learnt(void **state)
{
    struct asked *a = *state;

    learn(a);
    a->rpc->half.b[15] ^= 1;
    arrive(a);
    assert_false(answered(a));
    assert_null(rpc_root(a->rpc));
}

static void a_root_whose_chain_fails_is_not_learnt(void **state)
{
    struct asked *a = *state;

    learn(a);
    a->signer = a->chain.executor;
    arrive(a);
    assert_null(rpc_root(a->rpc));
    a->signer = a->chain.authorizer;
    a->reply.proof = (struct list){0};
    arrive(a);
    assert_null(rpc_root(a->rpc));
}

/* Following a run */

static void tell(struct asked *a, int64_t number, const struct key_pair *signer)
{
    struct execution_started started = {
        .result = {.head = head_new(&a->chain.root_hash, &a->chain.host_hash,
                                    clock_now()),
                   .execution = execution_id(&a->chain.run.request.head.id,
                                             &a->chain.run_hash, "web-1", 1),
                   .number = number}};
    struct envelope envelope = {0};
    struct err err = {0};

    assert_int_equal(
        event_sign(EVENT_STARTED, &started, signer, NULL, &envelope, &err), 0);
    a->reply.status = REPLY_RESULT;
    a->reply.head.by = a->chain.host_hash;
    a->reply.body.len = 0;
    assert_int_equal(envelope_encode(&envelope, &a->reply.body, &err), 0);
    envelope_done(&envelope);
    a->signer = a->chain.executor;
    arrive(a);
}

static void results_of_the_targets_executor_are_handed_on_once(void **state)
{
    struct asked *a = *state;

    follow(a);
    tell(a, 0, a->chain.executor);
    tell(a, 0, a->chain.executor);
    assert_int_equal(a->rpc->results.n, 1);
    tell(a, 1, a->chain.executor);
    assert_int_equal(a->rpc->results.n, 2);
    assert_false(answered(a)); /* an executor accepts nothing */
}

static void results_that_another_signed_are_passed_over(void **state)
{
    struct asked *a = *state;

    follow(a);
    tell(a, 0, a->chain.runner);
    assert_int_equal(a->rpc->results.n, 0);
}

static void results_of_another_target_are_passed_over(void **state)
{
    struct asked *a = *state;

    follow(a);
    texts_done(&a->rpc->run.targets);
    texts_add(&a->rpc->run.targets, "web-2");
    tell(a, 0, a->chain.executor);
    assert_int_equal(a->rpc->results.n, 0);
}

static void results_of_a_run_that_is_not_followed_are_passed_over(void **state)
{
    struct asked *a = *state;

    tell(a, 0, a->chain.executor);
    assert_int_equal(a->rpc->results.n, 0);
}

static struct checkpoint told[2]; /* by the last call */
static int times_told;

static void on_strange(const struct checkpoint *seen,
                       const struct checkpoint *now)
{
    told[0] = *seen;
    told[1] = *now;
    times_told++;
}

/* The next request's reply, with this end of partition 3. */
static void answer_with(struct asked *a, int64_t rows, const struct hash *head)
{
    a->rpc->call.whole = false;
    a->reply.audit =
        (struct checkpoint){.partition = 3, .rows = rows, .head = *head};
    arrive(a);
    assert_true(answered(a));
}

static void
an_end_that_goes_back_or_forks_is_told_and_refuses_nothing(void **state)
{
    struct asked *a = *state;
    const struct hash *one = &a->chain.init_hash;
    const struct hash *other = &a->chain.run_hash;

    times_told = 0;
    rpc_on_strange(a->rpc, on_strange);
    answer_with(a, 5, one);
    answer_with(a, 5, one);
    answer_with(a, 0, one); /* an answer that names none */
    assert_int_equal(times_told, 0);
    answer_with(a, 4, one);
    assert_int_equal(times_told, 1);
    answer_with(a, 5, other);
    assert_int_equal(times_told, 2);
    assert_int_equal(told[0].rows, 5);
    assert_true(hash_equal(&told[0].head, one));
    assert_true(hash_equal(&told[1].head, other));
    answer_with(a, 9, other);
    assert_int_equal(times_told, 2);
    assert_int_equal(checkpoints_find(rpc_checkpoints(a->rpc), 3)->rows, 9);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_honest_reply_is_believed),
        CASE(who_was_revoked_meanwhile_is_believed_no_more),
        CASE(one_for_another_process_is_not_opened),
        CASE(one_to_another_request_is_passed_over),
        CASE(only_an_authorizer_answers),
        CASE(a_chain_to_another_root_is_worth_nothing),
        CASE(without_a_chain_nobody_is_known),
        CASE(an_enrolment_that_has_ended_counts_no_more),
        CASE(what_was_seen_is_not_taken_back),
        CASE(parts_are_joined_in_order),
        CASE(parts_of_two_answers_are_not_mixed),
        CASE(garbage_is_passed_over),
        CASE(a_root_of_the_codes_half_is_learnt),
        CASE(a_root_that_is_not_the_codes_is_not_learnt),
        CASE(a_root_whose_chain_fails_is_not_learnt),
        CASE(results_of_the_targets_executor_are_handed_on_once),
        CASE(results_that_another_signed_are_passed_over),
        CASE(results_of_another_target_are_passed_over),
        CASE(results_of_a_run_that_is_not_followed_are_passed_over),
        CASE(an_end_that_goes_back_or_forks_is_told_and_refuses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

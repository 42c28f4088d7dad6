/*
 * test_vectors.c: our wire format against PyNaCl's: what tests/vectors/make.py
 * wrote is read, checked, hashed and signed here as it was there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/codec.h"
#include "tests/unit/columns.h"
#include "tests/unit/vector.h"
#include "trust/proof.h"

static bool seen[EVENT_KINDS];

static struct event *read_event(const struct vector *vector)
{
    _cleanup_record_ struct record record = vector_record(vector);
    struct err err = {0};
    struct event *event = event_from_record(&record, &err);

    if (event == NULL) {
        vector_fail(vector, "%s", err.text);
    }
    return event;
}

static void check_verdict(const struct vector *vector)
{
    struct err err = {0};
    enum verdict verdict = vector_judge(vector, &err);

    if ((int)verdict != vector->verdict) {
        vector_fail(vector, "%s: %s", word_text(&verdict_words, (int)verdict),
                    err.text);
    }
    if (verdict == VERDICT_REFUSED && err.kind != ERR_REJECT) {
        vector_fail(vector, "not REJECT");
    }
    if (vector->reason != NULL && strstr(err.text, vector->reason) == NULL) {
        vector_fail(vector, "refused with \"%s\", not \"%s\"", err.text,
                    vector->reason);
    }
}

static void every_good_record_is_taken(void **state)
{
    (void)state;
    assert_true(vectors_each("tests/vectors/good", check_verdict) > 50);
}

static void every_bad_record_is_refused_for_its_reason(void **state)
{
    (void)state;
    assert_true(vectors_each("tests/vectors/bad", check_verdict) > 300);
}

static void check_hash(const struct vector *vector)
{
    _cleanup_buf_ struct buf pae = {0};

    if (vector->headers.n == 0) {
        return;
    }
    _cleanup_event_ struct event *event = read_event(vector);
    seen[event->kind] = true;
    assert_int_equal(vector->keys.n, event_types[event->kind].signers);
    assert_string_equal(event_types[event->kind].type, vector->type);
    assert_int_equal(dsse_encode(vector->type, &event->envelope.payload, &pae),
                     0);
    if (!buf_equal(&pae, &vector->pae)) {
        vector_fail(vector, "another pre-authentication encoding");
    }
    if (!hash_equal(&event->hash, &vector->hash)) {
        vector_fail(vector, "another hash");
    }
}

static void what_is_signed_is_dsses_encoding_for_every_type(void **state)
{
    (void)state;
    (void)vectors_each("tests/vectors/good", check_hash);
    for (size_t i = 0; i < EVENT_KINDS; i++) {
        if (!seen[i]) {
            fail_msg("no vector of %s", event_types[i].type);
        }
    }
}

static void check_at_rest(const struct vector *vector)
{
    struct envelope envelope;
    _cleanup_buf_ struct buf again = {0};
    struct err err = {0};

    if (envelope_decode(vector->envelope, strlen(vector->envelope), &envelope,
                        &err) != 0) {
        vector_fail(vector, "%s", err.text);
    }
    assert_int_equal(envelope_encode(&envelope, &again, &err), 0);
    assert_string_equal(buf_text(&again), vector->envelope);
    _cleanup_event_ struct event *event = event_new_take(&envelope, &err);
    if (event == NULL || !hash_equal(&event->hash, &vector->hash) ||
        !vector_signed(vector, event)) {
        vector_fail(vector, "another envelope: %s", err.text);
    }
}

static void envelopes_at_rest_are_those_of_the_records(void **state)
{
    (void)state;
    (void)vectors_each("tests/vectors/good", check_at_rest);
}

/* The i-th signer's keys, from the seeds. */
static struct key_pair *signer_of(const struct vector *vector, size_t i)
{
    const unsigned char(*seeds)[64] = vector->seeds.items;
    struct key_pair *keys = key_pair_from_seeds(seeds[i]);

    assert_memory_equal(&keys->key, &list_at(&vector->keys, struct key32, i),
                        sizeof(keys->key));
    return keys;
}

static void check_signing(const struct vector *vector)
{
    struct envelope ours = {.type = vector->type};
    struct err err = {0};

    if (vector->seeds.n == 0) {
        return;
    }
    _cleanup_event_ struct event *event = read_event(vector);
    const struct list *theirs = &event->envelope.signatures;
    ours.payload = event->envelope.payload; /* lent, as the type is */
    for (size_t i = 0; i < vector->seeds.n; i++) {
        _cleanup_key_pair_ struct key_pair *keys = signer_of(vector, i);
        assert_int_equal(envelope_sign(&ours, keys, &err), 0);
    }
    assert_int_equal(ours.signatures.n, theirs->n);
    if (memcmp(ours.signatures.items, theirs->items,
               theirs->n * sizeof(struct signature)) != 0) {
        vector_fail(vector, "another signature");
    }
    free(ours.signatures.items);
}

static void we_sign_the_same_bytes_with_the_same_keys(void **state)
{
    (void)state;
    (void)vectors_each("tests/vectors/good", check_signing);
}

static void check_headers(const struct vector *vector)
{
    _cleanup_record_ struct record record = {0};
    struct err err = {0};

    if (vector->headers.n == 0) {
        return;
    }
    _cleanup_event_ struct event *event = read_event(vector);
    const char *key = event_types[event->kind].verb == NULL ||
                              event->kind == EVENT_SERVICE_ENROL
                          ? vector->record_key
                          : NULL;
    assert_int_equal(event_to_record(&event->envelope, "vectors", "t", 0, key,
                                     &record, &err),
                     0);
    assert_string_equal(buf_text(&record.key), vector->record_key);
    assert_int_equal(record.headers.n, vector->headers.n);
    for (size_t i = 0; i < record.headers.n; i++) {
        const struct header *ours = &list_at(&record.headers, struct header, i);
        const struct header *theirs =
            &list_at(&vector->headers, struct header, i);
        assert_string_equal(ours->name, theirs->name);
        assert_string_equal(ours->value, theirs->value);
    }
}

static void records_that_we_make_have_the_same_headers(void **state)
{
    (void)state;
    (void)vectors_each("tests/vectors/good", check_headers);
}

static struct roots roots;
static struct event *dispatch;

static void take_dispatch(const struct vector *vector)
{
    if (strcmp(vector->type, "errand.dispatch.v1") == 0 && dispatch == NULL) {
        dispatch = read_event(vector);
    } else if (strcmp(vector->type, "errand.root.init.v1") == 0) {
        *(struct key32 *)list_grow(&roots.keys, sizeof(struct key32)) =
            list_at(&vector->keys, struct key32, 0);
    }
}

static void the_dispatch_is_allowed_by_its_own_proof(void **state)
{
    _cleanup_proof_ struct proof *proof = proof_new(&roots, NULL, NULL);
    struct order order;
    struct err err = {0};

    (void)state;
    (void)vectors_each("tests/vectors/good", take_dispatch);
    const struct dispatch *said = dispatch->payload;
    if (proof_dispatch(proof, dispatch, "web-1", said->head.issued, &order,
                       &err) != 0) {
        fail_msg("%s", err.text);
    }
    assert_string_equal(order.asker.email, "runner@example.org");
    assert_string_equal(order.command->name, "disk-report");
    event_free(dispatch);
    roots_done(&roots);
}

static void an_invitations_code_is_its_key_and_half_of_the_root(void **state)
{
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/vectors/derived.txt");
    for (; columns_next_of(&row, "invitation"); n++) {
        unsigned char both[32];
        unsigned char bytes[32];
        struct err err = {0};
        assert_int_equal(unhex(row.cells[2], both, 16), 16);
        assert_int_equal(unhex(row.cells[3], both + 16, 16), 16);
        _cleanup_free_ char *code = code_encode(both, sizeof(both));
        assert_string_equal(code, row.cells[1]);
        assert_int_equal(code_decode(code, bytes, sizeof(bytes), &err), 0);
        _cleanup_key_pair_ struct key_pair *keys =
            key_pair_from_invitation(bytes);
        assert_int_equal(unhex(row.cells[4], bytes, sizeof(bytes)), 32);
        assert_memory_equal(keys->key.b, bytes, 32);
        assert_int_equal(unhex(row.cells[5], bytes, sizeof(bytes)), 32);
        assert_memory_equal(keys->box.b, bytes, 32);
    }
    assert_int_equal(n, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_good_record_is_taken),
        cmocka_unit_test(every_bad_record_is_refused_for_its_reason),
        cmocka_unit_test(what_is_signed_is_dsses_encoding_for_every_type),
        cmocka_unit_test(envelopes_at_rest_are_those_of_the_records),
        cmocka_unit_test(we_sign_the_same_bytes_with_the_same_keys),
        cmocka_unit_test(records_that_we_make_have_the_same_headers),
        cmocka_unit_test(the_dispatch_is_allowed_by_its_own_proof),
        cmocka_unit_test(an_invitations_code_is_its_key_and_half_of_the_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

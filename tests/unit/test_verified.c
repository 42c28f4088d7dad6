/*
 * test_verified.c: what is remembered of an envelope is that envelope's alone,
 * with the very signatures that it came with, and one at a time has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chain.h"

#define TOO_LARGE (40U << 10)

struct remembering {
    struct chain chain;
    struct verified *verified;
    struct envelope *envelope; /* the chain's command.save */
    struct hash hash;
};

static struct event *decode(const struct envelope *envelope)
{
    struct envelope copy = envelope_dup(envelope);
    struct err err = {0};
    struct event *event = event_new_take(&copy, &err);

    assert_non_null(event);
    return event;
}

/* With a script of so many bytes, beside its first line. */
static void begin(struct remembering *r, size_t bytes)
{
    chain_init(&r->chain);
    for (size_t n = 0; n < bytes; n++) {
        (void)buf_adds(&r->chain.save.script, "#");
    }
    chain_sign(&r->chain);
    r->verified = verified_new();
    r->envelope = chain_find(&r->chain.envelopes, EVENT_COMMAND_SAVE);
    r->hash = envelope_hash(r->envelope);
}

static void end(struct remembering *r)
{
    verified_free(r->verified);
    chain_done(&r->chain);
}

static struct event *take(const struct remembering *r)
{
    return verified_event_take(r->verified, r->envelope, &r->hash);
}

static void what_was_kept_is_taken_once(void **state)
{
    struct remembering r;

    (void)state;
    begin(&r, 0);
    assert_null(take(&r));
    struct event *event = decode(r.envelope);
    verified_keep_take(r.verified, event);
    assert_ptr_equal(take(&r), event);
    assert_null(take(&r)); /* it is ours */
    verified_keep_take(r.verified, event);
    verified_keep_take(r.verified, decode(r.envelope)); /* instead of it */
    end(&r);
}

static void another_signature_is_another_envelope(void **state)
{
    struct remembering r;

    (void)state;
    begin(&r, 0);
    verified_keep_take(r.verified, decode(r.envelope));
    struct signature *signature =
        &list_at(&r.envelope->signatures, struct signature, 0);
    unsigned char *const bytes[] = {&signature->b[63], &signature->key.b[0]};
    for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
        *bytes[i] ^= 1;
        assert_null(take(&r));
        *bytes[i] ^= 1;
    }
    r.envelope->signatures.n--;
    assert_null(take(&r));
    r.envelope->signatures.n++;
    _cleanup_event_ struct event *event = take(&r);
    assert_non_null(event);
    end(&r);
}

static void a_large_one_is_not_kept(void **state)
{
    struct remembering r;

    (void)state;
    begin(&r, TOO_LARGE);
    verified_keep_take(r.verified, decode(r.envelope));
    assert_null(take(&r));
    end(&r);
}

static void nothing_is_kept_where_nothing_is_remembered(void **state)
{
    struct remembering r;

    (void)state;
    begin(&r, 0);
    verified_keep_take(NULL, decode(r.envelope)); /* or it would leak */
    verified_keep_take(r.verified, NULL);
    assert_null(verified_event_take(NULL, r.envelope, &r.hash));
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_taken_once),
        cmocka_unit_test(another_signature_is_another_envelope),
        cmocka_unit_test(a_large_one_is_not_kept),
        cmocka_unit_test(nothing_is_kept_where_nothing_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

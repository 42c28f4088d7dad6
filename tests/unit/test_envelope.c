/* test_envelope.c: signed payloads at rest, as DSSE has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/envelope.h"

/* protocol.md of DSSE: payloadType, payload, signatures with keyid and sig. */
#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SIG64                                                                  \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
    "AA"                                                                       \
    "AAAAAAAAAAAA=="
#define SIGNATURE "{\"keyid\":\"" KEY "\",\"sig\":\"" SIG64 "\"}"

static const char json[] =
    "{\"payloadType\":\"errand.x.v1\",\"payload\":\"e30=\","
    "\"signatures\":[" SIGNATURE "]}";

static void an_envelope_is_read_and_written_alike(void **state)
{
    _cleanup_envelope_ struct envelope envelope = {0};
    _cleanup_buf_ struct buf again = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(strlen(SIG64), 88);
    assert_int_equal(envelope_decode(json, strlen(json), &envelope, &err), 0);
    assert_string_equal(envelope.type, "errand.x.v1");
    assert_string_equal(buf_text(&envelope.payload), "{}");
    assert_int_equal(envelope.signatures.n, 1);
    assert_int_equal(
        list_at(&envelope.signatures, struct signature, 0).key.b[1], 0x11);
    assert_int_equal(envelope_encode(&envelope, &again, &err), 0);
    assert_string_equal(buf_text(&again), json);
}

static void other_shapes_are_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "[" SIGNATURE "]",
        "{\"payloadType\":\"t\",\"payload\":\"e30=\"}",
        "{\"payloadType\":\"t\",\"payload\":\"e30\",\"signatures\":[]}",
        "{\"payloadType\":\"t\",\"payload\":\"e30=\",\"signatures\":[],\"x\":"
        "1}",
        "{\"payloadType\":\"t\",\"payload\":\"e30=\",\"signatures\":[{}]}",
        "{\"payloadType\":\"t\",\"payload\":\"e30=\",\"signatures\":[" SIGNATURE
        "," SIGNATURE "," SIGNATURE "]}",
        "{\"payloadType\":\"t\",\"payload\":\"e30=\",\"signatures\":[{"
        "\"keyid\":"
        "\"" KEY "\",\"sig\":\"AAAA\"}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct envelope envelope;
        struct err err = {0};
        if (envelope_decode(bad[i], strlen(bad[i]), &envelope, &err) == 0) {
            fail_msg("taken: %s", bad[i]);
        }
        assert_null(envelope.type);
        assert_int_equal(err.kind, ERR_REJECT);
    }
}

static void copies_share_nothing_with_what_they_are_of(void **state)
{
    struct envelope envelope;
    struct list all = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(envelope_decode(json, strlen(json), &envelope, &err), 0);
    envelopes_add(&all, &envelope);
    envelopes_add(&all, &envelope);
    envelope_done(&envelope);
    assert_null(envelope.payload.data);
    assert_int_equal(all.n, 2);
    for (size_t i = 0; i < all.n; i++) {
        _cleanup_buf_ struct buf again = {0};
        assert_int_equal(
            envelope_encode(&list_at(&all, struct envelope, i), &again, &err),
            0);
        assert_string_equal(buf_text(&again), json);
    }
    envelopes_done(&all);
    assert_int_equal(all.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_envelope_is_read_and_written_alike),
        cmocka_unit_test(other_shapes_are_refused),
        cmocka_unit_test(copies_share_nothing_with_what_they_are_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_sealed.c: boxes that say inside what they are for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/sealed.h"

static struct sealed content(void)
{
    struct sealed content = {.purpose = (char *)"totp secret",
                             .name = (char *)"ann@example.org"};

    memset(content.root.b, 1, sizeof(content.root.b));
    memset(content.signer.b, 2, sizeof(content.signer.b));
    memset(content.request.b, 3, sizeof(content.request.b));
    content.value.data = (unsigned char *)"secret";
    content.value.len = 6;
    return content;
}

static void a_value_comes_out_as_it_went_in(void **state)
{
    _cleanup_key_pair_ struct key_pair *pair = key_pair_new();
    _cleanup_buf_ struct buf box = {0};
    _cleanup_sealed_ struct buf value = {0};
    struct sealed in = content();
    struct err err = {0};

    (void)state;
    assert_int_equal(sealed_make(&in, &pair->box, &box, &err), 0);
    assert_null(memmem(box.data, box.len, "secret", 6));
    assert_int_equal(sealed_open(pair, &box, &in, &value, &err), 0);
    assert_int_equal(value.len, 6);
    assert_memory_equal(value.data, "secret", 6);
}

/* Each member in turn: what differs is named, and nothing comes out. */
static void a_box_for_something_else_is_refused(void **state)
{
    _cleanup_key_pair_ struct key_pair *pair = key_pair_new();
    _cleanup_buf_ struct buf box = {0};
    struct sealed in = content();
    struct sealed others[5];
    static const char *const members[] = {"root", "purpose", "signer",
                                          "request", "name"};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        others[i] = content();
    }
    others[0].root.b[31] = 9;
    others[1].purpose = (char *)"totp code";
    others[2].signer.b[0] = 9;
    others[3].request.b[15] = 9;
    others[4].name = (char *)"bob@example.org";
    assert_int_equal(sealed_make(&in, &pair->box, &box, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        struct buf value = {0};
        assert_int_equal(sealed_open(pair, &box, &others[i], &value, &err), -1);
        assert_int_equal(err.kind, ERR_REJECT);
        assert_non_null(strstr(err.text, members[i]));
        assert_null(value.data);
    }
}

static void a_box_of_another_key_is_refused(void **state)
{
    _cleanup_key_pair_ struct key_pair *pair = key_pair_new();
    _cleanup_key_pair_ struct key_pair *other = key_pair_new();
    _cleanup_buf_ struct buf box = {0};
    struct sealed in = content();
    struct buf value = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(sealed_make(&in, &pair->box, &box, &err), 0);
    assert_int_equal(sealed_open(other, &box, &in, &value, &err), -1);
    box.data[box.len - 1] ^= 1;
    assert_int_equal(sealed_open(pair, &box, &in, &value, &err), -1);
    box.len = 3;
    assert_int_equal(sealed_open(pair, &box, &in, &value, &err), -1);
    assert_null(value.data);
}

/* A box that somebody sealed to us under another recipient's name. */
static void the_recipient_inside_counts(void **state)
{
    _cleanup_key_pair_ struct key_pair *pair = key_pair_new();
    _cleanup_key_pair_ struct key_pair *other = key_pair_new();
    _cleanup_buf_ struct buf box = {0};
    _cleanup_buf_ struct buf json = {0};
    _cleanup_buf_ struct buf again = {0};
    struct sealed in = content();
    struct buf value = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(sealed_make(&in, &other->box, &box, &err), 0);
    assert_int_equal(box_open(other, box.data, box.len, &json, &err), 0);
    assert_int_equal(box_seal(&pair->box, json.data, json.len, &again), 0);
    assert_int_equal(sealed_open(pair, &again, &in, &value, &err), -1);
    assert_non_null(strstr(err.text, "recipient"));
}

static void a_value_that_is_too_large_is_refused(void **state)
{
    static unsigned char large[SEALED_VALUE_MAX + 1];
    _cleanup_key_pair_ struct key_pair *pair = key_pair_new();
    struct buf box = {0};
    struct sealed in = content();
    struct err err = {0};

    (void)state;
    in.value = (struct buf){.data = large, .len = sizeof(large)};
    assert_int_equal(sealed_make(&in, &pair->box, &box, &err), -1);
    assert_null(box.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_comes_out_as_it_went_in),
        cmocka_unit_test(a_box_for_something_else_is_refused),
        cmocka_unit_test(a_box_of_another_key_is_refused),
        cmocka_unit_test(the_recipient_inside_counts),
        cmocka_unit_test(a_value_that_is_too_large_is_refused),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

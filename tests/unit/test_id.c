/* test_id.c: identifiers and hashes; tuples by tests/vectors/derive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/id.h"
#include "tests/unit/columns.h"

static void a_new_one_holds_its_moment_and_is_version_7(void **state)
{
    struct id id = id_new(1795485408123);
    struct id other = id_new(1795485408123);

    (void)state;
    assert_int_equal(id_time(&id), 1795485408123);
    assert_int_equal(id_version(&id), 7);
    assert_int_equal(id.b[8] >> 6, 2);
    assert_false(id_equal(&id, &other));
    assert_true(id_equal(&id, &id));
}

static void an_id_is_written_as_a_uuid(void **state)
{
    static const char text[] = "01a20bef-00ff-7abc-8def-0123456789ab";
    char again[ID_TEXT];
    struct id id;

    (void)state;
    assert_int_equal(id_parse(text, &id), 0);
    assert_int_equal(id.b[0], 0x01);
    assert_int_equal(id.b[15], 0xab);
    id_format(&id, again);
    assert_string_equal(again, text);
}

static void other_forms_of_an_id_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "01a20bef-00ff-7abc-8def-0123456789a",
                                      "01a20bef-00ff-7abc-8def-0123456789abc",
                                      "01A20BEF-00ff-7abc-8def-0123456789ab",
                                      "01a20bef00ff7abc8def0123456789ab",
                                      "01a20bef-00ff-7abc-8def_0123456789ab",
                                      "{1a20bef-00ff-7abc-8def-0123456789a}",
                                      "01a20be-f00ff-7abc-8def-0123456789ab",
                                      "01a20beg-00ff-7abc-8def-0123456789ab"};
    struct id id;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(id_parse(bad[i], &id), -1);
    }
}

static void a_hash_is_sha_256_in_hex(void **state)
{
    /* FIPS 180-2, appendix B.1 */
    static const char text[] = "ba7816bf8f01cfea414140de5dae2223"
                               "b00361a396177a9cb410ff61f20015ad";
    struct hash hash = hash_of("abc", 3);
    struct hash again;
    char written[HASH_TEXT];

    (void)state;
    hash_format(&hash, written);
    assert_string_equal(written, text);
    assert_int_equal(hash_parse(text, &again), 0);
    assert_true(hash_equal(&hash, &again));
    written[0] = 'B';
    assert_int_equal(hash_parse(written, &again), -1);
    written[63] = '\0';
    assert_int_equal(hash_parse(written, &again), -1);
}

static void tuples_are_hashed_part_by_part_as_in_the_vectors(void **state)
{
    static unsigned char bytes[COLUMNS_MAX][2000];
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/vectors/derived.txt");
    for (; columns_next_of(&row, "tuple"); n++) {
        struct part parts[COLUMNS_MAX];
        char text[HASH_TEXT];
        for (size_t i = 2; i < row.n; i++) {
            parts[i - 2] = (struct part){
                bytes[i], unhex(row.cells[i], bytes[i], sizeof(bytes[i]))};
        }
        struct hash hash = hash_tuple(parts, row.n - 2);
        hash_format(&hash, text);
        assert_string_equal(text, row.cells[1]);
    }
    assert_int_equal(n, 9);
}

static void zero_is_zero_and_an_id_is_a_hash_s_first_half(void **state)
{
    struct hash hash = hash_of("", 0);
    struct id id = id_of_hash(&hash);
    struct hash none = {{0}};
    struct id nobody = {{0}};

    (void)state;
    assert_memory_equal(id.b, hash.b, sizeof(id.b));
    assert_true(hash_is_zero(&none));
    assert_true(id_is_zero(&nobody));
    assert_false(hash_is_zero(&hash));
    assert_false(id_is_zero(&id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_holds_its_moment_and_is_version_7),
        cmocka_unit_test(an_id_is_written_as_a_uuid),
        cmocka_unit_test(other_forms_of_an_id_are_refused),
        cmocka_unit_test(a_hash_is_sha_256_in_hex),
        cmocka_unit_test(tuples_are_hashed_part_by_part_as_in_the_vectors),
        cmocka_unit_test(zero_is_zero_and_an_id_is_a_hash_s_first_half),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

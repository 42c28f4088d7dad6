/* test_spoken.c: words for bytes, by BIP 39's own vectors: their words without
 * the last, which holds a checksum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/spoken.h"

static void words_are_those_of_bip_39(void **state)
{
    static const struct {
        unsigned char byte;
        const char *words;
    } rows[] = {
        {0x00, "abandon abandon abandon abandon abandon abandon abandon "
               "abandon abandon abandon abandon"},
        {0x7f, "legal winner thank year wave sausage worth useful legal winner "
               "thank"},
        {0x80, "letter advice cage absurd amount doctor acoustic avoid letter "
               "advice cage"},
        {0xff, "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo"},
    };
    unsigned char bytes[16];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        memset(bytes, rows[i].byte, sizeof(bytes));
        _cleanup_free_ char *words = spoken_words(bytes, 11);
        assert_string_equal(words, rows[i].words);
    }
}

static void six_words_tell_keys_apart_that_differ_in_one_bit(void **state)
{
    unsigned char bytes[9] = {0};
    _cleanup_free_ char *before = spoken_words(bytes, 6);

    (void)state;
    for (size_t bit = 0; bit < 66; bit++) {
        bytes[bit / 8] ^= (unsigned char)(0x80 >> bit % 8);
        _cleanup_free_ char *after = spoken_words(bytes, 6);
        assert_string_not_equal(after, before);
        bytes[bit / 8] ^= (unsigned char)(0x80 >> bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_those_of_bip_39),
        cmocka_unit_test(six_words_tell_keys_apart_that_differ_in_one_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

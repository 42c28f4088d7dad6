/* test_codec.c: bytes as text. base64 by RFC 4648, section 10; codes by
 * tests/vectors/derive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "tests/unit/columns.h"

static void hex_is_lower_case_and_whole(void **state)
{
    static const char *const bad[] = {"",      "0",      "00f",  "00FF", "00fg",
                                      "00ff0", "00ff00", " 0ff", "0x00"};
    unsigned char bytes[2] = {7, 7};
    char text[5];

    (void)state;
    hex_encode("\x00\xff", 2, text);
    assert_string_equal(text, "00ff");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(hex_decode(bad[i], bytes, 2), -1);
    }
    assert_int_equal(bytes[0], 7);
    assert_int_equal(hex_decode("00ff", bytes, 2), 0);
    assert_memory_equal(bytes, "\x00\xff", 2);
}

static void base64_is_that_of_the_rfc(void **state)
{
    static const char *const texts[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xfb\xff\xbf", "+/+/"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_buf_ struct buf bytes = {0};
        size_t n = strlen(texts[i][0]);
        _cleanup_free_ char *text = base64_encode(texts[i][0], n);
        assert_string_equal(text, texts[i][1]);
        assert_int_equal(base64_decode(text, strlen(text), &bytes), 0);
        assert_int_equal(bytes.len, n);
        assert_string_equal(buf_text(&bytes), texts[i][0]);
    }
}

static void base64_in_any_other_form_is_refused(void **state)
{
    static const char *const bad[] = {
        "Zg",     "Zg=",      "Zg===", "Zh==",     "Zm9=",    "Zm9vZg",
        "Zm9v\n", "Zm 9v",    "-_-_",  "Zg==Zg==", "=Zg=",    "====",
        "Z===",   "Zm9v====", "Zm\n9", "Zm9\xaf",  "Zm9\xff", "\xc3\xbcm9"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        _cleanup_buf_ struct buf bytes = {0};
        assert_int_equal(buf_adds(&bytes, "there"), 0);
        if (base64_decode(bad[i], strlen(bad[i]), &bytes) == 0) {
            fail_msg("'%s' is taken", bad[i]);
        }
        assert_int_equal(bytes.len, 5);
    }
}

static void a_nul_within_base64_is_refused(void **state)
{
    _cleanup_buf_ struct buf bytes = {0};

    (void)state;
    assert_int_equal(base64_decode("Zm\0v", 4, &bytes), -1);
}

static void so_many_bytes_means_so_many(void **state)
{
    unsigned char bytes[3] = {0};

    (void)state;
    assert_int_equal(base64_decode_fixed("Zm9v", bytes, 3), 0);
    assert_memory_equal(bytes, "foo", 3);
    assert_int_equal(base64_decode_fixed("Zm8=", bytes, 3), -1);
    assert_int_equal(base64_decode_fixed("Zm9vYg==", bytes, 3), -1);
    assert_int_equal(base64_decode_fixed("", bytes, 3), -1);
}

static void codes_are_those_of_the_vectors_and_are_read_back(void **state)
{
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/vectors/derived.txt");
    for (; columns_next_of(&row, "code"); n++) {
        unsigned char bytes[128];
        unsigned char back[128];
        struct err err = {0};
        size_t len = unhex(row.cells[2], bytes, sizeof(bytes));
        _cleanup_free_ char *code = code_encode(bytes, len);
        assert_string_equal(code, row.cells[1]);
        assert_int_equal(code_decode(code, back, len, &err), 0);
        assert_memory_equal(back, bytes, len);
    }
    assert_int_equal(n, 10);
}

static void a_code_may_be_copied_carelessly(void **state)
{
    unsigned char bytes[5] = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(
        code_decode(" AUGBG GRBKS\tHRXIQ\n", bytes, sizeof(bytes), &err), 0);
    assert_memory_equal(bytes, "\x05\x0c\x13\x1a\x21", 5);
    assert_int_equal(code_decode("augbggrbkshrxiq", bytes, sizeof(bytes), &err),
                     0);
}

static void a_code_that_is_mistyped_or_cut_is_refused_by_name(void **state)
{
    static const char *const bad[][2] = {
        {"augbg-grbks-hrxia", "mistyped"},
        {"augbg-grbks-hrxir", "mistyped"},
        {"avgbg-grbks-hrxiq", "mistyped"},
        {"uagbg-grbks-hrxiq", "mistyped"},
        {"augbg-grbks-hrxi", "incomplete"},
        {"augbg-grbks-hrxiqa", "incomplete"},
        {"augbg-grbks-hrxiqaa", "incomplete"},
        {"augbg-grbks-hrxi1", "something else"},
        {"augbg-grbks-hrxi=", "something else"},
        {"", "incomplete"},
        {"aughg_grbks_hrxiq", "something else"},
        {"augb\xc3\xa9", "something else"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        unsigned char bytes[5] = {7};
        struct err err = {0};
        if (code_decode(bad[i][0], bytes, 5, &err) == 0 ||
            strstr(err.text, bad[i][1]) == NULL) {
            fail_msg("'%s': %s", bad[i][0], err.text);
        }
        assert_int_equal(bytes[0], 7);
    }
}

static void a_letter_too_many_is_another_text(void **state)
{
    unsigned char bytes[16];
    struct err err = {0};

    (void)state;
    /* 16 + 4 bytes are 32 letters exactly: an "a" more adds no bit that counts.
     */
    assert_int_equal(code_decode("calr4-jjmgm-5ecsc-pkzow-i23sp-gi7uv-fu",
                                 bytes, sizeof(bytes), &err),
                     0);
    assert_int_equal(code_decode("calr4-jjmgm-5ecsc-pkzow-i23sp-gi7uv-fua",
                                 bytes, sizeof(bytes), &err),
                     -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_lower_case_and_whole),
        cmocka_unit_test(base64_is_that_of_the_rfc),
        cmocka_unit_test(base64_in_any_other_form_is_refused),
        cmocka_unit_test(a_nul_within_base64_is_refused),
        cmocka_unit_test(so_many_bytes_means_so_many),
        cmocka_unit_test(codes_are_those_of_the_vectors_and_are_read_back),
        cmocka_unit_test(a_code_may_be_copied_carelessly),
        cmocka_unit_test(a_code_that_is_mistyped_or_cut_is_refused_by_name),
        cmocka_unit_test(a_letter_too_many_is_another_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

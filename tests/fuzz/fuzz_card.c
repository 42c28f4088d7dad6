/*
 * fuzz_card.c: any text as a card's number, expiry and name.
 *
 * What is refused carries a status and repeats no number; what is taken has its
 * form.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "model/card.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_number(char *text)
{
    struct err err = {0};
    enum brand brand = BRAND_NONE;

    if (card_digits(text, &err) != 0) {
        assert(err.status != 0);
        return;
    }
    size_t n = strlen(text);
    assert(strspn(text, "0123456789") == n);
    if (card_number_check(text, (int64_t)n, &brand, &err) == 0) {
        assert(n >= 12 && n <= CARD_DIGITS_MAX && brand == card_brand(text));
        assert(card_number_check(text, 0, &brand, &err) == 0 || n > 16);
    } else {
        assert(err.status != 0 && (n < 5 || strstr(err.text, text) == NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = must_calloc(size + 1, 1);
    char expiry[MONTH_TEXT];
    struct err err = {0};

    memcpy(text, data, size);
    if (card_expiry_read(text, "2026-11", expiry, &err) == 0) {
        assert(month_is_good(expiry) && strcmp(expiry, "2026-11") >= 0);
    }
    if (card_name_check(text, &err) == 0) {
        assert(strlen(text) <= CARD_NAME_MAX);
    }
    try_number(text);
    return 0;
}

/* test_card.c: payment cards against tests/tables/cards.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "columns.h"
#include "model/card.h"

#define TABLE_PATH "tests/tables/cards.txt"

/* The message has these words, and no four digits that came from a number. */
static void check_words(const struct columns *row, const char *said)
{
    const char *expected = row->cells[row->n - 1];

    if (strstr(said, expected) == NULL) {
        fail_msg("%s:%zu: '%s' instead of '%s'", row->path, row->line, said,
                 expected);
    }
}

static void check_number(const struct columns *row)
{
    char digits[200];
    enum brand brand = BRAND_NONE;
    struct err err = {0};
    long length = strtol(row->cells[2], NULL, 10);

    (void)snprintf(digits, sizeof(digits), "%s", row->cells[1]);
    if (card_digits(digits, &err) == 0 &&
        card_number_check(digits, length, &brand, &err) == 0) {
        check_words(row, word_text(&brand_words, (int)brand));
        return;
    }
    assert_int_equal(brand, BRAND_NONE);
    assert_true(err.status != 0);
    check_words(row, err.text);
    if (strlen(digits) > 4 && strstr(err.text, digits) != NULL) {
        fail_msg("%s:%zu: repeats the number", row->path, row->line);
    }
}

static void check_expiry(const struct columns *row)
{
    char expiry[MONTH_TEXT] = "";
    char now[MONTH_TEXT];
    struct err err = {0};

    (void)snprintf(now, sizeof(now), "%s", row->cells[2]);
    int done = card_expiry_read(row->cells[1], now, expiry, &err);
    check_words(row, done == 0 ? expiry : err.text);
    assert_true(done != 0 || month_is_good(expiry));
}

static void check_name(const struct columns *row)
{
    struct err err = {0};

    check_words(row,
                card_name_check(row->cells[1], &err) == 0 ? "ok" : err.text);
}

static void each(const char *word, void (*check)(const struct columns *row),
                 size_t at_least)
{
    struct columns rows;
    size_t n = 0;

    columns_open(&rows, TABLE_PATH);
    while (columns_next_of(&rows, word)) {
        check(&rows);
        n++;
    }
    assert_true(n >= at_least);
}

static void a_number_is_of_a_brand_or_it_is_said_why_not(void **state)
{
    (void)state;
    each("number", check_number, 50);
}

static void an_expiry_is_a_month_to_come(void **state)
{
    (void)state;
    each("expiry", check_expiry, 20);
}

static void a_name_is_letters_and_no_code(void **state)
{
    (void)state;
    each("name", check_name, 10);
}

/* Changing one digit, or two neighbours about, is always noticed (but 0 and 9
 * beside each other, which is Luhn's known weakness). */
static void a_slip_of_a_finger_is_noticed(void **state)
{
    static const char good[] = "4000056655665556";

    (void)state;
    for (size_t i = 1; i < sizeof(good) - 1; i++) {
        for (char c = '0'; c <= '9'; c++) {
            char other[] = "4000056655665556";
            enum brand brand;
            struct err err = {0};
            other[i] = c;
            assert_int_equal(card_number_check(other, 0, &brand, &err) == 0,
                             c == good[i]);
        }
    }
    for (size_t i = 1; i + 1 < sizeof(good) - 1; i++) {
        char other[] = "4000056655665556";
        enum brand brand;
        struct err err = {0};
        other[i] = good[i + 1];
        other[i + 1] = good[i];
        assert_int_equal(card_number_check(other, 0, &brand, &err) == 0,
                         good[i] == good[i + 1]);
    }
}

static void digits_stand_in_groups_as_on_the_card(void **state)
{
    (void)state;
    assert_int_equal(card_group(BRAND_VISA, 0), 4);
    assert_int_equal(card_group(BRAND_VISA, 4), 4);
    assert_int_equal(card_group(BRAND_VISA, 5), 0);
    assert_int_equal(card_group(BRAND_VISA, 16), 3);
    assert_int_equal(card_group(BRAND_AMEX, 4), 6);
    assert_int_equal(card_group(BRAND_AMEX, 10), 5);
    assert_int_equal(card_group(BRAND_NONE, 12), 4);
}

static void a_month_is_that_of_utc(void **state)
{
    char month[MONTH_TEXT];

    (void)state;
    month_of(1798761599999, month); /* 2026-12-31T23:59:59.999Z */
    assert_string_equal(month, "2026-12");
    month_of(1798761600000, month);
    assert_string_equal(month, "2027-01");
    assert_true(month_is_good("2027-01"));
    assert_false(month_is_good("2027-00"));
    assert_false(month_is_good("2027-13"));
    assert_false(month_is_good("2027-1"));
    assert_false(month_is_good("1999-12"));
    assert_false(month_is_good("2027/01"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_of_a_brand_or_it_is_said_why_not),
        cmocka_unit_test(an_expiry_is_a_month_to_come),
        cmocka_unit_test(a_name_is_letters_and_no_code),
        cmocka_unit_test(a_slip_of_a_finger_is_noticed),
        cmocka_unit_test(digits_stand_in_groups_as_on_the_card),
        cmocka_unit_test(a_month_is_that_of_utc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

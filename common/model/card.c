/* card.c: see card.h. */
#include "model/card.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/utf8.h"

#define YEARS_AHEAD 20
#define CODE_MIN 3
#define CODE_MAX 4
#define DIGITS_BEFORE_CODE 14 /* of the shortest number with a code */
#define DIGITS_IN_DOUBT 15    /* a good number that may be one with a code */

WORDS(brand_words, "visa", "mastercard", "amex", "discover", "diners", "jcb",
      "unionpay", "maestro", "mir");

#define LENGTH(n) (1U << (n))
#define LENGTHS(from, to) ((LENGTH((to) + 1)) - LENGTH(from))

static const struct brand_shape {
    const char *title;
    unsigned lengths; /* a bit for each */
    size_t groups[5]; /* as it is printed */
} shapes[] = {
    [BRAND_NONE] = {"card", 0, {4, 4, 4, 4, 3}},
    [BRAND_VISA] = {"Visa",
                    LENGTH(16) | LENGTH(18) | LENGTH(19),
                    {4, 4, 4, 4, 3}},
    [BRAND_MASTERCARD] = {"Mastercard", LENGTH(16), {4, 4, 4, 4}},
    [BRAND_AMEX] = {"American Express", LENGTH(15), {4, 6, 5}},
    [BRAND_DISCOVER] = {"Discover", LENGTH(16) | LENGTH(19), {4, 4, 4, 4, 3}},
    [BRAND_DINERS] = {"Diners Club",
                      LENGTH(14) | LENGTH(16) | LENGTH(19),
                      {4, 6, 4, 5}},
    [BRAND_JCB] = {"JCB", LENGTHS(16, 19), {4, 4, 4, 4, 3}},
    [BRAND_UNIONPAY] = {"UnionPay", LENGTHS(14, 19), {4, 4, 4, 4, 3}},
    [BRAND_MAESTRO] = {"Maestro", LENGTHS(12, 19), {4, 4, 4, 4, 3}},
    [BRAND_MIR] = {"Mir", LENGTHS(16, 19), {4, 4, 4, 4, 3}},
};

/* Numbers that begin with low … high; the longest that fits counts. */
static const struct range {
    const char *low;
    const char *high;
    enum brand brand;
} ranges[] = {
    {"4", "4", BRAND_VISA},
    {"51", "55", BRAND_MASTERCARD},
    {"2221", "2720", BRAND_MASTERCARD},
    {"34", "34", BRAND_AMEX},
    {"37", "37", BRAND_AMEX},
    {"6011", "6011", BRAND_DISCOVER},
    {"644", "649", BRAND_DISCOVER},
    {"65", "65", BRAND_DISCOVER},
    {"300", "305", BRAND_DINERS},
    {"36", "36", BRAND_DINERS},
    {"38", "39", BRAND_DINERS},
    {"1800", "1800", BRAND_JCB},
    {"2131", "2131", BRAND_JCB},
    {"3528", "3589", BRAND_JCB},
    {"620", "620", BRAND_UNIONPAY},
    {"62100", "62182", BRAND_UNIONPAY},
    {"62184", "62197", BRAND_UNIONPAY},
    {"62200", "62205", BRAND_UNIONPAY},
    {"622010", "622999", BRAND_UNIONPAY},
    {"623", "626", BRAND_UNIONPAY},
    {"6270", "6270", BRAND_UNIONPAY},
    {"6272", "6272", BRAND_UNIONPAY},
    {"6276", "6276", BRAND_UNIONPAY},
    {"627700", "627779", BRAND_UNIONPAY},
    {"627781", "627799", BRAND_UNIONPAY},
    {"6282", "6289", BRAND_UNIONPAY},
    {"6291", "6292", BRAND_UNIONPAY},
    {"810", "810", BRAND_UNIONPAY},
    {"8110", "8171", BRAND_UNIONPAY},
    {"493698", "493698", BRAND_MAESTRO},
    {"500000", "504174", BRAND_MAESTRO},
    {"504176", "506698", BRAND_MAESTRO},
    {"506779", "508999", BRAND_MAESTRO},
    {"56", "59", BRAND_MAESTRO},
    {"6", "6", BRAND_MAESTRO},
    {"2200", "2204", BRAND_MIR},
};

const char *brand_title(int brand)
{
    return brand < 0 || (size_t)brand >= ARRAY_SIZE(shapes)
               ? shapes[BRAND_NONE].title
               : shapes[brand].title;
}

static const struct field card_secret_fields[] = {
    {"number", FIELD_TEXT, .max = CARD_DIGITS_MAX,
     .at = offsetof(struct card_secret, number)},
    {"name", FIELD_TEXT, .max = CARD_NAME_MAX,
     .at = offsetof(struct card_secret, name)},
    {"expiry", FIELD_TEXT, .max = MONTH_TEXT - 1,
     .at = offsetof(struct card_secret, expiry)},
};

const struct table card_secret_table = {.name = "card",
                                        TABLE(card_secret_fields),
                                        .size = sizeof(struct card_secret)};

void card_secret_wipe(struct card_secret *secret)
{
    char *texts[] = {secret->number, secret->name, secret->expiry};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (texts[i] != NULL) {
            sodium_memzero(texts[i], strlen(texts[i]));
        }
    }
    table_done(&card_secret_table, secret);
}

enum brand card_brand(const char *digits)
{
    enum brand brand = BRAND_NONE;
    size_t longest = 0;

    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
        size_t len = strlen(ranges[i].low);
        if (len > longest && strlen(digits) >= len &&
            strncmp(digits, ranges[i].low, len) >= 0 &&
            strncmp(digits, ranges[i].high, len) <= 0) {
            brand = ranges[i].brand;
            longest = len;
        }
    }
    return brand;
}

size_t card_group(enum brand brand, size_t at)
{
    const size_t *groups = shapes[brand].groups;
    size_t start = 0;

    for (size_t i = 0; i < ARRAY_SIZE(shapes[brand].groups); i++) {
        if (start == at) {
            return groups[i];
        }
        start += groups[i];
    }
    return 0;
}

int card_digits(char *text, struct err *err)
{
    size_t n = 0;

    for (const char *c = text; *c != '\0'; c++) {
        if (isdigit((unsigned char)*c)) {
            text[n++] = *c;
        } else if (*c != ' ' && *c != '-') {
            return err_exit(err, EX_DATAERR,
                            "a card number is digits, with spaces or dashes "
                            "between them if you like");
        }
    }
    text[n] = '\0';
    return n <= CARD_DIGITS_MAX + CODE_MAX
               ? 0
               : err_exit(err, EX_DATAERR,
                          "a card number has at most %d digits: this has %zu",
                          CARD_DIGITS_MAX, n);
}

/* Luhn: every second digit from the right counts twice. */
static bool luhn(const char *digits, size_t n)
{
    int sum = 0;

    for (size_t i = 0; i < n; i++) {
        int digit = digits[n - 1 - i] - '0';
        if (i % 2 == 1) {
            digit = digit > 4 ? 2 * digit - 9 : 2 * digit;
        }
        sum += digit;
    }
    return sum % 10 == 0;
}

static bool length_is_good(enum brand brand, size_t n)
{
    return n <= CARD_DIGITS_MAX && (shapes[brand].lengths & LENGTH(n)) != 0;
}

static bool is_number(const char *digits, size_t n)
{
    return length_is_good(card_brand(digits), n) && luhn(digits, n);
}

/* A whole number of at least `min` digits, and a code behind it? */
static bool has_code(const char *digits, size_t min)
{
    size_t n = strlen(digits);

    for (size_t code = CODE_MIN; code <= CODE_MAX; code++) {
        if (n >= min + code && is_number(digits, n - code)) {
            return true;
        }
    }
    return false;
}

int card_no_code(int status, struct err *err)
{
    return err_exit(err, status,
                    "the security code (the 3 or 4 digits beside the number) "
                    "is never asked for here and never kept: nobody may store "
                    "it. Leave it out");
}

/* "16, 18 or 19" */
static char *lengths_text(enum brand brand)
{
    struct buf text = {0};
    unsigned left = shapes[brand].lengths;

    for (int n = 0; left != 0; n++) {
        unsigned bit = LENGTH(n);
        if ((left & bit) != 0) {
            left &= ~bit;
            (void)buf_addf(&text, "%s%d",
                           text.len == 0 ? ""
                           : left == 0   ? " or "
                                         : ", ",
                           n);
        }
    }
    return buf_take(&text);
}

static int bad_length(enum brand brand, size_t n, struct err *err)
{
    _cleanup_free_ char *lengths = lengths_text(brand);

    return err_exit(err, EX_DATAERR,
                    "a number of %s has %s digits: this has %zu",
                    brand_title(brand), lengths, n);
}

static int unknown_brand(struct err *err)
{
    struct buf known = {0};

    for (size_t i = 1; i < ARRAY_SIZE(shapes); i++) {
        (void)buf_addf(&known, "%s%s", i == 1 ? "" : ", ", shapes[i].title);
    }
    _cleanup_free_ char *titles = buf_take(&known);
    return err_exit(err, EX_DATAERR,
                    "not the number of a brand that is known here (%s)",
                    titles);
}

int card_number_check(const char *digits, int64_t length, enum brand *ret_brand,
                      struct err *err)
{
    enum brand brand = card_brand(digits);
    size_t n = strlen(digits);

    if (n == 0) {
        return err_exit(err, EX_DATAERR, "the card's number is missing");
    }
    if (!is_number(digits, n) && has_code(digits, DIGITS_BEFORE_CODE)) {
        return card_no_code(EX_DATAERR, err);
    }
    if (brand == BRAND_NONE) {
        return unknown_brand(err);
    }
    if (!length_is_good(brand, n)) {
        return bad_length(brand, n, err);
    }
    if (!luhn(digits, n)) {
        return err_exit(err, EX_DATAERR,
                        "mistyped: this can't be a card's number (its last "
                        "digit checks the others)");
    }
    if (length != (int64_t)n && has_code(digits, DIGITS_IN_DOUBT)) {
        (void)card_no_code(EX_DATAERR, err);
        (void)err_wrap(err,
                       "it may be that the security code stands behind the "
                       "number (if the card really has %zu digits, say "
                       "--digits %zu)",
                       n, n);
        return -1;
    }
    *ret_brand = brand;
    return 0;
}

/* Months */

void month_of(int64_t moment, char month[static MONTH_TEXT])
{
    char text[TIME_TEXT];

    time_format(moment, text);
    memcpy(month, text, MONTH_TEXT - 1);
    month[MONTH_TEXT - 1] = '\0';
}

static bool digits_at(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return false;
        }
    }
    return true;
}

static int number_at(const char *text, size_t n)
{
    int number = 0;

    for (size_t i = 0; i < n; i++) {
        number = 10 * number + text[i] - '0';
    }
    return number;
}

bool month_is_good(const char *text)
{
    return strlen(text) == MONTH_TEXT - 1 && digits_at(text, 4) &&
           text[4] == '-' && digits_at(text + 5, 2) && text[0] == '2' &&
           number_at(text + 5, 2) >= 1 && number_at(text + 5, 2) <= 12;
}

/* The forms in which an expiry may stand: M month, Y year. */
static const char *const expiry_forms[] = {
    "MM/YY", "MM-YY", "MMYY", "MM/YYYY", "MM-YYYY", "YYYY-MM",
};

static bool form_fits(const char *form, const char *text, int *ret_year,
                      int *ret_month)
{
    int year = 0;
    int month = 0;
    size_t digits_of_year = 0;

    if (strlen(form) != strlen(text)) {
        return false;
    }
    for (size_t i = 0; form[i] != '\0'; i++) {
        bool letter = form[i] == 'M' || form[i] == 'Y';
        if (letter ? !isdigit((unsigned char)text[i]) : text[i] != form[i]) {
            return false;
        }
        if (form[i] == 'M') {
            month = 10 * month + text[i] - '0';
        } else if (form[i] == 'Y') {
            year = 10 * year + text[i] - '0';
            digits_of_year++;
        }
    }
    *ret_year = digits_of_year == 2 ? 2000 + year : year;
    *ret_month = month;
    return true;
}

static int check_expiry(int year, int month, const char *now, struct err *err)
{
    int months =
        12 * (year - number_at(now, 4)) + month - number_at(now + 5, 2);

    if (month < 1 || month > 12) {
        return err_exit(err, EX_DATAERR,
                        "there is no such month: the card's expiry as it is "
                        "printed, such as 09/%02d",
                        (number_at(now, 4) + 2) % 100);
    }
    if (months < 0) {
        return err_exit(err, EX_DATAERR,
                        "this card expired at the end of %02d/%d", month, year);
    }
    return months <= 12 * YEARS_AHEAD
               ? 0
               : err_exit(err, EX_DATAERR,
                          "no card is good until %02d/%d: mistyped?", month,
                          year);
}

int card_expiry_read(const char *text, const char now[static MONTH_TEXT],
                     char ret_expiry[static MONTH_TEXT], struct err *err)
{
    int year;
    int month;

    for (size_t i = 0; i < ARRAY_SIZE(expiry_forms); i++) {
        if (form_fits(expiry_forms[i], text, &year, &month)) {
            if (check_expiry(year, month, now, err) != 0) {
                return -1;
            }
            (void)snprintf(ret_expiry, MONTH_TEXT, "%04u-%02u",
                           (unsigned)year % 10000, (unsigned)month % 100);
            return 0;
        }
    }
    return err_exit(err, EX_DATAERR,
                    "the expiry is month and year as on the card, such as "
                    "09/27");
}

/* Names */

int card_name_check(const char *name, struct err *err)
{
    size_t len = strlen(name);
    size_t digits = 0;
    size_t letters = 0;

    for (const char *c = name; *c != '\0'; c++) {
        digits += isdigit((unsigned char)*c) != 0;
        letters += isalpha((unsigned char)*c) || (unsigned char)*c >= 0x80;
    }
    if (letters == 0 && digits >= CODE_MIN && digits <= CODE_MAX) {
        return card_no_code(EX_DATAERR, err);
    }
    if (letters == 0 || digits > 6 || len > CARD_NAME_MAX ||
        !utf8_is_good(name, len) || has_control(name, "")) {
        return err_exit(err, EX_DATAERR,
                        "the name as it stands on the card: letters, at most "
                        "%d bytes",
                        CARD_NAME_MAX);
    }
    return 0;
}

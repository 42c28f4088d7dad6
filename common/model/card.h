/*
 * card.h: payment cards as people type them: number, brand, expiry, name.
 *
 * Pure: text in, a verdict out. A number is told by Luhn's check digit (ISO/IEC
 * 7812-1), its brand by its first digits, and its length by its brand; ranges
 * and lengths are those of credit-card-type 10 (npm). No message repeats a
 * digit of a number: messages end up in logs. The security code is never asked
 * for and never taken: what looks like a number with one behind it is refused.
 */
#pragma once

#include "base/fields.h"

#define CARD_DIGITS_MAX 19
#define CARD_NAME_MAX 100 /* bytes */
#define MONTH_TEXT 8      /* "2027-12" and its NUL */

enum brand {
    BRAND_NONE,
    BRAND_VISA,
    BRAND_MASTERCARD,
    BRAND_AMEX,
    BRAND_DISCOVER,
    BRAND_DINERS,
    BRAND_JCB,
    BRAND_UNIONPAY,
    BRAND_MAESTRO,
    BRAND_MIR,
};

extern const struct words brand_words;

/* "Mastercard": as people write it; "card" for BRAND_NONE. */
const char *brand_title(int brand);

/* What seals and opens: a card, whole. Its texts are secrets. */
struct card_secret {
    char *number; /* digits alone */
    char *name;
    char *expiry; /* "2027-12" */
};

extern const struct table card_secret_table;

/* Overwrites and releases. */
void card_secret_wipe(struct card_secret *secret);
#define _cleanup_card_secret_ _cleanup_(card_secret_wipe)

/* The brand that a number which begins with these digits is of. */
enum brand card_brand(const char *digits);

/* How long the group of digits is that begins at this place, as it is printed
 * on a card; 0: none begins there. */
size_t card_group(enum brand brand, size_t at);

/* Takes spaces and dashes out, in place. -1 (status 65): not digits alone, or
 * far too many. */
int card_digits(char *text, struct err *err);

/*
 * -1 (status 65): no brand that is known, not of its length, mistyped, or with
 * a security code behind it. Where that can't be told (a good number of 19
 * digits whose first 16 are one, too) it is refused unless `length` says how
 * many digits the card has (0: not said).
 */
int card_number_check(const char *digits, int64_t length, enum brand *ret_brand,
                      struct err *err);

/* The month of a moment, by UTC. */
void month_of(int64_t moment, char month[static MONTH_TEXT]);

/* True for "2027-12". */
bool month_is_good(const char *text);

/* Reads 12/27, 12/2027, 12-27, 1227 or 2027-12. -1 (status 65): none of these,
 * over before `now`, or more than 20 years ahead of it. */
int card_expiry_read(const char *text, const char now[static MONTH_TEXT],
                     char ret_expiry[static MONTH_TEXT], struct err *err);

/* -1 (status 65): not a name as it stands on a card. */
int card_name_check(const char *name, struct err *err);

/* -1 (status 64 or what was given): always, with the sentence that says why. */
int card_no_code(int status, struct err *err);

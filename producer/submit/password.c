/*
 * password.c: see password.h. The strength is zxcvbn's guess
 * (https://github.com/tsyrogit/zxcvbn-c): entropy in bits; below MIN_BITS a
 * guess of a few hours on a stolen key file would do.
 */
#include "producer/submit/password.h"

#include <string.h>
#include <sysexits.h>
#include <zxcvbn.h>

#include "base/utf8.h"
#include "model/user.h"

#define MIN_BITS 45.0
#define PRODUCT "errand"
#define LOCAL_MIN 4 /* a shorter first half is in too many good passwords */

int64_t password_min(const struct password_rules *rules)
{
    return rules->min > PASSWORD_MIN ? rules->min : PASSWORD_MIN;
}

static int64_t characters(const char *text)
{
    int64_t n = 0;

    for (; *text != '\0'; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

/* What is in front of the @; "" where it is too short to count. */
static void local_part(const char *email, char local[static EMAIL_MAX + 1])
{
    size_t len = email == NULL ? 0 : strcspn(email, "@");

    len = len < LOCAL_MIN || len > EMAIL_MAX ? 0 : len;
    memcpy(local, len == 0 ? "" : email, len);
    local[len] = '\0';
}

static int check_words(const char *password, const char *email,
                       const char *local, struct err *err)
{
    const char *held = email != NULL && strcasestr(password, email) != NULL
                           ? "your e-mail address"
                       : local[0] != '\0' && strcasestr(password, local) != NULL
                           ? "the first half of your e-mail address"
                       : strcasestr(password, PRODUCT) != NULL
                           ? "the name " PRODUCT
                           : NULL;

    return held == NULL ? 0
                        : err_exit(err, EX_DATAERR,
                                   "easy to guess: it holds %s; take words "
                                   "that don't belong together, and nothing "
                                   "about yourself",
                                   held);
}

int password_check(const char *password, const struct password_rules *rules,
                   struct err *err)
{
    char local[EMAIL_MAX + 1];
    const char *words[] = {PRODUCT, rules->email, NULL, NULL};

    local_part(rules->email, local);
    words[rules->email == NULL ? 1 : 2] = local[0] == '\0' ? NULL : local;
    if (!utf8_is_good(password, strlen(password)) ||
        has_control(password, "")) {
        return err_exit(err, EX_DATAERR,
                        "a password is text without control characters");
    }
    if (characters(password) < password_min(rules)) {
        return err_exit(err, EX_DATAERR,
                        "too short: a password has at least %lld characters; "
                        "five or six random words are good",
                        (long long)password_min(rules));
    }
    if (check_words(password, rules->email, local, err) != 0) {
        return -1;
    }
    return ZxcvbnMatch(password, words, NULL) >= MIN_BITS
               ? 0
               : err_exit(err, EX_DATAERR,
                          "too easy to guess: take words that don't belong "
                          "together, and nothing about yourself");
}

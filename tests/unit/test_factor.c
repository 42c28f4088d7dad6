/*
 * test_factor.c: codes of second factors against tests/tables/factor.txt, the
 * test vectors of RFC 6238, and how secrets are stored.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <liboath/oath.h>
#include <sodium.h>

#include "base/buf.h"
#include "consumer/authorizer/factor.h"
#include "consumer/authorizer/factor_key.h"
#include "table.h"

#define CURRENT 60000000 /* the step that is now */
#define NOW (CURRENT * (int64_t)TOTP_STEP + 10000)

/* RFC 6238, appendix B: its SHA-1 secret. */
static const unsigned char secret[] = "12345678901234567890";

static void code_of(int64_t step, char *code)
{
    assert_int_equal(oath_totp_generate((const char *)secret, TOTP_SECRET,
                                        (time_t)(step * 30), 30, 0, 6, code),
                     OATH_OK);
}

/* Six digits that no step near has. */
static void code_of_none(char *code)
{
    char near[5][TOTP_DIGITS + 1];

    for (int i = 0; i < 5; i++) {
        code_of(CURRENT - 2 + i, near[i]);
    }
    for (int n = 0; n < 6; n++) {
        bool taken = false;
        (void)snprintf(code, TOTP_DIGITS + 1, "%06u", (unsigned)n % 1000000U);
        for (int i = 0; i < 5; i++) {
            taken |= strcmp(code, near[i]) == 0;
        }
        if (!taken) {
            return;
        }
    }
    fail_msg("no code is free");
}

static void read_code(const struct cells *event, char *code, size_t size)
{
    const char *as = cell_text(event, "as", NULL);

    if (as != NULL) {
        (void)snprintf(code, size, "%s", as);
    } else if (strcmp(cell_text(event, "of", ""), "none") == 0) {
        code_of_none(code);
    } else {
        code_of(CURRENT + cell_number(event, "of", 0), code);
    }
}

/* As factors.c does it: admit, judge, note. */
static enum factor_verdict play(const char *code, struct factor_state *state)
{
    enum factor_verdict verdict = factor_admit(state, NOW);
    int64_t step = 0;

    if (verdict != FACTOR_GOOD) {
        return verdict;
    }
    verdict = factor_judge(secret, code, NOW, state, &step);
    factor_note(state, verdict, step, NOW);
    return factor_admit(state, NOW) == FACTOR_LOCKED ? FACTOR_LOCKED : verdict;
}

static void check_line(const struct line *line)
{
    bool used = cell_text(&line->given, "used", NULL) != NULL;
    struct factor_state state = {
        .step = used ? CURRENT + cell_number(&line->given, "used", 0) : 0,
        .failures = cell_number(&line->given, "failures", 0),
        .failed = NOW - cell_number(&line->given, "failed", 0) * 1000};
    char code[32];
    char after[200] = "";
    int n = 0;

    read_code(&line->event, code, sizeof(code));
    enum factor_verdict verdict = play(code, &state);
    if (state.step != 0) {
        n = snprintf(after, sizeof(after), "used=%lld ",
                     (long long)state.step - CURRENT);
    }
    n += snprintf(after + n, sizeof(after) - (size_t)n, "failures=%lld",
                  (long long)state.failures);
    if (factor_wait(&state, NOW) > 0 && verdict != FACTOR_LOCKED) {
        (void)snprintf(after + n, sizeof(after) - (size_t)n, " wait=%lld",
                       (long long)factor_wait(&state, NOW));
    }
    const char *word = word_text(&factor_verdict_words, (int)verdict);
    if (strcmp(word, line->expected) != 0 || strcmp(after, line->reason) != 0) {
        fail_msg("line %d, %s: %s %s", line->number, line->name, word, after);
    }
}

static void codes_are_judged_as_the_table_says(void **state)
{
    (void)state;
    assert_true(table_each("tests/tables/factor.txt", check_line) > 25);
}

/* The appendix gives eight digits; six are their ending. */
static void the_vectors_of_rfc_6238_are_good(void **state)
{
    static const struct {
        int64_t at;
        const char *code;
    } vectors[] = {
        {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
        {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        struct factor_state none = {0};
        int64_t step = 0;
        assert_int_equal(factor_judge(secret, vectors[i].code,
                                      vectors[i].at * 1000, &none, &step),
                         FACTOR_GOOD);
        assert_int_equal(step, vectors[i].at / 30);
    }
}

static void a_stored_secret_is_of_its_key_and_its_person_alone(void **state)
{
    unsigned char bytes[32] = {1};
    unsigned char sealed[FACTOR_SEALED];
    unsigned char back[TOTP_SECRET];
    struct factor_key key = {.key = bytes};
    struct id user = {.b = {7}};
    struct id other = {.b = {8}};
    struct buf row = {.data = sealed, .len = sizeof(sealed)};
    struct err err;

    (void)state;
    factor_encrypt(&key, &user, secret, sealed);
    assert_null(memmem(sealed, sizeof(sealed), secret, TOTP_SECRET));
    assert_int_equal(factor_decrypt(&key, &user, &row, back, &err), 0);
    assert_memory_equal(back, secret, TOTP_SECRET);
    assert_int_equal(factor_decrypt(&key, &other, &row, back, &err), -1);
    bytes[0] = 2;
    assert_int_equal(factor_decrypt(&key, &user, &row, back, &err), -1);
    bytes[0] = 1;
    sealed[40] ^= 1;
    assert_int_equal(factor_decrypt(&key, &user, &row, back, &err), -1);
    sealed[40] ^= 1;
    row.len--;
    assert_int_equal(factor_decrypt(&key, &user, &row, back, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_judged_as_the_table_says),
        cmocka_unit_test(the_vectors_of_rfc_6238_are_good),
        cmocka_unit_test(a_stored_secret_is_of_its_key_and_its_person_alone),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

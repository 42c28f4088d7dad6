/*
 * test_policy.c: the policy against the access list, tests/tables/access.txt;
 * freshness against tests/tables/freshness.txt; and how a run may be named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "consumer/authorizer/policy.h"
#include "consumer/authorizer/views.h"

/* The list's columns, up to those that the policy never sees: L and on. */
static const struct signer signers[] = {
#define PERSON(k, r, f)                                        \
    {                                                          \
        .kind = (k), .person = {.role = (r), .in_force = (f) } \
    }
#define PEOPLE(k)                                                              \
    PERSON(k, ROLE_ADMINISTRATOR, true), PERSON(k, ROLE_ADMINISTRATOR, false), \
        PERSON(k, ROLE_RUNNER, true), PERSON(k, ROLE_RUNNER, true),            \
        PERSON(k, ROLE_RUNNER_BILLING, true),                                  \
        PERSON(k, ROLE_RUNNER_BILLING, true)
    PEOPLE(SIGNER_OWN),
    PEOPLE(SIGNER_SESSION),
    {.kind = SIGNER_INVITATION},
    {.kind = SIGNER_SERVICE, .service = SERVICE_SCHEDULER},
};

#define CELLS (ARRAY_SIZE(signers) + 5)

static enum event_kind kind_of(const char *verb)
{
    _cleanup_free_ char *type = must_printf("errand.%s.v1", verb);
    int kind = event_kind(type);

    if (kind < 0 || verb_of((enum event_kind)kind) == NULL) {
        fail_msg("access.txt: %s is no verb", verb);
    }
    return (enum event_kind)kind;
}

/* For what is not there, not theirs, or themselves, they may ask: the handler
 * says so. */
static void check_cell(const char *row, size_t column, char cell,
                       const struct verb *verb)
{
    struct err err = {0};

    if (column >= ARRAY_SIZE(signers)) {
        return;
    }
    bool may = policy_check(verb, &signers[column], &err) == 0;
    if (may != (strchr("ynd", cell) != NULL)) {
        fail_msg("%scolumn %zu: %s", row, column + 1, may ? "may" : err.text);
    }
}

static void check_row(const char *row, const char *verb, const char *cells)
{
    size_t n = 0;

    for (const char *c = cells; *c != '\0'; c++) {
        if (strchr(" \n", *c) != NULL) {
            continue;
        }
        if (strchr("ynd-x", *c) == NULL) {
            fail_msg("%s%c is no verdict", row, *c);
        }
        check_cell(row, n++, *c, verb_of(kind_of(verb)));
    }
    if (n != CELLS) {
        fail_msg("%s%zu cells instead of %zu", row, n, CELLS);
    }
}

static FILE *open_table(const char *path)
{
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        fail_msg("%s: run the tests from the top of the repository", path);
    }
    return file;
}

static void everybody_may_ask_what_the_list_says_and_nothing_else(void **state)
{
    FILE *file = open_table("tests/tables/access.txt");
    bool seen[EVENT_KINDS] = {0};
    char line[200];
    char verb[40];
    int at;

    (void)state;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] != '#' && sscanf(line, "%39s %*s %n", verb, &at) == 1) {
            seen[kind_of(verb)] = true;
            check_row(line, verb, line + at);
        }
    }
    (void)fclose(file);
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        bool asked = event_types[kind].verb != NULL;
        if (seen[kind] != asked ||
            (verb_of((enum event_kind)kind) != NULL) != asked) {
            fail_msg("no row in access.txt, or in verbs.c, for %s",
                     event_types[kind].type);
        }
    }
}

static struct request request_of(int expires, int id, int version)
{
    const int64_t issued = 1800000000000;
    struct request request = {.head.issued = issued,
                              .head.id = id_new(issued + id * 1000),
                              .expires = issued + expires * 1000};

    request.head.id.b[6] =
        (unsigned char)((request.head.id.b[6] & 0x0f) | version << 4);
    return request;
}

static void a_request_is_decided_within_its_time_only(void **state)
{
    FILE *file = open_table("tests/tables/freshness.txt");
    char line[200];
    char verdict[8];
    int expires, now, id, version;
    size_t n = 0;

    (void)state;
    while (fgets(line, sizeof(line), file) != NULL) {
        struct err err;
        if (line[0] == '#' || sscanf(line, "%d %d %d %d %7s", &expires, &now,
                                     &id, &version, verdict) != 5) {
            continue;
        }
        struct request request = request_of(expires, id, version);
        int64_t then = request.head.issued + now * 1000;
        bool fresh = freshness_check(&request, then, &err) == 0;
        if (fresh != (strcmp(verdict, "fresh") == 0)) {
            fail_msg("%s: %s", line, fresh ? "is fresh" : err.text);
        }
        n++;
    }
    (void)fclose(file);
    assert_true(n > 10);
}

static void a_run_is_named_by_its_id_or_four_digits_of_its_ending(void **state)
{
    (void)state;
    assert_true(run_text_is_good("0197a000-0000-7000-8000-00000000abcd"));
    assert_true(run_text_is_good("abcd"));
    assert_true(run_text_is_good("0-00000000abcd"));
    assert_false(run_text_is_good("bcd"));
    assert_false(run_text_is_good("-bcd"));
    assert_false(run_text_is_good(""));
    assert_false(run_text_is_good("ab%d"));
    assert_false(run_text_is_good("ABCD"));
    assert_false(run_text_is_good("a0197a000-0000-7000-8000-00000000abcd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_may_ask_what_the_list_says_and_nothing_else),
        cmocka_unit_test(a_request_is_decided_within_its_time_only),
        cmocka_unit_test(a_run_is_named_by_its_id_or_four_digits_of_its_ending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

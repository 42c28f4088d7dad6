/* test_overdue.c: what is overdue, from tests/tables/overdue.txt, and the ids
 * of what is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants those before it. */
#include <cmocka.h>

#include "producer/scheduler/overdue.h"
#include "tests/unit/table.h"

static int64_t ms(const struct cells *cells, const char *key, int64_t otherwise)
{
    return 1000 * cell_number(cells, key, otherwise);
}

static struct open_execution make_open(const struct line *line)
{
    const struct cells *event = &line->event;
    int claim = word_value(&open_claim_words, cell_text(event, "claim", ""));

    return (struct open_execution){
        .expires = ms(event, "expires", 100),
        .planned = cell_text(event, "planned", NULL) != NULL,
        .pending = cell_text(event, "pending", NULL) != NULL,
        .withheld = cell_text(event, "withheld", NULL),
        .claims_read = ms(&line->given, "claims", 0),
        .claim = claim,
        .closing = word_value(&closing_words, cell_text(event, "closing", "")),
        .claimed = claim == OPEN_NONE ? 0 : 90000,
        .heard = ms(event, "heard", 0),
        .listed = cell_text(event, "listed", NULL) != NULL,
        .replaced_at = ms(event, "replaced", 0)};
}

static void on_line(const struct line *line)
{
    struct open_execution open = make_open(line);
    struct patience patience = {.hellos_read = ms(&line->given, "hellos", 0),
                                .results_read = ms(&line->given, "results", 0),
                                .grace = 1000,
                                .silent = 15000,
                                .lost = 30000};
    const char *reason = "";
    if (overdue_dropped(&open, &patience)) {
        open.dropped_at = ms(&line->event, "dropped", open.heard / 1000);
    }
    const char *said = word_text(&overdue_words,
                                 (int)overdue_judge(&open, &patience, &reason));

    if (strcmp(said, line->expected) != 0 ||
        strstr(reason, line->reason) == NULL) {
        fail_msg("line %d: %s: says %s (%s)", line->number, line->name, said,
                 reason);
    }
}

static void each_execution_is_judged_as_the_table_says(void **state)
{
    (void)state;
    assert_true(table_each("tests/tables/overdue.txt", on_line) > 25);
}

static void two_schedulers_say_the_same_id(void **state)
{
    struct open_execution open = {.expires = 1764000000123};
    struct open_execution later = open;
    struct id lost = overdue_id(&open, OVERDUE_LOST);

    (void)state;
    later.heard = 5; /* whatever else is known by now */
    struct id again = overdue_id(&later, OVERDUE_LOST);
    assert_true(id_equal(&lost, &again));
    assert_int_equal(id_version(&lost), 8);
    assert_int_equal(id_time(&lost), open.expires);
}

static void each_word_and_each_execution_has_its_own_id(void **state)
{
    struct open_execution open = {.expires = 1764000000123};
    struct open_execution other = {.id = {{1}}, .expires = open.expires};
    struct id lost = overdue_id(&open, OVERDUE_LOST);
    struct id expired = overdue_id(&open, OVERDUE_EXPIRED);
    struct id others = overdue_id(&other, OVERDUE_LOST);

    (void)state;
    assert_false(id_equal(&lost, &expired));
    assert_false(id_equal(&lost, &others));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_execution_is_judged_as_the_table_says),
        cmocka_unit_test(two_schedulers_say_the_same_id),
        cmocka_unit_test(each_word_and_each_execution_has_its_own_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_advance.c: what follows from a run's outcomes, from
 * tests/tables/advance.txt; and how long a run may last (model/pace.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consumer/authorizer/advance_plan.h"
#include "model/result.h"
#include "tests/unit/columns.h"

#define ROWS 8

static const char *after(const char *word, const char *key)
{
    size_t n = strlen(key);

    return strncmp(word, key, n) == 0 ? word + n : NULL;
}

static void take_signed(char *text, struct pace *pace, struct advance *advance)
{
    for (char *rest, *word = strtok_r(text, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        const char *value;
        if ((value = after(word, "parallel=")) != NULL) {
            pace->max_parallel = (char *)value;
        } else if ((value = after(word, "errors=")) != NULL) {
            pace->max_errors = (char *)value;
        } else if ((value = after(word, "retry=")) != NULL) {
            pace->retry = atoi(value);
        } else if ((value = after(word, "on=")) != NULL) {
            texts_add(&pace->retry_on, value);
        } else if (strcmp(word, "queued") == 0) {
            advance->begun = false;
        }
    }
}

static void take_execution(char *word, struct advance *advance)
{
    struct advance_row *row = &advance->rows[advance->n++];
    char *state = strchr(word, '=') + 1;
    char *due = strchr(state, '@');
    size_t len = strlen(state);

    *row = (struct advance_row){.target = word,
                                .attempt = atoi(strchr(word, '.') + 1)};
    *strchr(word, '.') = '\0';
    if (state[len - 1] == '!') {
        row->cancelled = true;
        state[len - 1] = '\0';
    }
    if (due != NULL) {
        row->due = 1000 * atoi(due + 1);
        *due = '\0';
    }
    row->state = word_value(&advance_state_words, state);
    row->outcome = word_value(&outcome_words, state);
    if (row->state == ADVANCE_NONE) {
        row->state = ADVANCE_ENDED;
        assert_int_not_equal(row->outcome, 0);
    }
}

static char *said(const struct advance *advance)
{
    struct buf text = {0};

    for (size_t i = 0; i < advance->n; i++) {
        const struct advance_row *row = &advance->rows[i];
        if (row->step != ADVANCE_NOTHING) {
            (void)buf_addf(&text, "%s:%s ",
                           word_text(&advance_step_words, row->step),
                           row->target);
        }
    }
    (void)buf_adds(&text, advance->over ? "over" : "on");
    return buf_take(&text);
}

static void check(char **cells)
{
    struct advance_row rows[ROWS];
    struct pace pace = {0};
    struct advance advance = {
        .pace = &pace, .begun = true, .now = 10000, .rows = rows};

    take_signed(cells[1], &pace, &advance);
    for (char *rest, *word = strtok_r(cells[2], " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        take_execution(word, &advance);
    }
    advance_plan(&advance);
    _cleanup_free_ char *text = said(&advance);
    if (strcmp(text, cells[3]) != 0) {
        fail_msg("%s: %s, not %s", cells[0], text, cells[3]);
    }
    texts_done(&pace.retry_on);
}

static void what_follows_is_what_the_table_says(void **state)
{
    struct columns columns;
    int n = 0;

    (void)state;
    columns_open(&columns, "tests/tables/advance.txt");
    while (columns_next(&columns)) {
        assert_int_equal(columns.n, 4);
        check(columns.cells);
        n++;
    }
    assert_true(n > 35);
}

#define S 1000
#define DAY 86400

static void a_run_lasts_as_long_as_its_waves_and_attempts_may(void **state)
{
    struct pace pace = {0};

    (void)state;
    assert_int_equal(pace_life(&pace, 60, 120, 40), 60 * S);
    pace.retry = 2; /* three times 60 + 120 + 60, but the end of the last */
    assert_int_equal(pace_life(&pace, 60, 120, 40),
                     (3 * 240 + 2 * PACE_BACKOFF - 180) * S);
    pace = (struct pace){.max_parallel = (char[]){"1"}};
    assert_int_equal(pace_life(&pace, 60, 3600, 40),
                     (40 * (60 + 3600 + 60) - 3660) * S);
    pace.max_parallel = (char[]){"3"}; /* seven in rounds of three */
    assert_int_equal(pace_life(&pace, 60, 120, 7), (3 * 240 - 180) * S);
}

static void but_no_longer_than_claims_are_kept(void **state)
{
    struct pace pace = {.max_parallel = (char[]){"1"}, .retry = 100};

    (void)state;
    assert_int_equal(pace_life(&pace, 60, DAY, 64), 2 * DAY * S);
    assert_int_equal(pace_life(&pace, 7 * DAY, DAY, 64), 14 * DAY * S);
    pace = (struct pace){.concurrency = CONCURRENCY_QUEUE};
    assert_int_equal(pace_life(&pace, 60, 120, 1), (DAY + 60) * S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_is_what_the_table_says),
        cmocka_unit_test(a_run_lasts_as_long_as_its_waves_and_attempts_may),
        cmocka_unit_test(but_no_longer_than_claims_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

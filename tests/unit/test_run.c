/* test_run.c: executions' ids, by tests/vectors/derive; what a run.start holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/run.h"
#include "tests/unit/columns.h"

static void an_execution_s_id_is_that_of_the_vectors(void **state)
{
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/vectors/derived.txt");
    for (; columns_next_of(&row, "execution"); n++) {
        struct id run;
        struct hash hash;
        char text[ID_TEXT];
        assert_int_equal(id_parse(row.cells[2], &run), 0);
        assert_int_equal(unhex(row.cells[3], hash.b, sizeof(hash.b)), 32);
        struct id id =
            execution_id(&run, &hash, row.cells[4], atoi(row.cells[5]));
        assert_int_equal(id_time(&id), id_time(&run));
        id_format(&id, text);
        assert_string_equal(text, row.cells[1]);
    }
    assert_int_equal(n, 5);
}

static void a_run_start_is_read_as_it_was_written(void **state)
{
    struct hash hash = hash_of("x", 1);
    struct run_start run = {.request.head = head_new(&hash, &hash, 1000),
                            .request.expires = 2000,
                            .request.reply.partition = 3,
                            .command = id_random(),
                            .deadline = 5000,
                            .follow = true};
    struct run_start again;
    struct err err = {0};

    (void)state;
    pairs_add(&run.arguments, "dir", "/var/a;b\n\"c\"");
    pairs_add(&run.arguments, "empty", "");
    texts_add(&run.targets, "web-1");
    assert_int_equal(table_copy(&run_start_table, &run, &again, &err), 0);
    assert_memory_equal(&again.request, &run.request, sizeof(run.request));
    assert_true(id_equal(&again.command, &run.command));
    assert_string_equal(pairs_get(&again.arguments, "dir"), "/var/a;b\n\"c\"");
    assert_string_equal(pairs_get(&again.arguments, "empty"), "");
    assert_true(texts_hold(&again.targets, "web-1"));
    assert_int_equal(again.deadline, 5000);
    assert_true(again.follow);
    table_done(&run_start_table, &again);
    table_done(&run_start_table, &run);
}

static void a_run_has_at_most_64_targets(void **state)
{
    struct run_start run = {.deadline = 1};
    struct buf json = {0};
    struct err err = {0};

    (void)state;
    for (int i = 0; i <= RUN_TARGETS_MAX; i++) {
        texts_add(&run.targets, "a");
    }
    assert_int_equal(table_encode(&run_start_table, &run, &json, &err), -1);
    assert_string_equal(err.text, "run.start: targets: over 64 entries");
    table_done(&run_start_table, &run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_execution_s_id_is_that_of_the_vectors),
        cmocka_unit_test(a_run_start_is_read_as_it_was_written),
        cmocka_unit_test(a_run_has_at_most_64_targets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

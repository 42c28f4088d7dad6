/* test_audit.c: a row's hash, by tests/vectors/derive; checkpoints in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/audit.h"
#include "tests/unit/columns.h"

static char *text_cell(const char *cell)
{
    unsigned char bytes[200];
    size_t n = unhex(cell, bytes, sizeof(bytes));

    return n == 0 ? NULL : must_printf("%.*s", (int)n, (char *)bytes);
}

static int64_t number_cell(const char *cell)
{
    _cleanup_free_ char *text = text_cell(cell);

    return strtoll(text, NULL, 10);
}

static void raw_cell(const char *cell, void *to, size_t size)
{
    memset(to, 0, size);
    (void)unhex(cell, to, size);
}

static struct audit_row row_of(char *const *cells)
{
    struct audit_row row = {
        .partition = number_cell(cells[0]),
        .number = number_cell(cells[1]),
        .verb = text_cell(cells[5]),
        .command = text_cell(cells[8]),
        .decision = text_cell(cells[9]),
        .status = text_cell(cells[10]),
        .reason = text_cell(cells[11]),
        .text = text_cell(cells[12]),
        .size = number_cell(cells[14]),
        .issued = number_cell(cells[15]),
        .decided = number_cell(cells[16]),
        .offset = number_cell(cells[17]),
    };

    raw_cell(cells[2], row.previous.b, sizeof(row.previous.b));
    raw_cell(cells[3], row.id.b, sizeof(row.id.b));
    raw_cell(cells[4], row.request.b, sizeof(row.request.b));
    raw_cell(cells[6], row.key.b, sizeof(row.key.b));
    raw_cell(cells[7], row.user.b, sizeof(row.user.b));
    raw_cell(cells[13], row.reply.b, sizeof(row.reply.b));
    return row;
}

static void row_done(struct audit_row *row)
{
    free(row->verb);
    free(row->command);
    free(row->decision);
    free(row->status);
    free(row->reason);
    free(row->text);
}

static void a_row_s_hash_is_that_of_the_vectors(void **state)
{
    struct columns columns;
    size_t n = 0;

    (void)state;
    columns_open(&columns, "tests/vectors/derived.txt");
    for (; columns_next_of(&columns, "audit"); n++) {
        char text[HASH_TEXT];
        assert_int_equal(columns.n, 20);
        struct audit_row row = row_of(columns.cells + 2);
        struct hash hash = audit_row_hash(&row);
        hash_format(&hash, text);
        assert_string_equal(text, columns.cells[1]);
        row_done(&row);
    }
    assert_int_equal(n, 2);
}

static enum checkpoint_news take(struct checkpoints *seen, int64_t partition,
                                 int64_t rows, unsigned char head)
{
    struct checkpoint now = {.partition = partition, .rows = rows};

    now.head.b[0] = head;
    return checkpoints_take(seen, &now);
}

static void the_newest_checkpoint_of_each_partition_is_kept(void **state)
{
    struct checkpoints seen = {0};

    (void)state;
    assert_int_equal(take(&seen, 3, 5, 1), CHECKPOINT_FINE);
    assert_int_equal(take(&seen, 0, 1, 9), CHECKPOINT_FINE);
    assert_int_equal(take(&seen, 3, 5, 1), CHECKPOINT_FINE);
    assert_int_equal(take(&seen, 3, 9, 2), CHECKPOINT_FINE);
    assert_int_equal(seen.list.n, 2);
    assert_int_equal(checkpoints_find(&seen, 3)->rows, 9);
    assert_int_equal(checkpoints_find(&seen, 0)->rows, 1);
    assert_null(checkpoints_find(&seen, 1));
    table_done(&checkpoints_table, &seen);
}

static void one_that_goes_back_or_forks_changes_nothing(void **state)
{
    struct checkpoints seen = {0};

    (void)state;
    (void)take(&seen, 3, 5, 1);
    assert_int_equal(take(&seen, 3, 4, 1), CHECKPOINT_BACK);
    assert_int_equal(take(&seen, 3, 5, 2), CHECKPOINT_FORKED);
    assert_int_equal(checkpoints_find(&seen, 3)->rows, 5);
    assert_int_equal(checkpoints_find(&seen, 3)->head.b[0], 1);
    table_done(&checkpoints_table, &seen);
}

static void the_same_end_gives_the_same_event(void **state)
{
    struct hash root = hash_of("a root", 6);
    struct checkpoint at = {.partition = 3, .rows = 17, .head = root};
    struct id id = checkpoint_id(&root, &at);
    struct id again = checkpoint_id(&root, &at);

    (void)state;
    assert_true(id_equal(&id, &again));
    at.rows = 18;
    again = checkpoint_id(&root, &at);
    assert_false(id_equal(&id, &again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_s_hash_is_that_of_the_vectors),
        cmocka_unit_test(the_newest_checkpoint_of_each_partition_is_kept),
        cmocka_unit_test(one_that_goes_back_or_forks_changes_nothing),
        cmocka_unit_test(the_same_end_gives_the_same_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

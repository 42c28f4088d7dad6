/*
 * test_notify.c: who is told, and after which ends, against
 * tests/tables/notify.txt; and that what is told has one id.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "columns.h"
#include "model/run_end.h"

#define TABLE_FILE "tests/tables/notify.txt"

static void notify_done(struct list *all)
{
    for (size_t i = 0; i < all->n; i++) {
        struct notify *one = &list_at(all, struct notify, i);
        free(one->to);
        free(one->on.items);
    }
    free(all->items);
    *all = (struct list){0};
}

/* As the reader of files does: line by line, each checked with all before. */
static int read_lines(const char *text, struct list *all, struct err *err)
{
    _cleanup_free_ char *copy = must_strdup(text);
    char *rest = copy;
    int done = 0;

    for (char *line; done == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        done = notify_parse(line, all, err) != 0 ? -1 : notify_check(all, err);
    }
    return done;
}

static char *all_text(const struct list *all)
{
    struct buf text = {0};

    for (size_t i = 0; i < all->n; i++) {
        _cleanup_free_ char *one = notify_text(&list_at(all, struct notify, i));
        (void)buf_addf(&text, "%s%s", i == 0 ? "" : "; ", one);
    }
    return buf_take(&text);
}

static void lines_say_who_is_told_on_what(void **state)
{
    struct columns columns;

    (void)state;
    columns_open(&columns, TABLE_FILE);
    while (columns_next_of(&columns, "read")) {
        const char *expected = columns.cells[2];
        struct list all = {0};
        struct err err = {0};
        int done = read_lines(columns.cells[1], &all, &err);
        _cleanup_free_ char *text = all_text(&all);
        bool refused = strncmp(expected, "! ", 2) == 0;
        if (refused != (done != 0) ||
            (refused ? strncmp(err.text, expected + 2, strlen(expected) - 2)
                     : strcmp(text, expected)) != 0) {
            fail_msg("%s:%zu: %s", TABLE_FILE, columns.line,
                     done != 0 ? err.text : text);
        }
        notify_done(&all);
    }
}

static void ends_concern_who_asked_for_them(void **state)
{
    struct columns columns;

    (void)state;
    columns_open(&columns, TABLE_FILE);
    while (columns_next_of(&columns, "told")) {
        _cleanup_free_ char *line =
            must_printf("a@b.example on %s", columns.cells[1]);
        struct list all = {0};
        struct err err = {0};
        struct run_end end = {.outcome =
                                  word_value(&outcome_words, columns.cells[2])};
        for (char *at; (at = strsep(&columns.cells[3], " ")) != NULL;) {
            struct target_end *to =
                list_grow(&end.targets, sizeof(struct target_end));
            to->outcome = word_value(&outcome_words, at);
            assert_int_not_equal(to->outcome, 0);
        }
        assert_int_not_equal(end.outcome, 0);
        assert_int_equal(notify_parse(line, &all, &err), 0);
        if (run_end_concerns(&end, &list_at(&all, struct notify, 0)) !=
            (strcmp(columns.cells[4], "yes") == 0)) {
            fail_msg("%s:%zu", TABLE_FILE, columns.line);
        }
        free(end.targets.items);
        notify_done(&all);
    }
}

/* What another client signed, whatever our reader would have made of it. */
static void what_is_signed_is_checked_as_well(void **state)
{
    static int failed[] = {OUTCOME_FAILED, OUTCOME_FAILED};
    static const struct {
        const char *to;
        size_t n;
        const char *said;
    } rows[] = {
        {"A@b.example", 1, "A@b.example is written a@b.example"},
        {"a@b.example", 0, "a@b.example: after no outcome"},
        {"a@b.example", 2, "a@b.example: failed is there twice"},
        {"http://b.example", 1, "an address on the web"},
        {"a@b.example\nBcc: c", 1, "an e-mail address is printable ASCII"},
        {"", 1, "'' is not an e-mail address"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct notify one = {.to = (char *)rows[i].to,
                             .on = {failed, rows[i].n}};
        struct list all = {&one, 1};
        struct err err = {0};
        assert_int_equal(notify_check(&all, &err), -1);
        if (strncmp(err.text, rows[i].said, strlen(rows[i].said)) != 0) {
            fail_msg("%s: %s", rows[i].to, err.text);
        }
    }
}

static void one_end_told_to_one_has_one_id(void **state)
{
    struct run_end end = {.start = hash_of("run", 3), .outcome = OUTCOME_LOST};
    struct run_end truth = end;
    struct id id = notice_id(&end, "a@b.example");

    (void)state;
    end.ended = 7;
    struct id again = notice_id(&end, "a@b.example");
    assert_true(id_equal(&id, &again));
    struct id other = notice_id(&end, "a@c.example");
    assert_false(id_equal(&id, &other));
    truth.outcome = OUTCOME_SUCCEEDED;
    other = notice_id(&truth, "a@b.example");
    assert_false(id_equal(&id, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_say_who_is_told_on_what),
        cmocka_unit_test(ends_concern_who_asked_for_them),
        cmocka_unit_test(what_is_signed_is_checked_as_well),
        cmocka_unit_test(one_end_told_to_one_has_one_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

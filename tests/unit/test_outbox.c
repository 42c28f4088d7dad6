/* test_outbox.c: which mails wait, and how far their partitions are done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "consumer/notifier/outbox.h"

static struct id id_of(unsigned char n)
{
    return (struct id){.b = {n}};
}

static bool add(struct outbox *outbox, unsigned char n, int64_t partition,
                int64_t offset)
{
    struct mail mail = {.id = id_of(n),
                        .to = must_strdup("a@b"),
                        .partition = partition,
                        .offset = offset,
                        .state = MAIL_WAITS};
    bool news = outbox_add_take(outbox, &mail);

    outbox_read(outbox, partition, offset);
    assert_null(mail.to);
    return news;
}

static void done(struct outbox *outbox, unsigned char n)
{
    struct id id = id_of(n);

    outbox_done(outbox, &id);
}

/* What may be committed now: of one partition. */
static void commits(struct outbox *outbox, int64_t partition, int64_t next)
{
    int64_t is_partition = -1;
    int64_t is_next = -1;

    assert_true(outbox_progress(outbox, &is_partition, &is_next));
    assert_int_equal(is_partition, partition);
    assert_int_equal(is_next, next);
}

static void commits_nothing(struct outbox *outbox)
{
    int64_t partition;
    int64_t next;

    assert_false(outbox_progress(outbox, &partition, &next));
}

static void a_partition_is_done_up_to_its_first_mail(void **state)
{
    struct outbox *outbox = outbox_new();

    (void)state;
    outbox_read(outbox, 0, 6);
    commits(outbox, 0, 7);
    (void)add(outbox, 1, 0, 7);
    (void)add(outbox, 2, 0, 8);
    (void)add(outbox, 3, 1, 3);
    outbox_read(outbox, 0, 9);
    commits_nothing(outbox);
    done(outbox, 2);
    commits_nothing(outbox);
    done(outbox, 1);
    commits(outbox, 0, 10);
    commits_nothing(outbox);
    done(outbox, 3);
    commits(outbox, 1, 4);
    outbox_free(outbox);
}

static void a_fate_that_is_read_before_or_after_strikes_out(void **state)
{
    struct outbox *outbox = outbox_new();
    struct id one = id_of(1);

    (void)state;
    assert_true(add(outbox, 1, 0, 0));
    done(outbox, 1);
    assert_null(outbox_find(outbox, &one));
    assert_false(add(outbox, 1, 0, 5));
    done(outbox, 2);
    assert_false(add(outbox, 2, 0, 6));
    outbox_free(outbox);
}

static void the_same_mail_waits_once(void **state)
{
    struct outbox *outbox = outbox_new();

    (void)state;
    assert_true(add(outbox, 1, 0, 0));
    assert_false(add(outbox, 1, 0, 1));
    assert_non_null(outbox_at(outbox, 0));
    assert_null(outbox_at(outbox, 1));
    outbox_free(outbox);
}

static void what_was_forgotten_is_read_again(void **state)
{
    struct outbox *outbox = outbox_new();

    (void)state;
    assert_true(add(outbox, 1, 0, 7));
    done(outbox, 1);
    outbox_forget(outbox);
    commits_nothing(outbox);
    assert_true(add(outbox, 1, 0, 7));
    commits_nothing(outbox);
    outbox_free(outbox);
}

static bool is_even(void *arg, const struct mail *mail)
{
    (void)arg;
    return mail->partition % 2 == 0;
}

static void who_was_due_first_is_next_where_it_may_be_sent(void **state)
{
    struct outbox *outbox = outbox_new();

    (void)state;
    (void)add(outbox, 1, 1, 0);
    (void)add(outbox, 2, 0, 0);
    (void)add(outbox, 3, 2, 0);
    outbox_at(outbox, 1)->due = 20;
    outbox_at(outbox, 2)->due = 10;
    assert_ptr_equal(outbox_next(outbox, is_even, NULL), outbox_at(outbox, 2));
    outbox_at(outbox, 2)->state = MAIL_GOES;
    assert_ptr_equal(outbox_next(outbox, is_even, NULL), outbox_at(outbox, 1));
    outbox_at(outbox, 1)->state = MAIL_TOLD;
    assert_null(outbox_next(outbox, is_even, NULL));
    outbox_free(outbox);
}

static void the_waits_double_up_to_a_bound(void **state)
{
    static const int64_t waits[] = {1000, 1000, 2000, 4000, 8000, 9000, 9000};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
        assert_int_equal(back_off_of((int64_t)i, 1000, 9000), waits[i]);
    }
    assert_int_equal(back_off_of(1000000, 1000, 300000), 300000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_is_done_up_to_its_first_mail),
        cmocka_unit_test(a_fate_that_is_read_before_or_after_strikes_out),
        cmocka_unit_test(the_same_mail_waits_once),
        cmocka_unit_test(what_was_forgotten_is_read_again),
        cmocka_unit_test(who_was_due_first_is_next_where_it_may_be_sent),
        cmocka_unit_test(the_waits_double_up_to_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

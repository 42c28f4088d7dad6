/* test_output.c: a child's output in chunks, in order, within its limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "consumer/executor/output.h"
#include "model/command.h"

struct pipes {
    struct output output;
    int ends[2];
};

static void open_pipes(struct pipes *p)
{
    struct err err = {0};

    assert_int_equal(output_open(&p->output, OUTPUT_DEFAULT, p->ends, &err), 0);
}

static void say(struct pipes *p, int stream, const char *text)
{
    ssize_t n = (ssize_t)strlen(text);

    assert_int_equal(write(p->ends[stream - STREAM_STDOUT], text, (size_t)n),
                     n);
}

static void close_pipes(struct pipes *p)
{
    cleanup_close(&p->ends[0]);
    cleanup_close(&p->ends[1]);
    output_done(&p->output);
}

static void expect(struct pipes *p, int stream, const char *text)
{
    const struct chunk *chunk = output_first(&p->output);

    assert_non_null(chunk);
    assert_int_equal(chunk->stream, stream);
    assert_string_equal(buf_text(&chunk->data), text);
    output_drop_first(&p->output);
}

static void the_order_of_arrival_is_kept_across_streams(void **state)
{
    struct pipes p;

    (void)state;
    open_pipes(&p);
    say(&p, STREAM_STDOUT, "one");
    output_read(&p.output, 0);
    say(&p, STREAM_STDERR, "two");
    output_read(&p.output, 1);
    say(&p, STREAM_STDERR, "three");
    output_read(&p.output, 2);
    say(&p, STREAM_STDOUT, "four");
    output_read(&p.output, 3);
    expect(&p, STREAM_STDOUT, "one");
    expect(&p, STREAM_STDERR, "twothree");
    expect(&p, STREAM_STDOUT, "four");
    assert_null(output_first(&p.output));
    close_pipes(&p);
}

static void what_waits_is_due_after_a_moment_or_a_full_chunk(void **state)
{
    struct pipes p;
    char block[16384];

    (void)state;
    open_pipes(&p);
    assert_false(output_due(&p.output, 100000));
    say(&p, STREAM_STDOUT, "x");
    output_read(&p.output, 1000);
    assert_false(output_due(&p.output, 1000 + OUTPUT_WAIT - 1));
    assert_true(output_due(&p.output, 1000 + OUTPUT_WAIT));
    memset(block, 'b', sizeof(block));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(write(p.ends[0], block, sizeof(block)), sizeof(block));
        output_read(&p.output, 1000);
    }
    assert_true(output_due(&p.output, 1000));
    assert_int_equal(output_first(&p.output)->data.len, CHUNK_MAX);
    close_pipes(&p);
}

static void beyond_the_limit_everything_is_read_and_counted(void **state)
{
    struct pipes p;
    char block[16384];
    int64_t beyond = 3 * 16384 + 5;

    (void)state;
    open_pipes(&p);
    p.output.kept = OUTPUT_DEFAULT - 10;
    memset(block, 'b', sizeof(block));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(write(p.ends[1], block, sizeof(block)), sizeof(block));
        output_read(&p.output, 0);
    }
    assert_int_equal(write(p.ends[0], "12345", 5), 5);
    output_read(&p.output, 0);
    assert_int_equal(p.output.waiting, 10);
    assert_int_equal(p.output.dropped, beyond - 10);
    close_pipes(&p);
}

static void a_command_may_want_more_kept_or_less(void **state)
{
    struct pipes p;
    struct err err = {0};

    (void)state;
    assert_int_equal(output_open(&p.output, 5, p.ends, &err), 0);
    say(&p, STREAM_STDOUT, "one two");
    output_read(&p.output, 0);
    expect(&p, STREAM_STDOUT, "one t");
    assert_int_equal(p.output.dropped, 2);
    close_pipes(&p);
}

/* Where a full disk, or a broker, does not take it, the child waits. */
static void what_is_not_told_is_not_added_to_without_end(void **state)
{
    struct pipes p;
    char block[16384] = "";

    (void)state;
    open_pipes(&p);
    for (int i = 0; i < 100; i++) {
        (void)!write(p.ends[i & 1], block, sizeof(block));
        output_read(&p.output, 0);
        if (p.output.waiting >= (size_t)4 * CHUNK_MAX) {
            break;
        }
    }
    size_t waits = p.output.waiting;
    (void)!write(p.ends[0], block, sizeof(block));
    output_read(&p.output, 0);
    assert_int_equal(p.output.waiting, waits);
    assert_true(p.output.more && p.output.dropped == 0);
    output_drop_first(&p.output);
    output_drop_first(&p.output);
    output_read(&p.output, 0);
    assert_false(p.output.more);
    close_pipes(&p);
}

static void an_ended_stream_is_closed(void **state)
{
    struct pipes p;

    (void)state;
    open_pipes(&p);
    say(&p, STREAM_STDOUT, "last");
    cleanup_close(&p.ends[0]);
    p.ends[0] = -1;
    output_read(&p.output, 0);
    assert_int_equal(p.output.fds[0], -1);
    assert_true(p.output.fds[1] >= 0);
    expect(&p, STREAM_STDOUT, "last");
    close_pipes(&p);
}

static void who_says_a_little_all_day_makes_ever_fewer_chunks(void **state)
{
    struct pipes p;

    (void)state;
    open_pipes(&p);
    say(&p, STREAM_STDOUT, "x");
    output_read(&p.output, 7);
    assert_int_equal(output_due_at(&p.output), 7 + OUTPUT_WAIT);
    p.output.made = 10000;
    assert_int_equal(output_due_at(&p.output), 7 + 11 * OUTPUT_WAIT);
    p.output.made = OUTPUT_CHUNKS;
    assert_int_equal(output_due_at(&p.output), 7 + 2000);
    close_pipes(&p);
}

static void beyond_the_last_chunk_all_is_counted_and_not_kept(void **state)
{
    struct pipes p;

    (void)state;
    open_pipes(&p);
    p.output.made = OUTPUT_CHUNKS - 1;
    say(&p, STREAM_STDOUT, "last");
    output_read(&p.output, 0);
    say(&p, STREAM_STDERR, "too many");
    output_read(&p.output, 0);
    say(&p, STREAM_STDOUT, "late");
    output_read(&p.output, 0);
    expect(&p, STREAM_STDOUT, "last");
    assert_null(output_first(&p.output));
    assert_int_equal(p.output.kept, 4);
    assert_int_equal(p.output.dropped, 12);
    close_pipes(&p);
}

static void what_is_given_up_is_counted_and_so_is_what_comes(void **state)
{
    struct pipes p;

    (void)state;
    open_pipes(&p);
    say(&p, STREAM_STDOUT, "told");
    output_read(&p.output, 0);
    expect(&p, STREAM_STDOUT, "told");
    say(&p, STREAM_STDOUT, "waits");
    output_read(&p.output, 0);
    output_give_up(&p.output);
    say(&p, STREAM_STDERR, "late");
    output_read(&p.output, 0);
    assert_null(output_first(&p.output));
    assert_int_equal(p.output.kept, 4);
    assert_int_equal(p.output.dropped, 9);
    assert_int_equal(p.output.waiting, 0);
    close_pipes(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_says_a_little_all_day_makes_ever_fewer_chunks),
        cmocka_unit_test(beyond_the_last_chunk_all_is_counted_and_not_kept),
        cmocka_unit_test(the_order_of_arrival_is_kept_across_streams),
        cmocka_unit_test(what_waits_is_due_after_a_moment_or_a_full_chunk),
        cmocka_unit_test(beyond_the_limit_everything_is_read_and_counted),
        cmocka_unit_test(a_command_may_want_more_kept_or_less),
        cmocka_unit_test(what_is_not_told_is_not_added_to_without_end),
        cmocka_unit_test(an_ended_stream_is_closed),
        cmocka_unit_test(what_is_given_up_is_counted_and_so_is_what_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

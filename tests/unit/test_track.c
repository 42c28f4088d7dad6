/*
 * test_track.c: output comes out once and in order, whether an executor tells
 * it live or the record does, with gaps and repeats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "producer/submit/track.h"

struct scene {
    struct run_answer run;
    struct tracks tracks;
    int stdout_fd; /* the true one, while a file stands in for it */
};

static void begin(struct scene *scene, const char *const *targets, size_t n)
{
    *scene = (struct scene){0};
    for (size_t i = 0; i < n; i++) {
        struct execution_row *row =
            list_grow(&scene->run.executions, sizeof(*row));
        *row = (struct execution_row){.target = must_strdup(targets[i]),
                                      .attempt = 1,
                                      .state = EXECUTION_WAITING};
        row->execution.b[0] = (unsigned char)(i + 1);
    }
    (void)fflush(stdout);
    scene->stdout_fd = dup(STDOUT_FILENO);
    int file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(file);
    tracks_init(&scene->tracks, &scene->run, NULL);
}

/* Ends the scene; what came out must be this. */
static void came_out(struct scene *scene, const char *expected)
{
    char text[1000] = "";

    (void)fflush(stdout);
    ssize_t n = pread(STDOUT_FILENO, text, sizeof(text) - 1, 0);
    (void)dup2(scene->stdout_fd, STDOUT_FILENO);
    (void)close(scene->stdout_fd);
    tracks_done(&scene->tracks);
    for (size_t i = 0; i < scene->run.executions.n; i++) {
        free(list_at(&scene->run.executions, struct execution_row, i).target);
    }
    free(scene->run.executions.items);
    assert_true(n >= 0);
    assert_string_equal(text, expected);
}

static struct chunk chunk_of(const char *text)
{
    struct chunk chunk = {.stream = STREAM_STDOUT};

    assert_int_equal(buf_adds(&chunk.data, text), 0);
    return chunk;
}

static void told(struct scene *scene, enum event_kind kind, void *payload)
{
    struct event event = {.kind = kind, .payload = payload};
    struct err err = {0};

    assert_int_equal(tracks_event(&scene->tracks, &event, &err), 0);
}

static void output(struct scene *scene, size_t i, int64_t number,
                   const char *text)
{
    struct execution_output output = {
        .result = {.execution = scene->tracks.list[i].row.execution,
                   .number = number},
        .chunk = chunk_of(text),
    };

    told(scene, EVENT_OUTPUT, &output);
    buf_done(&output.chunk.data);
}

static void finished(struct scene *scene, size_t i, int64_t chunks)
{
    struct execution_finished finished = {
        .result = {.execution = scene->tracks.list[i].row.execution},
        .outcome = OUTCOME_SUCCEEDED,
        .chunks = chunks,
    };

    told(scene, EVENT_FINISHED, &finished);
}

static void recorded(struct scene *scene, size_t i, int64_t number,
                     const char *text)
{
    struct piece piece = {.execution = scene->tracks.list[i].row.execution,
                          .number = number,
                          .chunk = chunk_of(text)};
    struct output_answer answer = {.pieces = {&piece, 1}};
    struct err err = {0};

    assert_int_equal(track_pieces(&scene->tracks.list[i], &answer, &err), 0);
    buf_done(&piece.chunk.data);
}

static const char *const one[] = {"web-1"};
static const char *const two[] = {"web-1", "web-2"};

static void live_output_comes_out_as_it_comes(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, one, 1);
    output(&s, 0, 1, "a");
    output(&s, 0, 2, "b\n");
    bool early = track_whole(&s.tracks.list[0]);
    finished(&s, 0, 2);
    bool whole = track_whole(&s.tracks.list[0]);
    came_out(&s, "ab\n");
    assert_false(early);
    assert_true(whole);
}

static void a_gap_is_filled_from_the_record_before_going_on(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, one, 1);
    output(&s, 0, 1, "1");
    output(&s, 0, 3, "3");
    finished(&s, 0, 4);
    bool early = track_whole(&s.tracks.list[0]);
    int64_t behind = s.tracks.list[0].behind;
    recorded(&s, 0, 1, "1");
    recorded(&s, 0, 2, "2");
    recorded(&s, 0, 3, "3");
    recorded(&s, 0, 4, "4");
    bool whole = track_whole(&s.tracks.list[0]);
    came_out(&s, "1234");
    assert_false(early);
    assert_true(behind != 0);
    assert_true(whole);
}

static void what_is_told_twice_comes_out_once(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, one, 1);
    output(&s, 0, 1, "1");
    output(&s, 0, 1, "1");
    recorded(&s, 0, 1, "1");
    output(&s, 0, 2, "2");
    came_out(&s, "12");
}

static void output_may_come_inside_of_finished(void **state)
{
    struct chunk chunk = chunk_of("all\n");
    struct scene s;

    (void)state;
    begin(&s, one, 1);
    struct execution_finished finished = {
        .result = {.execution = s.tracks.list[0].row.execution},
        .outcome = OUTCOME_FAILED,
        .exit = 3,
        .chunks = 1,
        .output = {&chunk, 1},
    };
    told(&s, EVENT_FINISHED, &finished);
    bool whole = track_whole(&s.tracks.list[0]);
    _cleanup_free_ char *how = execution_text(&s.tracks.list[0].row);
    buf_done(&chunk.data);
    came_out(&s, "all\n");
    assert_true(whole);
    assert_string_equal(how, "failed (exit 3) at once");
}

static void of_several_targets_whole_lines_come_out(void **state)
{
    struct scene s;
    struct err err = {0};

    (void)state;
    begin(&s, two, 2);
    output(&s, 0, 1, "on");
    output(&s, 1, 1, "uno\ndue");
    output(&s, 0, 2, "e\n");
    assert_int_equal(spout_end(s.tracks.list[1].spout, &err), 0);
    came_out(&s, "web-2: uno\nweb-1: one\nweb-2: due\n");
}

static void only_lost_gives_way(void **state)
{
    struct scene s;
    struct execution_row row = {.state = EXECUTION_ENDED};
    struct run_answer later = {.executions = {&row, 1}};

    (void)state;
    begin(&s, one, 1);
    row.execution = s.tracks.list[0].row.execution;
    row.outcome = OUTCOME_LOST;
    tracks_rows(&s.tracks, &later);
    int first = s.tracks.list[0].row.outcome;
    row.outcome = OUTCOME_FAILED;
    tracks_rows(&s.tracks, &later);
    int second = s.tracks.list[0].row.outcome;
    row.outcome = OUTCOME_SUCCEEDED;
    tracks_rows(&s.tracks, &later);
    int third = s.tracks.list[0].row.outcome;
    came_out(&s, "");
    assert_int_equal(first, OUTCOME_LOST);
    assert_int_equal(second, OUTCOME_FAILED);
    assert_int_equal(third, OUTCOME_FAILED);
}

static void how_it_ended_is_said_in_words(void **state)
{
    struct execution_row row = {.state = EXECUTION_ENDED,
                                .outcome = OUTCOME_TIMED_OUT,
                                .started = 1000,
                                .finished = 62000,
                                .exit = 124};
    _cleanup_free_ char *long_one = execution_text(&row);
    row.finished = 1310;
    row.signal = 9;
    row.reason = (char *)"why";
    _cleanup_free_ char *short_one = execution_text(&row);
    _cleanup_free_ char *waits =
        execution_text(&(struct execution_row){.state = EXECUTION_WAITING});

    (void)state;
    assert_string_equal(long_one, "timed out (exit 124) in 1m1s");
    assert_string_equal(short_one, "timed out (signal 9) in 0.31 s: why");
    assert_string_equal(waits, "waiting");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_output_comes_out_as_it_comes),
        cmocka_unit_test(a_gap_is_filled_from_the_record_before_going_on),
        cmocka_unit_test(what_is_told_twice_comes_out_once),
        cmocka_unit_test(output_may_come_inside_of_finished),
        cmocka_unit_test(of_several_targets_whole_lines_come_out),
        cmocka_unit_test(only_lost_gives_way),
        cmocka_unit_test(how_it_ended_is_said_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

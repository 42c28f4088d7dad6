/*
 * test_rows.c: the recorder's verdicts, from tests/tables/rows.txt, and its
 * statements' parameters. A table's line has four columns, divided by `|`; the
 * second and third are `key=value` words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants those before it. */
#include <cmocka.h>

#include "consumer/recorder/rows.h"
#include "tests/unit/table.h"

static struct id id_byte(int byte)
{
    struct id id;

    memset(id.b, byte, sizeof(id.b));
    return id;
}

static struct hash hash_byte(int byte)
{
    struct hash hash;

    memset(hash.b, byte, sizeof(hash.b));
    return hash;
}

#define EXECUTION 0xe0
#define STARTED 0x50
#define FINISHED 0xf0
#define THIS 0xee

static struct known make_known(const struct cells *cells)
{
    const char *claim = cell_text(cells, "claim", "executor");
    struct known known = {
        .execution = id_byte(EXECUTION),
        .place = {.target = "web", .generation = 1},
        .claim = {.kind = word_value(&claim_kind_words, claim),
                  .closing = word_value(&closing_words, claim),
                  .key = hash_byte(1)},
        .outcome = word_value(&outcome_words, cell_text(cells, "outcome", "")),
        .chunks = cell_number(cells, "chunks", 0),
    };

    if (known.claim.kind == CLAIM_EXECUTOR) {
        known.claim.incarnation = id_byte(1);
    } else if (known.claim.closing != 0) {
        known.claim.kind = CLAIM_CLOSING;
    }
    if (cell_text(cells, "started", NULL) != NULL) {
        known.started = hash_byte(STARTED);
    }
    if (known.outcome != OUTCOME_NONE) {
        known.said_by =
            word_value(&said_by_words, cell_text(cells, "said", "executor"));
        known.finished = hash_byte(FINISHED);
    }
    for (const char *at = cell_text(cells, "recorded", ""); *at != '\0';
         at += strspn(at, ",")) {
        char *end;
        struct numbered *n = list_grow(&known.numbers, sizeof(*n));
        n->number = strtol(at, &end, 10);
        n->hash = hash_byte((int)n->number);
        at = end;
    }
    return known;
}

static struct speaker make_speaker(const struct cells *cells)
{
    struct speaker speaker = {
        .kind =
            word_value(&service_kind_words, cell_text(cells, "by", "executor")),
        .service = hash_byte(0x5e),
        .key = hash_byte((int)cell_number(cells, "key", 1)),
        .name = "web-1",
    };

    if (speaker.kind == SERVICE_EXECUTOR) {
        (void)snprintf(speaker.target, sizeof(speaker.target), "%s",
                       cell_text(cells, "target", "web"));
        speaker.generation = cell_number(cells, "generation", 1);
    }
    return speaker;
}

static struct hash previous(const struct cells *cells)
{
    const char *text = cell_text(cells, "previous", NULL);

    return text == NULL             ? (struct hash){.b = {0}}
           : strcmp(text, "x") == 0 ? hash_byte(0x77)
           : strcmp(text, "0") == 0 ? hash_byte(STARTED)
                                    : hash_byte(atoi(text));
}

static struct result make_result(const struct cells *cells)
{
    return (struct result){
        .head = {.issued = 1000},
        .execution = id_byte(EXECUTION),
        .incarnation =
            id_byte(strcmp(cell_text(cells, "by", ""), "scheduler") == 0
                        ? 0
                        : (int)cell_number(cells, "incarnation", 1)),
        .number = cell_number(cells, "number", 0),
        .previous = previous(cells)};
}

union payload {
    struct execution_started started;
    struct execution_output output;
    struct execution_finished finished;
    struct executor_hello hello;
    struct claim claim;
};

/* The hash that the recorded event of this kind has. */
static struct hash recorded_hash(const struct event *event, int64_t number)
{
    return hash_byte(event->kind == EVENT_STARTED  ? STARTED
                     : event->kind == EVENT_OUTPUT ? (int)number
                                                   : FINISHED);
}

static void make_event(const struct cells *cells, union payload *payload,
                       struct event *event)
{
    struct result result = make_result(cells);

    *event = (struct event){.payload = payload, .hash = hash_byte(THIS)};
    if (strcmp(cells->first, "started") == 0) {
        event->kind = EVENT_STARTED;
        payload->started = (struct execution_started){.result = result};
    } else if (strcmp(cells->first, "output") == 0) {
        event->kind = EVENT_OUTPUT;
        payload->output = (struct execution_output){.result = result};
    } else {
        event->kind = EVENT_FINISHED;
        payload->finished = (struct execution_finished){
            .result = result,
            .outcome =
                word_value(&outcome_words, cell_text(cells, "outcome", "")),
            .chunks = cell_number(cells, "chunks", 0)};
        /* Only their number counts. */
        payload->finished.output.n = (size_t)cell_number(cells, "inside", 0);
    }
    if (cell_text(cells, "same", NULL) != NULL) {
        event->hash = recorded_hash(event, result.number);
    }
}

static const char *const verdicts[] = {"dead", "pass", "write"};

static void check(const struct line *line, const char *got, const char *reason)
{
    if (strcmp(got, line->expected) != 0 ||
        strstr(reason, line->reason) == NULL) {
        fail_msg("line %d: %s: got %s (%s)", line->number, line->name, got,
                 reason);
    }
}

static void check_result(const struct line *line)
{
    struct known known = make_known(&line->given);
    struct speaker speaker = make_speaker(&line->event);
    union payload payload;
    struct event event;
    struct err reason = {0};

    make_event(&line->event, &payload, &event);
    enum verdict verdict = result_judge(&known, &event, &speaker, &reason);
    check(line, verdicts[verdict], reason.text);
    if (verdict == VERDICT_WRITE) {
        /* What was written is known: the same bytes then pass. */
        assert_int_equal(result_judge(&known, &event, &speaker, &reason),
                         VERDICT_PASS);
    }
    known_done(&known);
}

static void check_claim(const struct line *line)
{
    const struct cells *cells = &line->event;
    bool other = strcmp(cell_text(cells, "execution", ""), "other") == 0;
    union payload payload = {
        .claim = {
            .execution = id_byte(other ? 0xe1 : EXECUTION),
            .incarnation = id_byte((int)cell_number(cells, "incarnation", 1)),
            .closing =
                word_value(&closing_words, cell_text(cells, "closing", ""))}};
    struct event event = {.kind = strcmp(cells->first, "claim") == 0
                                      ? EVENT_CLAIM
                                      : EVENT_STARTED,
                          .payload = &payload};
    struct speaker speaker = make_speaker(cells);
    struct claim_row row = {.execution = id_byte(EXECUTION),
                            .place = {.target = "web", .generation = 1}};
    bool unreadable = cell_text(cells, "unreadable", NULL) != NULL;
    struct err reason = {.kind = ERR_REJECT};

    (void)snprintf(reason.text, sizeof(reason.text), "%s",
                   unreadable ? "unreadable" : "nobody");
    claim_row_fill(&row, unreadable ? NULL : &event, &speaker, &reason);
    check(line, word_text(&claim_kind_words, row.kind), row.reason);
}

static void check_hello(const struct line *line)
{
    const struct cells *given = &line->given;
    const struct cells *cells = &line->event;
    struct heard heard = {.current =
                              id_byte((int)cell_number(given, "current", 0)),
                          .hello_at = cell_number(given, "hello_at", 0),
                          .seen = cell_text(given, "seen", NULL) != NULL};
    struct executor_hello hello = {
        .head = {.issued = cell_number(cells, "issued", 1)},
        .name = (char *)cell_text(cells, "name", "web-1"),
        .target = (char *)cell_text(cells, "for", "web"),
        .incarnation = id_byte((int)cell_number(cells, "incarnation", 1))};
    struct speaker speaker = make_speaker(cells);
    struct err reason = {0};

    (void)snprintf(heard.seen_as, sizeof(heard.seen_as), "%s",
                   cell_text(given, "seen", ""));
    enum verdict verdict = hello_judge(&heard, &hello, &speaker, &reason);
    check(line, verdicts[verdict], reason.text);
    if (verdict == VERDICT_WRITE) {
        assert_true(id_equal(&heard.current, &hello.incarnation));
        assert_int_equal(hello_judge(&heard, &hello, &speaker, &reason),
                         VERDICT_PASS);
    }
}

static void on_line(const struct line *line)
{
    if (strcmp(line->event.first, "hello") == 0) {
        check_hello(line);
    } else if (strstr(line->event.first, "claim") != NULL) {
        check_claim(line);
    } else {
        check_result(line);
    }
}

static void each_event_has_the_tables_verdict(void **state)
{
    (void)state;
    assert_true(table_each("tests/tables/rows.txt", on_line) > 70);
}

static void output_inside_is_numbered_to_the_last_chunk(void **state)
{
    struct chunk chunks[2] = {{.stream = STREAM_STDOUT},
                              {.stream = STREAM_STDERR}};
    struct execution_finished finished = {.chunks = 5,
                                          .output = {.items = chunks, .n = 2}};
    struct event event = {.kind = EVENT_FINISHED, .payload = &finished};
    struct row row;

    (void)state;
    assert_true(chunk_statement(&event, 0, &row));
    assert_int_equal(row.params[1].number, 4);
    assert_string_equal(row.params[2].bytes, "stdout");
    assert_true(chunk_statement(&event, 1, &row));
    assert_int_equal(row.params[1].number, 5);
    assert_false(chunk_statement(&event, 2, &row));
}

static void what_only_the_executor_knows_is_null_from_a_scheduler(void **state)
{
    struct execution_finished finished = {.outcome = OUTCOME_LOST, .exit = 7};
    struct event event = {.kind = EVENT_FINISHED, .payload = &finished};
    struct speaker scheduler = {.kind = SERVICE_SCHEDULER};
    struct speaker executor = {.kind = SERVICE_EXECUTOR};
    struct row row;

    (void)state;
    result_statement(&event, &scheduler, &row);
    assert_string_equal(row.params[7].bytes, "scheduler");
    for (size_t i = 8; i < 14; i++) {
        assert_int_equal(row.params[i].kind, PARAM_NULL);
    }
    finished.started = true;
    result_statement(&event, &executor, &row);
    assert_int_equal(row.params[8].number, 1);
    assert_int_equal(row.params[9].number, 7);
}

static void ids_make_an_array(void **state)
{
    struct id ids[2] = {id_byte(1), id_byte(0xff)};
    struct list none = {.n = 0};
    struct list two = {.items = ids, .n = 2};
    _cleanup_free_ char *empty = uuid_array(&none);
    _cleanup_free_ char *both = uuid_array(&two);

    (void)state;
    assert_string_equal(empty, "{}");
    assert_string_equal(both, "{01010101-0101-0101-0101-010101010101,"
                              "ffffffff-ffff-ffff-ffff-ffffffffffff}");
}

static void a_chunk_needs_itself_and_the_one_before(void **state)
{
    struct execution_output output = {.result = {.number = 1}};
    struct event event = {.kind = EVENT_OUTPUT, .payload = &output};
    int64_t first = 0;

    (void)state;
    assert_int_equal(rows_needs(&event, &first), 1);
    assert_int_equal(first, 1);
    output.result.number = 9;
    assert_int_equal(rows_needs(&event, &first), 2);
    assert_int_equal(first, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_has_the_tables_verdict),
        cmocka_unit_test(output_inside_is_numbered_to_the_last_chunk),
        cmocka_unit_test(what_only_the_executor_knows_is_null_from_a_scheduler),
        cmocka_unit_test(ids_make_an_array),
        cmocka_unit_test(a_chunk_needs_itself_and_the_one_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

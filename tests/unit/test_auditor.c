/* test_auditor.c: which row of an audit log is named, and when none is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"
#include "producer/submit/auditor.h"

#define ROWS 6 /* in partition 2; one more in partition 5 */

static const char where[] = "errand.events";
static char accepted[] = "accepted";
static char refused[] = "refused";
static char another[] = "another";

struct log {
    struct chain chain;
    struct proof *proof;
    struct auditor *auditor;
    struct audit_row rows[ROWS + 1];
    size_t n;
    struct err err;
};

/* Its hash, and that of those behind it in its partition. */
static void hash_from(struct log *log, size_t i)
{
    for (; i < log->n; i++) {
        struct audit_row *row = &log->rows[i];
        row->previous =
            row->number > 1 ? log->rows[i - 1].hash : (struct hash){{0}};
        row->hash = audit_row_hash(row);
    }
}

static void add(struct log *log, int64_t partition, int64_t number,
                enum event_kind kind)
{
    struct envelope *envelope = chain_find(&log->chain.envelopes, kind);
    struct audit_row *row = &log->rows[log->n++];
    struct envelope copy = envelope_dup(envelope);
    struct event *event = event_new_take(&copy, &log->err);
    const struct head *head = event->payload;

    *row = (struct audit_row){
        .partition = partition,
        .number = number,
        .id = head->id,
        .request = event->hash,
        .verb = (char *)event_types[kind].verb,
        .key = list_at(&envelope->signatures, struct signature, 0).key,
        .decision = accepted,
        .status = accepted,
        .size = (int64_t)envelope->payload.len,
        .issued = head->issued,
        .decided = head->issued + 1,
        .offset = number,
    };
    (void)envelope_encode(envelope, &row->envelope, &log->err);
    event_free(event);
}

static int set_up(void **state)
{
    struct log *log = must_calloc(1, sizeof(*log));

    chain_init(&log->chain);
    chain_sign(&log->chain);
    log->proof = proof_new(&log->chain.roots, NULL, NULL);
    (void)proof_add_all(log->proof, &log->chain.envelopes, &log->err);
    log->auditor = auditor_new();
    add(log, 2, 1, EVENT_USER_INVITE);
    add(log, 2, 2, EVENT_USER_VERIFY);
    add(log, 2, 3, EVENT_SESSION_OPEN);
    add(log, 2, 4, EVENT_COMMAND_SAVE);
    add(log, 2, 5, EVENT_ASSIGNMENT_ADD);
    add(log, 2, 6, EVENT_RUN_START);
    add(log, 5, 1, EVENT_RUN_START);
    log->rows[5].user = log->chain.verify.user;
    hash_from(log, 0);
    *state = log;
    return 0;
}

static int tear_down(void **state)
{
    struct log *log = *state;

    for (size_t i = 0; i < ROWS + 1; i++) {
        buf_done(&log->rows[i].envelope);
    }
    auditor_free(log->auditor);
    proof_free(log->proof);
    chain_done(&log->chain);
    free(log);
    return 0;
}

static struct checkpoint end_at(const struct log *log, size_t i)
{
    return (struct checkpoint){.partition = log->rows[i].partition,
                               .rows = log->rows[i].number,
                               .head = log->rows[i].hash};
}

static void expect(struct log *log, size_t i)
{
    struct checkpoint at = end_at(log, i);

    auditor_expect(log->auditor, &at, where);
}

static int judge(struct log *log)
{
    for (size_t i = 0; i < log->n; i++) {
        if (auditor_row(log->auditor, log->proof, &log->rows[i], &log->err)) {
            return -1;
        }
    }
    return auditor_end(log->auditor, &log->err);
}

static void named(struct log *log, const char *what)
{
    assert_int_equal(judge(log), -1);
    assert_int_equal(log->err.status, 65);
    if (strstr(log->err.text, what) == NULL) {
        fail_msg("'%s' does not say '%s'", log->err.text, what);
    }
}

static void drop(struct log *log, size_t i, size_t n)
{
    for (size_t k = i; k < i + n; k++) {
        buf_done(&log->rows[k].envelope);
    }
    memmove(&log->rows[i], &log->rows[i + n],
            (log->n - i - n) * sizeof(log->rows[0]));
    memset(&log->rows[log->n - n], 0, n * sizeof(log->rows[0]));
    log->n -= n;
}

static void a_log_as_it_was_written_passes(void **state)
{
    struct log *log = *state;

    expect(log, 6);
    expect(log, 3);
    expect(log, 3); /* seen in two places */
    expect(log, 5);
    if (judge(log) != 0) {
        fail_msg("%s", log->err.text);
    }
    const struct audited *audited = auditor_audited(log->auditor);
    assert_int_equal(audited->rows, 7);
    assert_int_equal(audited->partitions, 2);
    assert_int_equal(audited->signatures, 7);
    assert_int_equal(audited->checkpoints, 4);
    assert_int_equal(audited->open.n, 0);
    assert_true(auditor_is_covered(log->auditor, false, &log->err));
}

static void an_altered_row_is_named(void **state)
{
    struct log *log = *state;

    log->rows[2].reason = another;
    named(log, "partition 2, row 3 was altered");
}

static void every_member_counts(void **state)
{
    struct log *log = *state;
    struct audit_row *row = &log->rows[4];
    struct audit_row was = *row;
    int64_t *const numbers[] = {&row->size, &row->issued, &row->decided,
                                &row->offset};
    unsigned char *const bytes[] = {row->id.b,    row->request.b,
                                    row->key.b,   row->user.b,
                                    row->reply.b, row->previous.b};
    char **const texts[] = {&row->verb,   &row->command, &row->decision,
                            &row->status, &row->reason,  &row->text};

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++, *row = was) {
        (*numbers[i])++;
        struct hash hash = audit_row_hash(row);
        assert_false(hash_equal(&hash, &was.hash));
    }
    for (size_t i = 0; i < ARRAY_SIZE(bytes); i++, *row = was) {
        bytes[i][0] ^= 1;
        struct hash hash = audit_row_hash(row);
        assert_false(hash_equal(&hash, &was.hash));
    }
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++, *row = was) {
        *texts[i] = another;
        struct hash hash = audit_row_hash(row);
        assert_false(hash_equal(&hash, &was.hash));
    }
}

static void one_with_a_new_hash_does_not_fit_the_next(void **state)
{
    struct log *log = *state;

    log->rows[2].reason = another;
    log->rows[2].hash = audit_row_hash(&log->rows[2]);
    named(log, "partition 2, row 4 was altered or added");
}

static void
a_chain_that_is_written_anew_differs_from_what_was_signed(void **state)
{
    struct log *log = *state;

    expect(log, 1);
    expect(log, 3);
    expect(log, 5);
    log->rows[2].reason = another;
    hash_from(log, 2);
    named(log, "partition 2, rows 3 to 4: altered");
}

static void a_removed_row_is_named(void **state)
{
    struct log *log = *state;

    drop(log, 2, 2);
    named(log, "partition 2, rows 3 to 4: removed");
}

static void the_first_row_may_be_the_one_that_was_removed(void **state)
{
    struct log *log = *state;

    drop(log, 0, 1);
    named(log, "partition 2, row 1: removed");
}

static void the_end_may_be_what_was_removed(void **state)
{
    struct log *log = *state;

    expect(log, 5);
    drop(log, 4, 2);
    named(log, "partition 2, rows 5 to 6: removed from the end");
}

static void a_whole_partition_may_be_what_was_removed(void **state)
{
    struct log *log = *state;

    expect(log, 6);
    drop(log, 6, 1);
    named(log, "partition 5, row 1: removed from the end");
}

static void swapped_rows_are_named(void **state)
{
    struct log *log = *state;
    struct audit_row row = log->rows[1];

    log->rows[1] = log->rows[2];
    log->rows[2] = row;
    log->rows[1].number = 2;
    log->rows[2].number = 3;
    named(log, "partition 2, row 2 was altered");
}

static void a_number_twice_is_named(void **state)
{
    struct log *log = *state;

    log->rows[2].number = 2;
    named(log, "there is one of this number before");
}

static void an_envelope_with_another_byte_is_named(void **state)
{
    struct log *log = *state;
    unsigned char *sig =
        (unsigned char *)strstr((char *)log->rows[4].envelope.data, "\"sig\"");

    sig[10] = sig[10] == 'A' ? 'B' : 'A';
    named(log, "partition 2, row 5 was altered or added");
}

static void an_envelope_that_is_gone_is_named(void **state)
{
    struct log *log = *state;

    buf_done(&log->rows[4].envelope);
    log->rows[4].envelope = (struct buf){0};
    named(log, "its request is not there");
}

static void only_a_refusal_of_over_64_kib_may_lack_it(void **state)
{
    struct log *log = *state;

    buf_done(&log->rows[4].envelope);
    log->rows[4].envelope = (struct buf){0};
    log->rows[4].size = AUDIT_KEPT_MAX + 1;
    log->rows[4].decision = refused;
    hash_from(log, 4);
    assert_int_equal(judge(log), 0);
    assert_int_equal(auditor_audited(log->auditor)->unsigned_rows, 1);
}

static void another_s_request_in_a_row_s_place_is_named(void **state)
{
    struct log *log = *state;
    struct buf envelope = log->rows[4].envelope;

    log->rows[4].envelope = log->rows[3].envelope;
    log->rows[3].envelope = envelope;
    named(log, "partition 2, row 4 was altered or added");
}

static void another_user_beside_a_request_is_named(void **state)
{
    struct log *log = *state;

    log->rows[5].user.b[0] ^= 1;
    hash_from(log, 5);
    named(log, "somebody else signed its request");
}

static void a_signer_without_a_chain_is_nobody(void **state)
{
    struct log *log = *state;

    proof_free(log->proof);
    log->proof = proof_new(&log->chain.roots, NULL, NULL);
    named(log, "the proof lacks an envelope");
}

static void a_row_behind_the_last_checkpoint_was_added(void **state)
{
    struct log *log = *state;

    expect(log, 4);
    expect(log, 6);
    assert_int_equal(judge(log), 0);
    assert_false(auditor_is_covered(log->auditor, false, &log->err));
    assert_non_null(strstr(log->err.text, "partition 2, row 6: added"));
}

static void unless_its_checkpoint_comes(void **state)
{
    struct log *log = *state;

    expect(log, 2);
    expect(log, 6);
    assert_int_equal(judge(log), 0);
    struct checkpoint at = end_at(log, 5);
    struct checkpoint other = end_at(log, 4);
    assert_int_equal(auditor_late(log->auditor, &other, &log->err), 0);
    assert_false(auditor_is_covered(log->auditor, false, &log->err));
    other = at;
    other.head.b[0] ^= 1;
    assert_int_equal(auditor_late(log->auditor, &other, &log->err), -1);
    assert_int_equal(auditor_late(log->auditor, &at, &log->err), 0);
    assert_true(auditor_is_covered(log->auditor, false, &log->err));
}

static void where_nothing_was_signed_it_is_said(void **state)
{
    struct log *log = *state;

    expect(log, 5);
    assert_int_equal(judge(log), 0);
    const struct list *open = &auditor_audited(log->auditor)->open;
    assert_int_equal(open->n, 1);
    assert_int_equal(list_at(open, int64_t, 0), 5);
    assert_true(auditor_is_covered(log->auditor, false, &log->err));
    assert_false(auditor_is_covered(log->auditor, true, &log->err));
    assert_non_null(strstr(log->err.text, "partition 5, row 1: added"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* Cuts */

/* The rows from i to j stand in a span, and are gone. */
static void cut(struct log *log, size_t i, size_t j)
{
    struct span_row span = {.partition = log->rows[i].partition,
                            .first = log->rows[i].number,
                            .last = log->rows[j].number,
                            .previous = log->rows[i].previous,
                            .head = log->rows[j].hash};
    struct audit_cut said = {.until = 1, .spans = {.items = &span, .n = 1}};

    auditor_cut(log->auditor, &said);
    drop(log, i, j - i + 1);
}

static void passes(struct log *log, int64_t dropped)
{
    if (judge(log) != 0) {
        fail_msg("%s", log->err.text);
    }
    assert_int_equal(auditor_audited(log->auditor)->dropped, dropped);
}

static void rows_that_were_cut_are_not_missed(void **state)
{
    struct log *log = *state;

    expect(log, 1); /* within it: nothing to be compared with */
    expect(log, 2);
    expect(log, 5);
    cut(log, 0, 2);
    passes(log, 3);
    assert_int_equal(auditor_audited(log->auditor)->partitions, 2);
}

static void nor_are_those_in_the_middle_and_at_the_end(void **state)
{
    struct log *log = *state;

    expect(log, 5);
    cut(log, 5, 5);
    cut(log, 2, 3);
    passes(log, 3);
    assert_true(auditor_is_covered(log->auditor, false, &log->err));
}

static void nor_is_a_whole_partition(void **state)
{
    struct log *log = *state;

    expect(log, 6);
    cut(log, 6, 6);
    passes(log, 1);
}

static void nor_are_cuts_that_follow_each_other(void **state)
{
    struct log *log = *state;
    struct span_row spans[] = {{2, 3, 3, log->rows[1].hash, log->rows[2].hash},
                               {2, 1, 2, {{0}}, log->rows[1].hash}};
    struct audit_cut said = {.spans = {.items = spans, .n = 2}};

    auditor_cut(log->auditor, &said);
    drop(log, 0, 3);
    passes(log, 3);
}

static void rows_beside_a_cut_are_missed(void **state)
{
    struct log *log = *state;

    cut(log, 0, 1);
    drop(log, 0, 1);
    named(log, "partition 2, row 3: removed");
}

static void so_are_rows_before_one(void **state)
{
    struct log *log = *state;

    cut(log, 2, 3);
    drop(log, 0, 1);
    named(log, "partition 2, row 1: removed");
}

static void a_row_that_was_altered_beside_a_cut_is_noticed(void **state)
{
    struct log *log = *state;

    cut(log, 2, 3);
    log->rows[1].reason = another;
    log->rows[1].hash = audit_row_hash(&log->rows[1]);
    named(log, "partition 2, rows 3 to 4: dropped");
}

static void a_chain_written_anew_behind_a_cut_is_noticed(void **state)
{
    struct log *log = *state;

    cut(log, 0, 1);
    log->rows[0].previous = log->rows[0].hash;
    log->rows[0].hash = audit_row_hash(&log->rows[0]);
    named(log, "does not follow the row before");
}

static void a_cut_of_rows_that_are_there_is_noticed(void **state)
{
    struct log *log = *state;
    struct span_row span = {2, 2, 4, log->rows[0].hash, log->rows[3].hash};
    struct audit_cut said = {.spans = {.items = &span, .n = 1}};

    auditor_cut(log->auditor, &said);
    named(log, "partition 2, rows 2 to 4: dropped");
}

static void a_checkpoint_at_a_cut_s_end_is_compared(void **state)
{
    struct log *log = *state;

    log->rows[2].hash.b[0] ^= 1;
    expect(log, 2);
    log->rows[2].hash.b[0] ^= 1;
    cut(log, 0, 2);
    named(log, "the authorizer signed for another row 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_log_as_it_was_written_passes),
        CASE(an_altered_row_is_named),
        CASE(every_member_counts),
        CASE(one_with_a_new_hash_does_not_fit_the_next),
        CASE(a_chain_that_is_written_anew_differs_from_what_was_signed),
        CASE(a_removed_row_is_named),
        CASE(the_first_row_may_be_the_one_that_was_removed),
        CASE(the_end_may_be_what_was_removed),
        CASE(a_whole_partition_may_be_what_was_removed),
        CASE(swapped_rows_are_named),
        CASE(a_number_twice_is_named),
        CASE(an_envelope_with_another_byte_is_named),
        CASE(an_envelope_that_is_gone_is_named),
        CASE(only_a_refusal_of_over_64_kib_may_lack_it),
        CASE(another_s_request_in_a_row_s_place_is_named),
        CASE(another_user_beside_a_request_is_named),
        CASE(a_signer_without_a_chain_is_nobody),
        CASE(a_row_behind_the_last_checkpoint_was_added),
        CASE(unless_its_checkpoint_comes),
        CASE(where_nothing_was_signed_it_is_said),
        CASE(rows_that_were_cut_are_not_missed),
        CASE(nor_are_those_in_the_middle_and_at_the_end),
        CASE(nor_is_a_whole_partition),
        CASE(nor_are_cuts_that_follow_each_other),
        CASE(rows_beside_a_cut_are_missed),
        CASE(so_are_rows_before_one),
        CASE(a_row_that_was_altered_beside_a_cut_is_noticed),
        CASE(a_chain_written_anew_behind_a_cut_is_noticed),
        CASE(a_cut_of_rows_that_are_there_is_noticed),
        CASE(a_checkpoint_at_a_cut_s_end_is_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

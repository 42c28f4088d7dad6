/*
 * results.c: results, hellos and mails' fates into their tables; see recorder.h
 * and rows.h.
 */
#include "consumer/recorder/facts.h"

static void judge_hello(struct item *item, struct facts *facts)
{
    const struct executor_hello *hello = item->event->payload;
    struct heard heard = facts_heard(facts, hello);

    item->verdict = hello_judge(&heard, hello, &item->speaker, &item->reason);
    if (item->verdict == VERDICT_WRITE) {
        facts_hear(facts, &heard, hello);
    }
}

static void judge(struct item *item, struct facts *facts)
{
    item->verdict = item->others ? VERDICT_PASS : VERDICT_DEAD;
    if (item->others) {
        return;
    }
    if (item->reason.kind != ERR_NONE) {
        return; /* unreadable, by nobody whom we know, or refused */
    }
    if (item->event->kind == EVENT_HELLO) {
        judge_hello(item, facts);
    } else if (item->speaker.kind == SERVICE_NOTIFIER) {
        item->verdict = VERDICT_WRITE; /* the row itself only moves forward */
    } else {
        item->verdict =
            result_judge(facts_known(facts, item->event), item->event,
                         &item->speaker, &item->reason);
    }
}

static int write_hello(struct recorder *recorder, const struct item *item,
                       struct err *err)
{
    const struct executor_hello *hello = item->event->payload;
    _cleanup_free_ char *running = uuid_array(&hello->running);
    struct row rows[2];

    hello_statements(hello, item->record.timestamp, running, rows);
    return write_row(recorder, &rows[0], err) != 0
               ? -1
               : write_row(recorder, &rows[1], err);
}

static int write_result(struct recorder *recorder, const struct item *item,
                        struct err *err)
{
    struct row row;

    if (item->event->kind != EVENT_OUTPUT) {
        result_statement(item->event, &item->speaker, &row);
        if (write_row(recorder, &row, err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; chunk_statement(item->event, i, &row); i++) {
        if (write_row(recorder, &row, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int write_fate(struct recorder *recorder, const struct item *item,
                      struct err *err)
{
    struct row row;

    fate_statement(item->event, &item->speaker, &row);
    return write_row(recorder, &row, err);
}

static int write_item(struct recorder *recorder, const struct item *item,
                      struct err *err)
{
    if (item->speaker.kind == SERVICE_NOTIFIER) {
        return write_fate(recorder, item, err);
    }
    return item->event->kind == EVENT_HELLO ? write_hello(recorder, item, err)
                                            : write_result(recorder, item, err);
}

static int write_rows(struct recorder *recorder, const struct item *items,
                      size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct item *item = &items[i];
        if (item->verdict == VERDICT_WRITE &&
            write_item(recorder, item, err) != 0) {
            return -1;
        }
    }
    return write_positions(recorder, items, n, err);
}

static int write_some(struct recorder *recorder, struct item *items, size_t n,
                      struct err *err)
{
    struct postgres *postgres = recorder->daemon->postgres;
    _cleanup_facts_ struct facts *facts = facts_load(recorder, items, n, err);

    if (facts == NULL) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        judge(&items[i], facts);
    }
    if (bury(recorder, items, n, err) != 0 ||
        postgres_begin(postgres, err) != 0) {
        return -1;
    }
    if (write_rows(recorder, items, n, err) != 0) {
        postgres_rollback(postgres);
        return -1;
    }
    return 0;
}

int write_results(struct recorder *recorder, struct batch *batch,
                  struct err *err)
{
    return write_batch(recorder, batch, write_some, err);
}

/*
 * transaction.c: a batch and its transaction; see authorizer.h.
 *
 * A COMMIT whose answer was lost is a RETRY: the batch is decided again, and
 * finds its decisions there.
 */
#include "consumer/authorizer/authorizer.h"

void requests_clear(struct requests *batch)
{
    for (size_t i = 0; i < batch->items.n; i++) {
        struct item *item = &list_at(&batch->items, struct item, i);
        record_done(&item->record);
        decided_done(&item->decided);
    }
    free(batch->items.items);
    *batch = (struct requests){0};
}

/* The partitions of what is not decided yet: int64_t, each once. */
static struct list partitions_of(const struct item *items, size_t n)
{
    struct list partitions = {0};

    for (size_t i = 0; i < n; i++) {
        bool known = items[i].done;
        for (size_t j = 0; !known && j < partitions.n; j++) {
            known =
                list_at(&partitions, int64_t, j) == items[i].record.partition;
        }
        if (!known) {
            *(int64_t *)list_grow(&partitions, sizeof(int64_t)) =
                items[i].record.partition;
        }
    }
    return partitions;
}

/* After its last record that was decided. */
static int tell_checkpoint(const struct authorizer *authorizer,
                           struct item *items, size_t n, int64_t partition,
                           struct err *err)
{
    for (size_t i = n; i-- > 0;) {
        if (!items[i].done && items[i].record.partition == partition &&
            items[i].decided.dead.kind == ERR_NONE) {
            return chains_tell(authorizer->chains, authorizer->daemon,
                               partition, &items[i].decided.out, err);
        }
    }
    return 0;
}

static int decide_each(struct authorizer *authorizer, struct item *items,
                       size_t n, const struct list *partitions, struct err *err)
{
    struct daemon *daemon = authorizer->daemon;

    if (chains_lock(authorizer->chains, daemon, partitions, err) != 0 ||
        revocations_refresh(daemon, &authorizer->revocations, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        if (!items[i].done &&
            decide(authorizer, &items[i].record, &items[i].decided, err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < partitions->n; i++) {
        if (tell_checkpoint(authorizer, items, n,
                            list_at(partitions, int64_t, i), err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Every COMMIT is waited for, of reads too: the checkpoints that are sent after
 * it must not speak of rows that a power cut takes back. */
static int decide_all(struct authorizer *authorizer, struct item *items,
                      size_t n, struct err *err)
{
    struct postgres *postgres = authorizer->daemon->postgres;

    if (postgres_begin(postgres, err) != 0) {
        return -1;
    }
    struct list partitions = partitions_of(items, n);
    int failed = decide_each(authorizer, items, n, &partitions, err);
    free(partitions.items);
    return failed ? -1 : postgres_commit(postgres, err);
}

/* All of these n in one transaction, or none. */
static int decide_together(struct authorizer *authorizer, struct item *items,
                           size_t n, struct err *err)
{
    int failed = decide_all(authorizer, items, n, err);

    if (failed) {
        postgres_rollback(authorizer->daemon->postgres);
        source_forget(authorizer->source);
        revocations_forget(&authorizer->revocations);
    }
    for (size_t i = 0; i < n; i++) {
        if (!items[i].done && failed) {
            decided_done(&items[i].decided);
        }
        items[i].done |= !failed;
    }
    return failed;
}

/* Twice, since a row that came between (another authorizer's) may have been
 * what was wrong, and is seen the second time. */
static int decide_alone(struct authorizer *authorizer, struct item *item,
                        struct err *err)
{
    if (decide_together(authorizer, item, 1, err) == 0 ||
        (err->kind == ERR_REJECT &&
         decide_together(authorizer, item, 1, err) == 0)) {
        return 0;
    }
    if (err->kind != ERR_REJECT) {
        return -1;
    }
    item->decided.dead = *err;
    item->done = true;
    return 0;
}

int requests_decide(struct authorizer *authorizer, struct requests *batch,
                    struct err *err)
{
    struct item *items = batch->items.items;
    size_t n = batch->items.n;

    if (decide_together(authorizer, items, n, err) != 0) {
        if (err->kind != ERR_REJECT) {
            return -1;
        }
        for (size_t i = 0; i < n; i++) {
            if (!items[i].done &&
                decide_alone(authorizer, &items[i], err) != 0) {
                return -1;
            }
        }
    }
    batch->decided = true;
    return 0;
}

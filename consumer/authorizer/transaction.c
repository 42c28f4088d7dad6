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

/* Of reads alone nothing was promised: their rows needn't be waited for. */
static int hurry(struct postgres *postgres, const struct item *items, size_t n,
                 struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (items[i].decided.lasting) {
            return 0;
        }
    }
    return PG(postgres, "SET LOCAL synchronous_commit TO off", NULL, err);
}

static int decide_all(struct authorizer *authorizer, struct item *items,
                      size_t n, struct err *err)
{
    struct postgres *postgres = authorizer->daemon->postgres;

    if (postgres_begin(postgres, err) != 0 ||
        revocations_refresh(authorizer->daemon, &authorizer->revocations,
                            err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        if (!items[i].done &&
            decide(authorizer, &items[i].record, &items[i].decided, err) != 0) {
            return -1;
        }
    }
    return hurry(postgres, items, n, err) != 0 ? -1
                                               : postgres_commit(postgres, err);
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

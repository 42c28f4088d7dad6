/*
 * claims.c: claim logs into the table `claims`: the first record with a key
 * decides, whether it can be read or not; see recorder.h and rows.h.
 */
#include <uthash.h>

#include "consumer/recorder/recorder.h"

/* A key that has its first record. */
struct claimed {
    struct {
        struct id execution;
        struct place place;
    } key;
    UT_hash_handle hh;
};

static void claimed_done(struct claimed **all)
{
    struct claimed *at;
    struct claimed *next;

    HASH_ITER (hh, *all, at, next) {
        HASH_DEL(*all, at);
        free(at);
    }
}

/* True where it was not there. */
static bool claimed_add(struct claimed **all, const struct id *execution,
                        const struct place *place)
{
    struct claimed *new = must_calloc(1, sizeof(*new));
    struct claimed *old = NULL;

    new->key.execution = *execution;
    new->key.place = *place;
    HASH_FIND(hh, *all, &new->key, sizeof(new->key), old);
    if (old != NULL) {
        free(new);
        return false;
    }
    HASH_ADD(hh, *all, key, sizeof(new->key), new);
    return true;
}

static int read_key(const struct record *record, struct id *ret_id)
{
    return record->key.len == ID_TEXT - 1
               ? id_parse(buf_text(&record->key), ret_id)
               : -1;
}

static int load(struct recorder *recorder, const struct item *items, size_t n,
                struct claimed **all, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct list ids = {0};

    for (size_t i = 0; i < n; i++) {
        struct id id;
        if (read_key(&items[i].record, &id) == 0) {
            *(struct id *)list_grow(&ids, sizeof(id)) = id;
        }
    }
    _cleanup_free_ char *array = uuid_array(&ids);
    free(ids.items);
    if (PG(recorder->daemon->postgres,
           "SELECT execution_id, target, generation FROM claims"
           " WHERE execution_id = ANY($1::uuid[])",
           &rows, err, P_TEXT(array)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct id id = row_id(rows, i, "execution_id");
        struct place place = place_of(row_text(rows, i, "target"),
                                      row_int(rows, i, "generation"));
        (void)claimed_add(all, &id, &place);
    }
    return 0;
}

static void judge(struct item *item, struct claimed **all)
{
    struct claim_row *row = &item->claim;

    *row = (struct claim_row){.place = item->source->place,
                              .offset = item->record.offset,
                              .appended = item->record.timestamp};
    if (read_key(&item->record, &row->execution) != 0) {
        (void)err_set(&item->reason, ERR_REJECT,
                      "a claim's key is an execution's id");
        item->verdict = VERDICT_DEAD;
        return;
    }
    if (item->refused ||
        !claimed_add(all, &row->execution, &item->source->place)) {
        item->verdict = item->refused ? VERDICT_DEAD : VERDICT_PASS;
        return;
    }
    claim_row_fill(row, item->event, &item->speaker, &item->reason);
    item->verdict = VERDICT_WRITE;
    if (row->kind == CLAIM_VOID) {
        (void)err_set(&item->reason, ERR_REJECT, "%s", row->reason);
        item->verdict = VERDICT_DEAD; /* and yet it has a row */
    }
}

static int write_rows(struct recorder *recorder, const struct item *items,
                      size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct row row;
        if (items[i].claim.kind == CLAIM_NONE) {
            continue;
        }
        claim_statement(&items[i].claim, &row);
        if (write_row(recorder, &row, err) != 0) {
            return -1;
        }
    }
    return write_positions(recorder, items, n, err);
}

static int write_some(struct recorder *recorder, struct item *items, size_t n,
                      struct err *err)
{
    _cleanup_(claimed_done) struct claimed *all = NULL;
    struct postgres *postgres = recorder->daemon->postgres;

    if (load(recorder, items, n, &all, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        judge(&items[i], &all);
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

int write_claims(struct recorder *recorder, struct batch *batch,
                 struct err *err)
{
    return write_batch(recorder, batch, write_some, err);
}

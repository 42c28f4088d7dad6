/* chains.c: see chains.h. */
#include "consumer/authorizer/chains.h"

#include <stdio.h>

#include "base/clock.h"
#include "trust/event.h"

#define LATELY_MS (35 * 24 * 3600 * INT64_C(1000))

struct end {
    struct checkpoint at;
    int64_t moved_at; /* when its last row was decided */
};

struct chains {
    struct list ends; /* struct end */
};

struct chains *chains_new(void)
{
    return must_calloc(1, sizeof(struct chains));
}

static void forget(struct chains *chains)
{
    free(chains->ends.items);
    chains->ends = (struct list){0};
}

void chains_free(struct chains *chains)
{
    if (chains != NULL) {
        forget(chains);
        free(chains);
    }
}

/* The caller asks for partitions that it locked, and no others. */
static struct end *end_of(const struct chains *chains, int64_t partition)
{
    for (size_t i = 0; i < chains->ends.n; i++) {
        struct end *end = &list_at(&chains->ends, struct end, i);
        if (end->at.partition == partition) {
            return end;
        }
    }
    abort();
}

/* The numbers as PostgreSQL's array; the caller's to free. */
static char *numbers_array(const struct list *numbers)
{
    struct buf text = {0};
    int failed = buf_adds(&text, "{");

    for (size_t i = 0; i < numbers->n; i++) {
        failed |= buf_addf(&text, "%s%lld", i == 0 ? "" : ",",
                           (long long)list_at(numbers, int64_t, i));
    }
    failed |= buf_adds(&text, "}");
    if (failed) {
        abort();
    }
    return buf_take(&text);
}

/* The end, and the last row: somebody may have written one behind the end. Only
 * of late, in whole months: a look at each that there is would be a price for
 * every request. */
#define ENDS_SELECT                                                           \
    "SELECT c.partition, c.rows, c.head, c.moved_at, l.number, l.row_hash "   \
    "FROM audit_chains c LEFT JOIN LATERAL (SELECT r.number, r.row_hash "     \
    "FROM requests r WHERE r.partition = c.partition AND r.number IS NOT "    \
    "NULL AND r.id >= uuid_at(month_start(month_of($2::timestamptz))) ORDER " \
    "BY r.number DESC LIMIT 1) l ON true "                                    \
    "WHERE c.partition = ANY ($1::integer[]) ORDER BY c.partition "           \
    "FOR UPDATE OF c"

/* A partition that is new here starts empty. */
static int make_ends(struct postgres *postgres, const char *partitions,
                     struct err *err)
{
    return PG(postgres,
              "INSERT INTO audit_chains (partition, rows, head, moved_at) "
              "SELECT p, 0, decode(repeat('00', 32), 'hex'), now() "
              "FROM unnest($1::integer[]) p ORDER BY p ON CONFLICT DO NOTHING",
              NULL, err, P_TEXT(partitions));
}

/* A row behind the end is not ours. The next one must find a number all the
 * same: who checks the chain names it, here it holds nobody up. (The last row
 * may also be older than the end: it is read as of before the lock.) */
static void add_end(struct chains *chains, const struct daemon *daemon,
                    const struct rows *rows, size_t i)
{
    struct end *end = list_grow(&chains->ends, sizeof(*end));
    int64_t last = row_int(rows, i, "number");

    end->at.partition = row_int(rows, i, "partition");
    end->at.rows = row_int(rows, i, "rows");
    end->at.head = row_hash(rows, i, "head");
    end->moved_at = row_time(rows, i, "moved_at");
    if (last > end->at.rows) {
        log_error(&daemon->log,
                  "the audit log has rows that no authorizer wrote: submit "
                  "audit verify",
                  L_INT("partition", end->at.partition),
                  L_INT("rows", end->at.rows), L_INT("found", last));
        end->at.rows = last;
        end->at.head = row_hash(rows, i, "row_hash");
    }
}

int chains_lock(struct chains *chains, const struct daemon *daemon,
                const struct list *partitions, struct err *err)
{
    _cleanup_free_ char *array = numbers_array(partitions);
    int64_t since = clock_now() - LATELY_MS;
    _cleanup_rows_ struct rows *rows = NULL;

    forget(chains);
    if (PG(daemon->postgres, ENDS_SELECT, &rows, err, P_TEXT(array),
           P_TIME(since)) != 0) {
        return -1;
    }
    if (rows_n(rows) < partitions->n) {
        rows_free(take_ptr(rows));
        if (make_ends(daemon->postgres, array, err) != 0 ||
            PG(daemon->postgres, ENDS_SELECT, &rows, err, P_TEXT(array),
               P_TIME(since)) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        add_end(chains, daemon, rows, i);
    }
    return 0;
}

void chains_append(struct chains *chains, struct audit_row *row)
{
    struct end *end = end_of(chains, row->partition);

    row->number = end->at.rows + 1;
    row->previous = end->at.head;
    row->hash = audit_row_hash(row);
    end->at.rows = row->number;
    end->at.head = row->hash;
    end->moved_at = row->decided;
}

bool chains_end(const struct chains *chains, int64_t partition,
                struct checkpoint *ret_end)
{
    *ret_end = end_of(chains, partition)->at;
    return ret_end->rows > 0;
}

int chains_tell(const struct chains *chains, const struct daemon *daemon,
                int64_t partition, struct list *out, struct err *err)
{
    const struct end *end = end_of(chains, partition);
    struct audit_checkpoint said = {
        .head = head_new(&daemon->root, &daemon->by, end->moved_at),
        .at = end->at};
    _cleanup_envelope_ struct envelope envelope = {0};
    _cleanup_free_ char *source = must_printf("authorizer/%s", daemon->name);
    char key[32];
    struct record record;

    if (end->at.rows == 0) {
        return 0;
    }
    said.head.id = checkpoint_id(&daemon->root, &end->at);
    (void)snprintf(key, sizeof(key), "audit-%lld", (long long)partition);
    if (event_sign(EVENT_AUDIT_CHECKPOINT, &said, daemon->keys, NULL, &envelope,
                   err) != 0 ||
        event_to_record(&envelope, source, "errand.events", PARTITION_BY_KEY,
                        key, &record, err) != 0) {
        return -1;
    }
    *(struct record *)list_grow(out, sizeof(record)) = record;
    return 0;
}

/* auditor.c: see auditor.h. */
#include "producer/submit/auditor.h"

#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "trust/late.h"

struct mark {
    struct checkpoint at;
    const char *where;
};

/* The end of a partition's rows. */
struct end {
    int64_t partition;
    int64_t number;
    int64_t signed_rows; /* of the newest checkpoint that agreed; 0: none */
    struct list open;    /* struct hash: of the rows behind that one */
};

struct auditor {
    struct list marks; /* struct mark, by partition and rows once sorted */
    size_t next;       /* the first mark that no row was compared with */
    bool sorted;
    struct list ends; /* struct end; the last one is of the current partition */
    struct hash head; /* the last row's */
    struct audited audited;
};

struct auditor *auditor_new(void)
{
    return must_calloc(1, sizeof(struct auditor));
}

void auditor_free(struct auditor *auditor)
{
    if (auditor == NULL) {
        return;
    }
    for (size_t i = 0; i < auditor->ends.n; i++) {
        free(list_at(&auditor->ends, struct end, i).open.items);
    }
    free(auditor->ends.items);
    free(auditor->marks.items);
    free(auditor->audited.open.items);
    free(auditor);
}

void auditor_expect(struct auditor *auditor, const struct checkpoint *at,
                    const char *where)
{
    struct mark *mark = list_grow(&auditor->marks, sizeof(*mark));

    *mark = (struct mark){.at = *at, .where = where};
    auditor->sorted = false;
}

static int by_place(const void *a, const void *b)
{
    const struct checkpoint *x = &((const struct mark *)a)->at;
    const struct checkpoint *y = &((const struct mark *)b)->at;

    if (x->partition != y->partition) {
        return x->partition < y->partition ? -1 : 1;
    }
    return x->rows == y->rows ? 0 : x->rows < y->rows ? -1 : 1;
}

/* The next mark that is to be looked at; NULL: none is left. */
static const struct mark *next_mark(struct auditor *auditor)
{
    if (!auditor->sorted && auditor->marks.n > 0) {
        qsort(auditor->marks.items, auditor->marks.n, sizeof(struct mark),
              by_place);
        auditor->sorted = true;
    }
    return auditor->next < auditor->marks.n
               ? &list_at(&auditor->marks, struct mark, auditor->next)
               : NULL;
}

static struct end *current(const struct auditor *auditor)
{
    return auditor->ends.n == 0
               ? NULL
               : &list_at(&auditor->ends, struct end, auditor->ends.n - 1);
}

static struct end *end_of(const struct auditor *auditor, int64_t partition)
{
    for (size_t i = 0; i < auditor->ends.n; i++) {
        struct end *end = &list_at(&auditor->ends, struct end, i);
        if (end->partition == partition) {
            return end;
        }
    }
    return NULL;
}

/* "partition 3, row 17" or "partition 3, rows 17 to 19". */
static char *place(int64_t partition, int64_t from, int64_t to)
{
    return from == to ? must_printf("partition %lld, row %lld",
                                    (long long)partition, (long long)from)
                      : must_printf("partition %lld, rows %lld to %lld",
                                    (long long)partition, (long long)from,
                                    (long long)to);
}

static int wrong(const struct audit_row *row, struct err *err, const char *what)
{
    char moment[TIME_TEXT];

    time_format(row->decided, moment);
    return err_exit(err, EX_DATAERR,
                    "partition %lld, row %lld was altered or added (%.60s of "
                    "%s, request hash %.2x%.2x%.2x...): %s",
                    (long long)row->partition, (long long)row->number,
                    row->verb, moment, row->request.b[0], row->request.b[1],
                    row->request.b[2], what);
}

/* Rows that the authorizer signed for, and that are not there: up to the last
 * mark of this partition. */
static int missing(const struct auditor *auditor, const struct mark *mark,
                   struct err *err)
{
    const struct mark *marks = auditor->marks.items;
    const struct end *end = end_of(auditor, mark->at.partition);
    int64_t last = end == NULL ? 0 : end->number;

    while (mark + 1 < marks + auditor->marks.n &&
           mark[1].at.partition == mark->at.partition) {
        mark++;
    }
    _cleanup_free_ char *which =
        place(mark->at.partition, last + 1, mark->at.rows);

    return err_exit(err, EX_DATAERR,
                    "%s: removed from the end: the authorizer signed for %lld "
                    "rows (%s)",
                    which, (long long)mark->at.rows, mark->where);
}

/* The row's number against the one before, and marks that were passed over. */
static int check_number(struct auditor *auditor, const struct audit_row *row,
                        struct err *err)
{
    const struct mark *mark = next_mark(auditor);
    const struct end *end = current(auditor);
    bool same = end != NULL && end->partition == row->partition;
    int64_t wanted = same ? end->number + 1 : 1;

    if (mark != NULL && mark->at.partition < row->partition) {
        return missing(auditor, mark, err);
    }
    if (row->number == wanted) {
        return 0;
    }
    if (row->number < wanted) {
        return wrong(row, err, "there is one of this number before");
    }
    _cleanup_free_ char *which = place(row->partition, wanted, row->number - 1);
    return err_exit(err, EX_DATAERR, "%s: removed", which);
}

static int check_chain(const struct auditor *auditor,
                       const struct audit_row *row, struct err *err)
{
    static const struct hash none;
    const struct hash *before = row->number == 1 ? &none : &auditor->head;
    struct hash hash = audit_row_hash(row);

    if (!hash_equal(&hash, &row->hash)) {
        return wrong(row, err, "its content does not give its hash");
    }
    return hash_equal(&row->previous, before)
               ? 0
               : wrong(row, err,
                       "it does not follow the row before, or that one was "
                       "altered");
}

/* The row says of its request what the request says itself. */
static const char *check_told(const struct audit_row *row,
                              const struct event *request)
{
    const struct head *head = request->payload;
    const struct signature *signature =
        &list_at(&request->envelope.signatures, struct signature, 0);
    const char *verb = event_types[request->kind].verb;

    return !hash_equal(&request->hash, &row->request) ||
                   (int64_t)request->envelope.payload.len != row->size
               ? "its request is not the one that was decided"
           : verb == NULL || strcmp(verb, row->verb) != 0
               ? "its request is another verb"
           : !id_equal(&head->id, &row->id) || head->issued != row->issued
               ? "its request has another id or time"
           : !hash_equal(&signature->key, &row->key)
               ? "its request names another key"
               : NULL;
}

static int check_signature(struct auditor *auditor, struct proof *proof,
                           const struct audit_row *row, struct err *err)
{
    struct envelope envelope = {0};
    struct signer signer = {0};
    struct err why = {0};

    if (envelope_decode(row->envelope.data, row->envelope.len, &envelope,
                        &why) != 0) {
        return wrong(row, err, "its request can't be read");
    }
    _cleanup_event_ struct event *request = event_new_take(&envelope, &why);
    if (request == NULL) {
        return wrong(row, err, "its request is none");
    }
    const char *other = check_told(row, request);
    if (other != NULL) {
        return wrong(row, err, other);
    }
    if (proof_asker(proof, request, &row->invite, &signer, &why) != 0) {
        return wrong(row, err, why.text);
    }
    if (!id_is_zero(&row->user) && !id_equal(&row->user, &signer.person.user)) {
        return wrong(row, err, "somebody else signed its request");
    }
    auditor->audited.signatures++;
    return 0;
}

static int check_request(struct auditor *auditor, struct proof *proof,
                         const struct audit_row *row, struct err *err)
{
    if (row->envelope.len > 0) {
        return check_signature(auditor, proof, row, err);
    }
    if (!audit_row_is_cut(row)) {
        return wrong(row, err, "its request is not there");
    }
    auditor->audited.unsigned_rows++;
    return 0;
}

/* One that the authorizer signed, and another row stands there. The chain was
 * written anew from some row behind the last one that agreed. */
static int disagrees(const struct end *end, const struct checkpoint *at,
                     const char *where, struct err *err)
{
    _cleanup_free_ char *which =
        place(end->partition, end->signed_rows + 1, at->rows);

    return err_exit(err, EX_DATAERR,
                    "%s: altered, and the chain written anew: the authorizer "
                    "signed for another row %lld (%s)",
                    which, (long long)at->rows, where);
}

static void agree(struct auditor *auditor, struct end *end, int64_t rows)
{
    size_t n = (size_t)(rows - end->signed_rows);

    auditor->audited.checkpoints++;
    end->signed_rows = rows;
    n = n < end->open.n ? n : end->open.n;
    struct hash *items = end->open.items;
    end->open.n -= n;
    if (end->open.n > 0) {
        memmove(items, items + n, end->open.n * sizeof(*items));
    }
}

/* All marks of this row; there may be several, of several places. */
static int check_marks(struct auditor *auditor, const struct audit_row *row,
                       struct err *err)
{
    struct end *end = current(auditor);
    const struct mark *mark = next_mark(auditor);

    *(struct hash *)list_grow(&end->open, sizeof(row->hash)) = row->hash;
    while (mark != NULL && mark->at.partition == row->partition &&
           mark->at.rows <= row->number) {
        if (mark->at.rows == row->number &&
            !hash_equal(&mark->at.head, &row->hash)) {
            return disagrees(end, &mark->at, mark->where, err);
        }
        agree(auditor, end, mark->at.rows);
        auditor->next++;
        mark = next_mark(auditor);
    }
    return 0;
}

static void move_to(struct auditor *auditor, const struct audit_row *row)
{
    struct end *end = current(auditor);

    if (end == NULL || end->partition != row->partition) {
        end = list_grow(&auditor->ends, sizeof(*end));
        end->partition = row->partition;
        auditor->audited.partitions++;
    }
    end->number = row->number;
    auditor->head = row->hash;
    auditor->audited.rows++;
}

int auditor_row(struct auditor *auditor, struct proof *proof,
                const struct audit_row *row, struct err *err)
{
    if (check_number(auditor, row, err) != 0 ||
        check_chain(auditor, row, err) != 0) {
        return -1;
    }
    move_to(auditor, row);
    return check_marks(auditor, row, err) != 0 ||
                   check_request(auditor, proof, row, err) != 0
               ? -1
               : 0;
}

int auditor_end(struct auditor *auditor, struct err *err)
{
    const struct mark *mark = next_mark(auditor);

    return mark == NULL ? 0 : missing(auditor, mark, err);
}

int auditor_late(struct auditor *auditor, const struct checkpoint *at,
                 struct err *err)
{
    struct end *end = end_of(auditor, at->partition);

    if (end == NULL || at->rows > end->number) {
        if (end != NULL) { /* all that was read is older than this one */
            end->signed_rows = end->number;
        }
        return 0;
    }
    if (at->rows <= end->signed_rows) {
        return 0;
    }
    size_t i = (size_t)(at->rows - end->signed_rows) - 1;
    if (i >= end->open.n ||
        !hash_equal(&list_at(&end->open, struct hash, i), &at->head)) {
        return disagrees(end, at, "errand.events", err);
    }
    agree(auditor, end, at->rows);
    return 0;
}

bool auditor_is_covered(const struct auditor *auditor, bool all,
                        struct err *why)
{
    for (size_t i = 0; i < auditor->ends.n; i++) {
        const struct end *end = &list_at(&auditor->ends, struct end, i);
        if ((all || end->signed_rows != 0) && end->signed_rows < end->number) {
            _cleanup_free_ char *which =
                place(end->partition, end->signed_rows + 1, end->number);
            (void)err_exit(why, EX_DATAERR,
                           "%s: added at the end (or decided by an authorizer "
                           "that was killed and is not back): nobody signed "
                           "for more than %lld rows (errand.events)",
                           which, (long long)end->signed_rows);
            return false;
        }
    }
    return true;
}

const struct audited *auditor_audited(struct auditor *auditor)
{
    struct list *open = &auditor->audited.open;

    free(open->items);
    *open = (struct list){0};
    for (size_t i = 0; i < auditor->ends.n; i++) {
        const struct end *end = &list_at(&auditor->ends, struct end, i);
        if (end->signed_rows == 0) {
            *(int64_t *)list_grow(open, sizeof(int64_t)) = end->partition;
        }
    }
    return &auditor->audited;
}

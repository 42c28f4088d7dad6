/* auditor.c: see auditor.h. */
#include "producer/submit/auditor.h"

#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "producer/submit/signed_row.h"

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
    struct list spans; /* struct span_row, likewise */
    size_t span;       /* the first whose turn has not come */
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
    free(auditor->spans.items);
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

void auditor_cut(struct auditor *auditor, const struct audit_cut *cut)
{
    for (size_t i = 0; i < cut->spans.n; i++) {
        *(struct span_row *)list_grow(&auditor->spans,
                                      sizeof(struct span_row)) =
            list_at(&cut->spans, struct span_row, i);
    }
    auditor->sorted = false;
    if (cut->until > auditor->audited.since) {
        auditor->audited.since = cut->until;
        auditor->audited.cut = cut->head.issued;
    }
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

static void sort(struct auditor *auditor)
{
    if (auditor->sorted) {
        return;
    }
    if (auditor->marks.n > 0) {
        qsort(auditor->marks.items, auditor->marks.n, sizeof(struct mark),
              by_place);
    }
    if (auditor->spans.n > 0) {
        qsort(auditor->spans.items, auditor->spans.n, sizeof(struct span_row),
              span_row_compare);
    }
    auditor->sorted = true;
}

/* The next mark that is to be looked at; NULL: none is left. */
static const struct mark *next_mark(struct auditor *auditor)
{
    sort(auditor);
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

/* The number that has to come next in this partition. */
static int64_t wanted_in(const struct auditor *auditor, int64_t partition)
{
    const struct end *end = current(auditor);

    return end != NULL && end->partition == partition ? end->number + 1 : 1;
}

/* Nothing is left out between what was before and this number; nor marks. */
static int check_gap(struct auditor *auditor, int64_t partition, int64_t number,
                     struct err *err)
{
    const struct mark *mark = next_mark(auditor);
    int64_t wanted = wanted_in(auditor, partition);

    if (mark != NULL && mark->at.partition < partition) {
        return missing(auditor, mark, err);
    }
    if (number <= wanted) {
        return 0;
    }
    _cleanup_free_ char *which = place(partition, wanted, number - 1);
    return err_exit(err, EX_DATAERR, "%s: removed", which);
}

/* The row's number against the one before, and marks that were passed over. */
static int check_number(struct auditor *auditor, const struct audit_row *row,
                        struct err *err)
{
    if (check_gap(auditor, row->partition, row->number, err) != 0) {
        return -1;
    }
    return row->number < wanted_in(auditor, row->partition)
               ? wrong(row, err, "there is one of this number before")
               : 0;
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

static int check_request(struct auditor *auditor, struct proof *proof,
                         const struct audit_row *row, struct err *err)
{
    struct err why = {0};

    if (row->envelope.len > 0) {
        auditor->audited.signatures++;
        return signed_row_check(row, proof, &why) == 0
                   ? 0
                   : wrong(row, err, why.text);
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

static void move_to(struct auditor *auditor, int64_t partition, int64_t number,
                    const struct hash *hash)
{
    struct end *end = current(auditor);

    if (end == NULL || end->partition != partition) {
        end = list_grow(&auditor->ends, sizeof(*end));
        end->partition = partition;
        auditor->audited.partitions++;
    }
    end->number = number;
    auditor->head = *hash;
}

/* Spans. */

static int wrong_span(const struct span_row *span, struct err *err,
                      const char *what)
{
    _cleanup_free_ char *which =
        place(span->partition, span->first, span->last);

    return err_exit(err, EX_DATAERR,
                    "%s: dropped with their month, but %s: the rows around "
                    "them were altered or removed",
                    which, what);
}

/* Of the checkpoints within it that of its last row can be compared. */
static int check_span_marks(struct auditor *auditor,
                            const struct span_row *span, struct err *err)
{
    struct end *end = current(auditor);
    const struct mark *mark = next_mark(auditor);

    for (; mark != NULL && mark->at.partition == span->partition &&
           mark->at.rows <= span->last;
         mark = next_mark(auditor)) {
        if (mark->at.rows == span->last &&
            !hash_equal(&mark->at.head, &span->head)) {
            return disagrees(end, &mark->at, mark->where, err);
        }
        auditor->next++;
    }
    end->signed_rows = span->last; /* the cut is the authorizer's word, too */
    end->open.n = 0;
    return 0;
}

static int take_span(struct auditor *auditor, const struct span_row *span,
                     struct err *err)
{
    static const struct hash none;
    const struct hash *before = span->first == 1 ? &none : &auditor->head;

    if (check_gap(auditor, span->partition, span->first, err) != 0) {
        return -1;
    }
    if (span->first < wanted_in(auditor, span->partition)) {
        return wrong_span(span, err, "there are such rows");
    }
    if (!hash_equal(&span->previous, before)) {
        return wrong_span(span, err, "they followed another row");
    }
    move_to(auditor, span->partition, span->last, &span->head);
    auditor->audited.dropped += span->last - span->first + 1;
    return check_span_marks(auditor, span, err);
}

/* Those that come before this place. */
static int take_spans(struct auditor *auditor, int64_t partition,
                      int64_t number, struct err *err)
{
    struct span_row to = {.partition = partition, .first = number};

    sort(auditor);
    for (; auditor->span < auditor->spans.n; auditor->span++) {
        const struct span_row *span =
            &list_at(&auditor->spans, struct span_row, auditor->span);
        if (span_row_compare(span, &to) >= 0) {
            break;
        }
        if (take_span(auditor, span, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int auditor_row(struct auditor *auditor, struct proof *proof,
                const struct audit_row *row, struct err *err)
{
    if (take_spans(auditor, row->partition, row->number, err) != 0 ||
        check_number(auditor, row, err) != 0 ||
        check_chain(auditor, row, err) != 0) {
        return -1;
    }
    move_to(auditor, row->partition, row->number, &row->hash);
    auditor->audited.rows++;
    return check_marks(auditor, row, err) != 0 ||
                   check_request(auditor, proof, row, err) != 0
               ? -1
               : 0;
}

int auditor_end(struct auditor *auditor, struct err *err)
{
    if (take_spans(auditor, INT64_MAX, 0, err) != 0) {
        return -1;
    }
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

/*
 * outputs.c: what runs printed, in pages of at most 256 KiB of data.
 *
 * Pages go on `after` a number. Asked for one execution that is the number of a
 * piece; asked for all of them, it counts pieces, execution after execution, by
 * target (the same thing where there is one execution).
 */
#include <string.h>

#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/views.h"
#include "model/read.h"

#define PAGE_BYTES (256 * 1024)
#define PAGE_PIECES 500

struct asked {
    struct id run;
    const struct id *execution; /* NULL: all */
    int64_t after;
};

#define P_EXECUTION(asked) \
    ((asked)->execution == NULL ? P_NULL : P_ID((asked)->execution))

/* A run's executions, and so its output, are of its own moment: no other month
 * is looked at. */
#define OF_MONTH "o.execution_id BETWEEN moment_low($1) AND moment_high($1)"

/* How far the executions that were asked for are. */
static int add_ends(struct asking *asking, const struct asked *asked,
                    struct output_answer *answer, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT count(*) AS n, count(s.outcome) AS ended, "
           "coalesce(sum(greatest(s.chunks - (SELECT count(*) FROM outputs o "
           "WHERE o.execution_id = s.id AND " OF_MONTH "), 0)) FILTER "
           "(WHERE s.outcome IS NOT "
           "NULL), 0)::bigint AS missing FROM execution_states s "
           "WHERE s.run_id = $1 AND ($2::uuid IS NULL OR s.id = $2::uuid)",
           &rows, err, P_ID(&asked->run), P_EXECUTION(asked)) != 0) {
        return -1;
    }
    if (row_int(rows, 0, "n") == 0) {
        return asking_hide(asking, "the run has no such execution");
    }
    answer->ended = row_int(rows, 0, "ended") == row_int(rows, 0, "n");
    answer->missing = row_int(rows, 0, "missing");
    return 0;
}

static void add_piece(struct output_answer *answer, const struct rows *rows,
                      size_t i)
{
    struct piece *piece = list_grow(&answer->pieces, sizeof(*piece));

    piece->execution = row_id(rows, i, "execution_id");
    piece->target = must_strdup(row_text(rows, i, "target"));
    piece->number = row_int(rows, i, "number");
    piece->chunk.stream =
        word_value(&stream_words, row_text(rows, i, "stream"));
    piece->chunk.data = row_bytes(rows, i, "data");
}

/* Sizes first, for one piece more than a page: data is read for those that go
 * into it. The first piece always does. */
#define PAGE_SELECT                                                          \
    "WITH next AS (SELECT o.execution_id, o.number, e.target, e.attempt, "   \
    "octet_length(o.data) AS size FROM executions e "                        \
    "JOIN outputs o ON o.execution_id = e.id AND " OF_MONTH " "              \
    "WHERE e.run_id = $1 "                                                   \
    "AND ($2::uuid IS NULL OR (e.id = $2::uuid AND o.number > $3::bigint)) " \
    "ORDER BY e.target, e.attempt, o.number LIMIT $4::integer "              \
    "OFFSET CASE WHEN $2::uuid IS NULL THEN $3::bigint ELSE 0 END), "        \
    "page AS (SELECT *, count(*) OVER () AS remaining, "                     \
    "sum(size) OVER (ORDER BY target, attempt, number) AS total FROM next) " \
    "SELECT p.execution_id, p.number, p.target, p.remaining, o.stream, "     \
    "o.data "                                                                \
    "FROM page p JOIN outputs o USING (execution_id, number) "               \
    "WHERE " OF_MONTH                                                        \
    " AND p.total <= $5::bigint ORDER BY p.target, p.attempt, p.number"

static int add_page(struct asking *asking, const struct asked *asked,
                    struct output_answer *answer, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres, PAGE_SELECT, &rows, err, P_ID(&asked->run),
           P_EXECUTION(asked), P_INT(asked->after), P_INT(PAGE_PIECES + 1),
           P_INT(PAGE_BYTES)) != 0) {
        return -1;
    }
    size_t n = rows_n(rows) > PAGE_PIECES ? PAGE_PIECES : rows_n(rows);
    for (size_t i = 0; i < n; i++) {
        add_piece(answer, rows, i);
    }
    answer->more = n > 0 && row_int(rows, 0, "remaining") > (int64_t)n;
    return 0;
}

int on_run_output(struct asking *asking, struct err *err)
{
    const struct run_output *output = asking->request->payload;
    struct asked asked = {.after = output->after};
    struct output_answer answer = {0};

    if (!id_is_zero(&output->execution)) {
        asked.execution = &output->execution;
    }
    int done = run_find(asking, output->run, &asked.run, err)
                   ?: add_ends(asking, &asked, &answer, err)
                   ?: add_page(asking, &asked, &answer, err);
    answer.run = asked.run;
    if (done != 0) {
        table_done(&output_answer_table, &answer);
        return done;
    }
    return asking_answer_take(asking, &output_answer_table, &answer, err);
}

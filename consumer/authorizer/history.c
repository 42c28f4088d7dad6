/*
 * history.c: see history.h; and run.history.
 *
 * A page costs the same however many runs there are. It begins in an index, in
 * the order in which it is told: of all runs, of those of each command that is
 * theirs, of one person's, of one outcome. What no index serves (a target, an
 * argument, a person among a command's runs) is looked for in the next
 * LOOKED_AT runs; where those hold less than a page, the answer says how far it
 * got, and the asker asks on from there. So nobody's question holds up the
 * others'.
 *
 * Each set of filters is a statement of its own, planned for what is asked, and
 * not kept: there are thousands of sets.
 */
#include "consumer/authorizer/history.h"

#include <string.h>

#include "consumer/authorizer/handlers.h"

#define LOOKED_AT 1000  /* runs, for those that a page is to hold */
#define COUNTED_AT 5000 /* runs, to be counted */
#define QUERY_PARAMS 12

struct query {
    struct buf text;
    struct param params[QUERY_PARAMS];
    size_t n;
};

static void add(struct query *query, const char *text)
{
    if (buf_adds(&query->text, text) != 0) {
        abort();
    }
}

/* The text with $? in it, which is this parameter. */
static void add_with(struct query *query, const char *text, struct param param)
{
    const char *place = strstr(text, "$?");

    if (query->n == QUERY_PARAMS || place == NULL) {
        abort();
    }
    query->params[query->n++] = param;
    if (buf_addf(&query->text, "%.*s$%zu%s", (int)(place - text), text,
                 query->n, place + 2) != 0) {
        abort();
    }
}

/* The newest first, and so many. */
static void add_order(struct query *query, const char *of, int64_t most)
{
    if (buf_addf(&query->text,
                 " ORDER BY %s.asked_at DESC, %s.id DESC LIMIT %d", of, of,
                 (int)most) != 0) {
        abort();
    }
}

/* What is asked, and what follows from it. */
struct page {
    const struct seer *seer;
    const struct run_history *asked;
    int64_t before;  /* when the run was asked before which it begins; 0 */
    int64_t looked;  /* at most so many runs are looked at */
    char *arguments; /* as JSON; NULL: none is asked for */
    bool by_command; /* it goes through the runs of commands */
    bool by_user;    /* or of a person */
    bool sifts;      /* with conditions that no index serves */
};

static void page_done(struct page *page)
{
    free(page->arguments);
}

static struct page page_of(const struct seer *seer,
                           const struct run_history *asked)
{
    bool by_command = !seer->all || asked->command != NULL;
    bool sifts = asked->target != NULL || asked->arguments.n > 0 ||
                 (asked->email != NULL && (by_command || asked->outcome != 0));

    return (struct page){
        .seer = seer,
        .asked = asked,
        .looked = asked->count ? COUNTED_AT
                  : sifts      ? LOOKED_AT
                               : asked->limit + 1,
        .by_command = by_command,
        .by_user = asked->email != NULL && !by_command && asked->outcome == 0,
        .sifts = sifts,
    };
}

/* Where the table that is gone through holds them: no look-ups then. */
static bool has_arguments(const struct page *page)
{
    return page->arguments != NULL && page->asked->outcome == 0;
}

/* The runs x of one command or person k, or all of them, by an index. */
static void add_runs(struct query *query, const struct page *page)
{
    const struct run_history *asked = page->asked;

    add(query, "SELECT x.id, x.asked_at");
    add(query, asked->email != NULL ? ", x.user_id" : "");
    add(query, has_arguments(page) ? ", x.arguments FROM " : " FROM ");
    add(query, asked->outcome != 0 ? "run_outcomes x" : "runs x");
    add(query, page->by_command ? " WHERE x.command_id = k.id"
               : page->by_user  ? " WHERE x.user_id = k.id"
                                : " WHERE true");
    if (asked->outcome != 0) {
        add_with(query, " AND x.outcome = $?::outcome",
                 P_TEXT(word_text(&outcome_words, asked->outcome)));
    }
    if (page->before != 0) {
        add_with(query, " AND (x.asked_at, x.id) < ($?::timestamptz, ",
                 P_TIME(page->before));
        add_with(query, "$?::uuid)", P_ID(&asked->before));
    }
    if (asked->since != 0) {
        add_with(query, " AND x.asked_at >= $?::timestamptz",
                 P_TIME(asked->since));
    }
    if (asked->until != 0) {
        add_with(query, " AND x.asked_at < $?::timestamptz",
                 P_TIME(asked->until));
    }
    add_order(query, "x", page->looked);
}

/* Whose runs are looked at, one after the other: as RUN_VISIBLE says. */
static void add_keys(struct query *query, const struct page *page)
{
    const struct run_history *asked = page->asked;

    if (page->by_user) {
        add_with(query, "SELECT id FROM users WHERE email = $?",
                 P_TEXT(asked->email));
        return;
    }
    add(query, "SELECT c.id FROM commands c WHERE true");
    if (asked->command != NULL) {
        add_with(query, " AND c.name = $?", P_TEXT(asked->command));
    }
    if (!page->seer->all) {
        add_with(query,
                 " AND EXISTS (SELECT FROM assignments a WHERE "
                 "a.command_id = c.id AND a.user_id = $?",
                 P_ID(&page->seer->user));
        add_with(query, " AND (a.until IS NULL OR a.until > $?))",
                 P_TIME(page->seer->now));
    }
}

static void add_seen(struct query *query, const struct page *page)
{
    add(query, "WITH seen AS MATERIALIZED (");
    if (page->by_command || page->by_user) {
        add(query, "SELECT y.* FROM (");
        add_keys(query, page);
        add(query, ") k CROSS JOIN LATERAL (");
        add_runs(query, page);
        add(query, ") y");
        add_order(query, "y", page->looked);
    } else {
        add_runs(query, page);
    }
    add(query, ")");
}

/* Those of them that are asked for. */
static void add_found(struct query *query, const struct page *page)
{
    const struct run_history *asked = page->asked;

    add(query, ", found AS MATERIALIZED (SELECT y.id, y.asked_at FROM seen y");
    add(query, page->arguments != NULL && !has_arguments(page)
                   ? " JOIN runs r ON r.id = y.id"
                   : "");
    add(query, " WHERE true");
    if (page->sifts && asked->email != NULL) {
        add_with(query,
                 " AND y.user_id IN (SELECT id FROM users WHERE email = $?)",
                 P_TEXT(asked->email));
    }
    if (asked->target != NULL) {
        add_with(query,
                 " AND EXISTS (SELECT FROM executions e WHERE e.run_id = y.id "
                 "AND e.target = $?)",
                 P_TEXT(asked->target));
    }
    if (page->arguments != NULL) {
        add_with(query, " AND arguments::jsonb @> ($?::jsonb -> 'arguments')",
                 P_TEXT(page->arguments));
    }
    add_order(query, "y", asked->count ? COUNTED_AT : asked->limit + 1);
    add(query, ")");
}

/* One row at least: how many were looked at, which was the last, and, where
 * they are told, a run that was found. */
static void add_told(struct query *query, const struct page *page)
{
    add(query,
        " SELECT z.*, o.* FROM (SELECT (SELECT count(*) FROM seen) AS looked, "
        "(SELECT count(*) FROM found) AS counted, (SELECT y.id FROM seen y "
        "ORDER BY y.asked_at, y.id LIMIT 1) AS last) z ");
    add(query, page->asked->count
                   ? "CROSS JOIN (SELECT NULL::uuid AS id) o"
                   : "LEFT JOIN (SELECT " RUN_COLUMNS
                     "FROM found f JOIN runs r ON r.id = f.id " RUN_JOINS
                     ") o ON true ORDER BY o.asked_at DESC, o.id DESC");
}

/* 1: there is no such run for them, and so nothing before it. */
static int find_before(struct postgres *postgres, struct page *page,
                       struct err *err)
{
    const struct seer *seer = page->seer;
    _cleanup_rows_ struct rows *rows = NULL;

    if (id_is_zero(&page->asked->before)) {
        return 0;
    }
    if (PG(postgres,
           "SELECT r.asked_at FROM runs r WHERE r.id = $4 AND " RUN_VISIBLE,
           &rows, err, P_ID(&seer->user), P_TIME(seer->now), P_BOOL(seer->all),
           P_ID(&page->asked->before)) != 0) {
        return -1;
    }
    page->before = rows_n(rows) == 0 ? 0 : row_time(rows, 0, "asked_at");
    return rows_n(rows) == 0;
}

static int fill(const struct page *page, const struct rows *rows,
                struct history_answer *answer, struct err *err)
{
    size_t limit = (size_t)page->asked->limit;
    size_t n = row_is_null(rows, 0, "id") ? 0 : rows_n(rows);
    bool over = n > limit;

    for (size_t i = 0; i < (over ? limit : n); i++) {
        struct run_row *to = list_grow(&answer->runs, sizeof(*to));
        if (run_row_of(rows, i, to, err) != 0) {
            return -1;
        }
    }
    bool looks_on = (page->sifts || page->asked->count) &&
                    row_int(rows, 0, "looked") >= page->looked;
    answer->count = page->asked->count ? row_int(rows, 0, "counted") : 0;
    answer->more = over || looks_on;
    if (answer->more) {
        answer->further =
            row_id(rows, over ? limit - 1 : 0, over ? "id" : "last");
    }
    return 0;
}

static int read_page(struct postgres *postgres, const struct page *page,
                     struct history_answer *ret_answer, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct history_answer answer = {0};
    struct query query = {0};

    add_seen(&query, page);
    add_found(&query, page);
    add_told(&query, page);
    int done = postgres_query_once(postgres, buf_text(&query.text),
                                   query.params, query.n, &rows, err);
    buf_done(&query.text);
    if (done != 0) {
        return -1;
    }
    if (fill(page, rows, &answer, err) != 0) {
        table_done(&history_answer_table, &answer);
        return -1;
    }
    *ret_answer = answer;
    return 0;
}

int history_read(struct postgres *postgres, const struct seer *seer,
                 const struct run_history *asked,
                 struct history_answer *ret_answer, struct err *err)
{
    _cleanup_(page_done) struct page page = page_of(seer, asked);

    if (asked->arguments.n > 0 &&
        arguments_json(&asked->arguments, &page.arguments, err) != 0) {
        return -1;
    }
    int none = find_before(postgres, &page, err);
    if (none != 0) {
        *ret_answer = (struct history_answer){0};
        return none < 0 ? -1 : 0;
    }
    return read_page(postgres, &page, ret_answer, err);
}

int on_run_history(struct asking *asking, struct err *err)
{
    struct history_answer answer = {0};
    struct seer seer = asking_seer(asking);

    if (history_read(asking->daemon->postgres, &seer, asking->request->payload,
                     &answer, err) != 0) {
        return -1;
    }
    return asking_answer_take(asking, &history_answer_table, &answer, err);
}

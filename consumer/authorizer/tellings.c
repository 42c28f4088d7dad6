/* tellings.c: see tellings.h. */
#include "consumer/authorizer/tellings.h"

/* Whoever decides on an end of this command comes after whoever does so now. */
static const char lock_text[] =
    "SELECT pg_advisory_xact_lock(hashtextextended($1, 7310004))::text AS one";

/* $6: it can be too much; $7 within $8 ms, by the one clock that all
 * authorizers share. An end unlike the last one that was told always goes, so
 * that what was told last is how it is. What was held back since is said by
 * this one, if it goes. */
static const char note_text[] =
    "INSERT INTO tellings (run_id, mail, outcome, told_to, command_id,"
    " decided_at, held, before, since)"
    " SELECT $1::uuid, $2::uuid, $3::text, $4::text, $5::uuid, now.at,"
    " pace.held, CASE WHEN pace.held THEN 0 ELSE hidden.n END,"
    " CASE WHEN NOT pace.held THEN hidden.since END"
    " FROM (SELECT clock_timestamp() AS at) now"
    " LEFT JOIN (SELECT t.outcome, t.decided_at FROM tellings t"
    "  WHERE t.command_id = $5 AND t.told_to = $4 AND NOT t.held"
    "  ORDER BY t.decided_at DESC LIMIT 1) last ON true"
    " CROSS JOIN LATERAL (SELECT $6::boolean AND count(*) >= $7::bigint"
    "  AND last.outcome IS NOT DISTINCT FROM $3::text AS held FROM tellings t"
    "  WHERE t.command_id = $5 AND t.told_to = $4 AND NOT t.held"
    "  AND t.decided_at > now.at - $8::bigint * interval '1 ms') pace"
    " CROSS JOIN LATERAL (SELECT count(*) AS n, min(t.decided_at) AS since"
    "  FROM tellings t WHERE t.command_id = $5 AND t.told_to = $4 AND t.held"
    "  AND t.decided_at >= coalesce(last.decided_at, '-infinity')) hidden"
    " ON CONFLICT DO NOTHING";

static const char noted_text[] =
    "SELECT told_to, held, before, since FROM tellings"
    " WHERE run_id = $1 AND outcome = $2::text AND (held OR before > 0)"
    " ORDER BY told_to";

static int note_one(const struct authorizer *authorizer,
                    const struct id *command, const struct run_end *end,
                    const char *to, struct err *err)
{
    const struct config *config = &authorizer->daemon->config;
    struct id mail = notice_id(end, to);

    return PG(authorizer->daemon->postgres, note_text, NULL, err,
              P_ID(&end->run), P_ID(&mail),
              P_TEXT(word_text(&outcome_words, end->outcome)), P_TEXT(to),
              P_ID(command), P_BOOL(notify_webhook(to) == NULL),
              P_INT(config_int(config, "authorizer", "notices")),
              P_INT(config_int(config, "authorizer", "notices_in") * 1000));
}

static int note_all(const struct authorizer *authorizer,
                    const struct id *command, const struct command_save *save,
                    const struct run_end *end, struct err *err)
{
    int none = 1;

    for (size_t i = 0; i < save->notify.n; i++) {
        const struct notify *one = &list_at(&save->notify, struct notify, i);
        if (!run_end_concerns(end, one)) {
            continue;
        }
        if (note_one(authorizer, command, end, one->to, err) != 0) {
            return -1;
        }
        none = 0;
    }
    return none;
}

static int read_noted(struct postgres *postgres, struct run_end *end,
                      struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(postgres, noted_text, &rows, err, P_ID(&end->run),
           P_TEXT(word_text(&outcome_words, end->outcome))) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct hold *to = list_grow(&end->holds, sizeof(*to));
        *to = (struct hold){.to = must_strdup(row_text(rows, i, "told_to")),
                            .held = row_bool(rows, i, "held"),
                            .before = row_int(rows, i, "before"),
                            .since = row_time(rows, i, "since")};
    }
    return 0;
}

static int note(const struct authorizer *authorizer, const struct id *command,
                const struct command_save *save, struct run_end *end,
                struct err *err)
{
    struct postgres *postgres = authorizer->daemon->postgres;
    char key[ID_TEXT];

    id_format(command, key);
    if (PG(postgres, lock_text, NULL, err, P_TEXT(key)) != 0) {
        return -1;
    }
    int none = note_all(authorizer, command, save, end, err);
    return none == 0 ? read_noted(postgres, end, err) : none;
}

int tellings_note(const struct authorizer *authorizer, const struct id *command,
                  const struct command_save *save, struct run_end *end,
                  struct err *err)
{
    struct postgres *postgres = authorizer->daemon->postgres;

    if (postgres_begin(postgres, err) != 0) {
        return -1;
    }
    int none = note(authorizer, command, save, end, err);
    if (none < 0) {
        postgres_rollback(postgres);
        return -1;
    }
    return postgres_commit(postgres, err) != 0 ? -1 : none;
}

/*
 * audits.c: reading the audit log: as a list for people, who see their own rows
 * and, as administrators, everybody's; and whole, for who checks its chains.
 *
 * What a runner was told of a request they may be told again, no more: the full
 * reason, and the name of a command that they may not see, are for
 * administrators.
 */
#include <string.h>

#include "consumer/authorizer/concerned.h"
#include "consumer/authorizer/handlers.h"
#include "trust/cut_proof.h"
#include "trust/late.h"

#define PAGE_ROWS 100
#define PAGE_BYTES (256 * 1024) /* of envelopes, or cuts */
#define PAGE_ENVELOPES 600      /* of signers' chains */

/* Bytes: what names somebody is not large, but for its list of what is kept. */
#define READ_MAX "65536"

/* audit.list: $1 the asker, $2 now, $3 whether they see everything. */

/* The command's name, where they may see it. Filters look at what is shown, so
 * that no filter tells more. */
#define SHOWN_COMMAND                                                        \
    "CASE WHEN $3::boolean OR r.decision = 'accepted' OR EXISTS (SELECT "    \
    "FROM assignments a JOIN commands c ON c.id = a.command_id WHERE "       \
    "c.name = r.command AND a.user_id = $1 AND (a.until IS NULL OR a.until " \
    "> $2)) THEN r.command END"
#define LIST_SELECT                                                         \
    "SELECT r.id, r.partition, r.number, r.issued, r.decided_at, u.email, " \
    "r.verb, s.command, r.decision, r.status, CASE WHEN $3::boolean THEN "  \
    "r.reason ELSE r.text END AS reason, r.hash, r.key_id, r.user_id, "     \
    "CASE WHEN octet_length(coalesce(r.envelope, e.envelope)) <= " READ_MAX \
    " THEN coalesce(r.envelope, e.envelope) END AS document "               \
    "FROM requests r LEFT JOIN users u ON u.id = r.user_id "                \
    "LEFT JOIN envelopes e ON e.hash = r.hash AND r.envelope IS NULL "      \
    "AND r.decision = 'accepted' "                                          \
    "CROSS JOIN LATERAL (SELECT " SHOWN_COMMAND " AS command) s "           \
    "WHERE ($3::boolean OR r.user_id = $1) "                                \
    "AND ($4::uuid IS NULL OR r.id < $4::uuid) "                            \
    "AND ($5::text IS NULL OR r.user_id IN (SELECT id FROM users WHERE "    \
    "email = $5::text)) "                                                   \
    "AND ($6::text IS NULL OR r.verb = $6::text) "                          \
    "AND ($7::text IS NULL OR s.command = $7::text) "                       \
    "AND ($8::timestamptz IS NULL OR r.decided_at >= $8::timestamptz) "     \
    "AND ($9::text IS NULL OR r.decision = $9::text) "                      \
    "ORDER BY r.id DESC LIMIT $10::integer"

static char *dup_cell(const struct rows *rows, size_t i, const char *column)
{
    const char *text = row_text(rows, i, column);

    return text == NULL ? NULL : must_strdup(text);
}

static struct audit_entry entry_of(const struct rows *rows, size_t i)
{
    return (struct audit_entry){
        .id = row_id(rows, i, "id"),
        .partition = row_int(rows, i, "partition"),
        .number = row_int(rows, i, "number"),
        .issued = row_time(rows, i, "issued"),
        .decided = row_time(rows, i, "decided_at"),
        .email = dup_cell(rows, i, "email"),
        .verb = dup_cell(rows, i, "verb"),
        .command = dup_cell(rows, i, "command"),
        .outcome =
            word_value(&audit_outcome_words, row_text(rows, i, "decision")),
        .status = dup_cell(rows, i, "status"),
        .reason = dup_cell(rows, i, "reason"),
        .request = row_hash(rows, i, "hash"),
        .key = row_hash(rows, i, "key_id"),
    };
}

/* Whose rows: all who ever had this address. NULL where no filter says.
 * Somebody else's are to a runner as those of nobody. */
static int find_email(struct asking *asking, const char *named,
                      char **ret_email, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct err ignored;

    *ret_email = NULL;
    if (named == NULL) {
        return 0;
    }
    _cleanup_free_ char *email = email_normal(named, &ignored);
    if (email == NULL || (!asking_by_administrator(asking) &&
                          strcmp(email, asking->signer.person.email) != 0)) {
        return asking_hide(asking, "not their own: %s", named);
    }
    if (PG(asking->daemon->postgres,
           "SELECT id FROM users WHERE email = $1 LIMIT 1", &rows, err,
           P_TEXT(email)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_hide(asking, "no user %s", email);
    }
    *ret_email = take_ptr(email);
    return 0;
}

static int answer_list(struct asking *asking, const struct audit_list *list,
                       const char *email, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct audit_answer answer = {0};
    const char *outcome = list->outcome == 0
                              ? NULL
                              : word_text(&audit_outcome_words, list->outcome);

    if (PG(asking->daemon->postgres, LIST_SELECT, &rows, err,
           P_ID(&asking->signer.person.user), P_TIME(asking->now),
           P_BOOL(asking_by_administrator(asking)),
           id_is_zero(&list->before) ? P_NULL : P_ID(&list->before),
           P_TEXT(email), P_TEXT(list->verb), P_TEXT(list->command),
           P_TIME(list->since), P_TEXT(outcome), P_INT(list->limit + 1)) != 0) {
        return -1;
    }
    size_t n = rows_n(rows);
    answer.more = n > (size_t)list->limit;
    for (size_t i = 0; i < n - (answer.more ? 1 : 0); i++) {
        struct audit_entry *to = list_grow(&answer.entries, sizeof(*to));
        _cleanup_buf_ struct buf document = row_bytes(rows, i, "document");
        struct id asker = row_id(rows, i, "user_id");
        *to = entry_of(rows, i);
        if (concerned_email(asking, &document, &asker, &to->about, err) != 0) {
            table_done(&audit_answer_table, &answer);
            return -1;
        }
    }
    return asking_answer_take(asking, &audit_answer_table, &answer, err);
}

int on_audit_list(struct asking *asking, struct err *err)
{
    const struct audit_list *list = asking->request->payload;
    _cleanup_free_ char *email = NULL;

    return find_email(asking, list->email, &email, err)
               ?: answer_list(asking, list, email, err);
}

/* audit.rows */

/* Sizes first; envelopes are read for what goes into the page. Its first row
 * always does. */
#define PAGE_SELECT                                                       \
    "WITH next AS (SELECT r.id, r.partition, r.number, "                  \
    "octet_length(coalesce(r.envelope, e.envelope, '')) AS size "         \
    "FROM requests r LEFT JOIN envelopes e ON e.hash = r.hash "           \
    "AND r.envelope IS NULL AND r.decision = 'accepted' "                 \
    "WHERE r.number IS NOT NULL AND (r.partition, r.number) > "           \
    "($1::integer, $2::bigint) ORDER BY r.partition, r.number "           \
    "LIMIT $3::integer), "                                                \
    "page AS (SELECT *, count(*) OVER () AS remaining, sum(size) OVER "   \
    "(ORDER BY partition, number) - size AS before FROM next) "           \
    "SELECT r.*, pg_catalog.sha256(r.reply) AS reply_hash, p.remaining, " \
    "coalesce(r.envelope, e.envelope) AS document "                       \
    "FROM page p JOIN requests r USING (id) "                             \
    "LEFT JOIN envelopes e ON e.hash = r.hash AND r.envelope IS NULL "    \
    "AND r.decision = 'accepted' "                                        \
    "WHERE p.before < $4::bigint ORDER BY r.partition, r.number"

static struct audit_row row_of(const struct rows *rows, size_t i)
{
    return (struct audit_row){
        .partition = row_int(rows, i, "partition"),
        .number = row_int(rows, i, "number"),
        .previous = row_hash(rows, i, "previous"),
        .hash = row_hash(rows, i, "row_hash"),
        .id = row_id(rows, i, "id"),
        .request = row_hash(rows, i, "hash"),
        .verb = dup_cell(rows, i, "verb"),
        .key = row_hash(rows, i, "key_id"),
        .user = row_id(rows, i, "user_id"),
        .command = dup_cell(rows, i, "command"),
        .decision = dup_cell(rows, i, "decision"),
        .status = dup_cell(rows, i, "status"),
        .reason = dup_cell(rows, i, "reason"),
        .text = dup_cell(rows, i, "text"),
        .reply = row_hash(rows, i, "reply_hash"),
        .size = row_int(rows, i, "size"),
        .issued = row_time(rows, i, "issued"),
        .decided = row_time(rows, i, "decided_at"),
        .offset = row_int(rows, i, "record_offset"),
        .envelope = row_bytes(rows, i, "document"),
        .invite = row_hash(rows, i, "invite"),
    };
}

/* The chain behind a row's signer goes into the proof. What can't be found or
 * read is for the asker to see, and to say. */
static int trace(struct proof *proof, const struct audit_row *row,
                 struct err *err)
{
    _cleanup_event_ struct event *event = event_from_json(&row->envelope, err);
    struct signer signer;

    if (event == NULL) {
        return err->kind == ERR_REJECT ? 0 : -1;
    }
    return proof_asker(proof, event, &row->invite, &signer, err) == 0 ||
                   err->kind == ERR_REJECT
               ? 0
               : -1;
}

/* Who signs checkpoints. */
static int add_authorizers(struct asking *asking, struct list *envelopes,
                           struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT e.envelope FROM services s JOIN envelopes e USING (hash) "
           "WHERE s.kind = 'authorizer' ORDER BY s.enrolled_at DESC "
           "LIMIT $1::integer",
           &rows, err, P_INT(100)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        _cleanup_buf_ struct buf json = row_bytes(rows, i, "envelope");
        _cleanup_envelope_ struct envelope envelope = {0};
        struct err ignored = {0};
        if (envelope_decode(json.data, json.len, &envelope, &ignored) == 0) {
            envelopes_add(envelopes, &envelope);
        }
    }
    return 0;
}

/* A cut with its chains; that the policy's is whole, the asker looks at. */
static int add_cut(struct proof *proof, const struct rows *rows, size_t i,
                   struct list *cuts, struct err *err)
{
    _cleanup_buf_ struct buf json = row_bytes(rows, i, "envelope");
    struct envelope envelope = {0};

    if (envelope_decode(json.data, json.len, &envelope, err) != 0) {
        return err->kind == ERR_REJECT ? 0 : -1;
    }
    envelopes_add(cuts, &envelope);
    _cleanup_event_ struct event *event = event_new_take(&envelope, err);
    return (event != NULL && cut_check(proof, event, err) == 0) ||
                   err->kind == ERR_REJECT
               ? 0
               : -1;
}

/* The first always goes into the page. */
#define CUTS_SELECT                                                      \
    "WITH next AS (SELECT c.cut_at, c.hash, e.envelope, "                \
    "sum(octet_length(e.envelope)) OVER (ORDER BY c.cut_at, c.hash) - "  \
    "octet_length(e.envelope) AS before, count(*) OVER () AS remaining " \
    "FROM audit_cuts c JOIN envelopes e USING (hash) "                   \
    "WHERE $1::bytea IS NULL OR (c.cut_at, c.hash::bytea) > "            \
    "(SELECT cut_at, hash::bytea FROM audit_cuts "                       \
    "WHERE hash = $1::bytea)) "                                          \
    "SELECT envelope, remaining FROM next WHERE before < $2::bigint "    \
    "ORDER BY cut_at, hash LIMIT $3::integer"

static int add_cuts(struct asking *asking, struct audit_page *page,
                    struct err *err)
{
    const struct audit_rows *from = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;
    _cleanup_proof_ struct proof *proof =
        proof_new(&asking->daemon->roots, source_fetch, asking->source);

    if (page->rows.n > 0) {
        return 0;
    }
    if (PG(asking->daemon->postgres, CUTS_SELECT, &rows, err,
           hash_is_zero(&from->cut) ? P_NULL : P_HASH(&from->cut),
           P_INT(PAGE_BYTES), P_INT(PAGE_ROWS)) != 0) {
        return -1;
    }
    page->more = rows_n(rows) > 0 &&
                 row_int(rows, 0, "remaining") > (int64_t)rows_n(rows);
    for (size_t i = 0; i < rows_n(rows); i++) {
        if (add_cut(proof, rows, i, &page->cuts, err) != 0) {
            return -1;
        }
        err_clear(err);
    }
    proof_used(proof, &page->envelopes);
    return 0;
}

static size_t count_used(const struct proof *proof)
{
    struct list used = {0};

    proof_used(proof, &used);
    size_t n = used.n;
    envelopes_done(&used);
    return n;
}

static int add_rows(struct asking *asking, const struct rows *rows,
                    struct audit_page *page, struct err *err)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&asking->daemon->roots, source_fetch, asking->source);

    for (size_t i = 0; i < rows_n(rows) && i < PAGE_ROWS; i++) {
        if (i % 10 == 9 && count_used(proof) > PAGE_ENVELOPES) {
            break;
        }
        struct audit_row *row = list_grow(&page->rows, sizeof(*row));
        *row = row_of(rows, i);
        if (trace(proof, row, err) != 0) {
            return -1;
        }
        err_clear(err);
    }
    page->more = page->rows.n > 0 &&
                 row_int(rows, 0, "remaining") > (int64_t)page->rows.n;
    proof_used(proof, &page->envelopes);
    return 0;
}

int on_audit_rows(struct asking *asking, struct err *err)
{
    const struct audit_rows *from = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;
    struct audit_page page = {0};

    if (PG(asking->daemon->postgres, PAGE_SELECT, &rows, err,
           P_INT(from->partition), P_INT(from->after), P_INT(PAGE_ROWS + 1),
           P_INT(PAGE_BYTES)) != 0) {
        return -1;
    }
    if (add_rows(asking, rows, &page, err) != 0 ||
        add_cuts(asking, &page, err) != 0 ||
        add_authorizers(asking, &page.envelopes, err) != 0) {
        table_done(&audit_page_table, &page);
        return -1;
    }
    return asking_answer_take(asking, &audit_page_table, &page, err);
}

/*
 * explain.c: why somebody may run a command, or may not: the one fact that
 * decides it, with who signed it and when.
 *
 * Looked for in the order in which a run would be refused: the person, the
 * command, the assignment, and last what the proof makes of it, which is what
 * decides in the end.
 */
#include <string.h>

#include "base/clock.h"
#include "consumer/authorizer/handlers.h"
#include "model/assignment.h"

struct explained {
    const struct rows *rows;
    struct explained_answer answer;
};

/* $1 the e-mail, $2 the command, $3 now */
#define FACTS                                                                \
    "SELECT u.id AS user_id, u.email, u.role, u.state, u.suspended, "        \
    "u.verify_hash, u.invited_at, i.email AS inviter, c.id AS command_id, "  \
    "v.void, "                                                               \
    "v.saved_at, s.email AS saver, a.hash, a.until, a.until <= $3 AS over, " \
    "a.added_at, b.email AS adder, (SELECT r.signed_at FROM revocations r "  \
    "WHERE r.hash = u.changed_hash) AS changed_at, (SELECT x.email FROM "    \
    "revocations r JOIN users x ON x.id = r.signed_by "                      \
    "WHERE r.hash = u.changed_hash) AS changer "                             \
    "FROM users u LEFT JOIN users i ON i.id = u.invited_by "                 \
    "LEFT JOIN commands c ON c.name = $2 AND c.retired_at IS NULL "          \
    "LEFT JOIN assignments a ON a.command_id = c.id AND a.user_id = u.id "   \
    "LEFT JOIN users b ON b.id = a.added_by "                                \
    "LEFT JOIN command_versions v ON v.command_id = c.id "                   \
    "AND v.version = coalesce(a.pin, c.version) "                            \
    "LEFT JOIN users s ON s.id = v.saved_by "                                \
    "WHERE u.email = $1 ORDER BY u.state = 'removed' LIMIT 1"

/* The decisive fact, signed by whom, at what moment (columns). */
static int decided(struct explained *explained, bool may, const char *why,
                   const char *by, const char *at)
{
    const struct rows *rows = explained->rows;
    const char *signer = row_text(rows, 0, by);

    explained->answer.may = may;
    explained->answer.why = must_strdup(why);
    explained->answer.by = signer == NULL ? NULL : must_strdup(signer);
    explained->answer.at = row_time(rows, 0, at);
    return 1;
}

static int by_person(struct explained *explained)
{
    const struct rows *rows = explained->rows;
    const char *state = row_text(rows, 0, "state");

    if (strcmp(state, "removed") == 0) {
        return decided(explained, false, "they were removed", "changer",
                       "changed_at");
    }
    if (row_bool(rows, 0, "suspended")) {
        return decided(explained, false, "they are suspended", "changer",
                       "changed_at");
    }
    if (strcmp(state, "verified") == 0) {
        return decided(explained, false,
                       "nobody has confirmed them as administrator yet",
                       "inviter", "invited_at");
    }
    return 0;
}

static int by_command(struct explained *explained)
{
    const struct rows *rows = explained->rows;

    if (row_bool(rows, 0, "void")) {
        return decided(explained, false,
                       "who saved the command was removed, and it was not "
                       "kept: save it anew",
                       "saver", "saved_at");
    }
    return strcmp(row_text(rows, 0, "role"), "administrator") == 0 &&
                   strcmp(row_text(rows, 0, "state"), "active") == 0
               ? decided(explained, true,
                         "an administrator may run every command", "inviter",
                         "invited_at")
               : 0;
}

static int by_assignment(struct explained *explained)
{
    const struct rows *rows = explained->rows;

    if (row_is_null(rows, 0, "hash")) {
        explained->answer.why = must_strdup("it is not assigned to them");
        return 1;
    }
    explained->answer.until = row_time(rows, 0, "until");
    if (row_bool(rows, 0, "over")) {
        return decided(explained, false, "their assignment has ended", "adder",
                       "added_at");
    }
    return strcmp(row_text(rows, 0, "state"), "invited") == 0
               ? decided(explained, false,
                         "it is assigned to them, and they have not followed "
                         "their invitation yet",
                         "adder", "added_at")
               : 0;
}

/* What the proof says of the assignment itself. 0: it is good; 1: decided. */
static int by_proof(struct asking *asking, struct explained *explained,
                    struct err *err)
{
    struct hash hash = row_hash(explained->rows, 0, "hash");
    struct hash naming = row_hash(explained->rows, 0, "verify_hash");
    struct person by;
    struct person they;

    if (proof_person(asking->proof, &naming, &they, err) != 0) {
        return err->kind == ERR_REJECT ? decided(explained, false, err->text,
                                                 "inviter", "invited_at")
                                       : -1;
    }
    if (source_fetch(asking->source, &hash, asking->proof, err) != 0) {
        return -1;
    }
    if (proof_signed_by_administrator(asking->proof, &hash, &by, err) != 0) {
        return err->kind == ERR_REJECT
                   ? decided(explained, false, err->text, "adder", "added_at")
                   : -1;
    }
    return decided(explained, true, "it is assigned to them", "adder",
                   "added_at");
}

int on_assignment_explain(struct asking *asking, struct err *err)
{
    const struct assignment_list *about = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;
    struct explained explained = {0};

    if (about->command == NULL || about->email == NULL) {
        return asking_refuse(asking, REPLY_INVALID, "which command, and who?");
    }
    if (PG(asking->daemon->postgres, FACTS, &rows, err, P_TEXT(about->email),
           P_TEXT(about->command), P_TIME(asking->now)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0 || row_is_null(rows, 0, "command_id")) {
        return asking_refuse(asking, REPLY_NOT_FOUND, "there is no %s %s",
                             rows_n(rows) == 0 ? "user" : "command",
                             rows_n(rows) == 0 ? about->email : about->command);
    }
    asking_about(asking, about->command);
    explained.rows = rows;
    int done = by_person(&explained)
                   ?: by_command(&explained)
                   ?: by_assignment(&explained)
                   ?: by_proof(asking, &explained, err);
    if (done < 0) {
        return -1;
    }
    err_clear(err);
    return asking_answer_take(asking, &explained_answer_table,
                              &explained.answer, err);
}

/*
 * signed.c: what of somebody's signing is in force and hangs on their own
 * standing: whoever ends them decides by this list what goes on.
 */
#include "consumer/authorizer/handlers.h"
#include "model/log_entry.h"
#include "model/read.h"

/* $1: the user. Entries of the revocation log are not here: those stand. */
#define SIGNED                                                               \
    "SELECT v.hash, 'command' AS what, c.name AS name "                      \
    "FROM command_versions v JOIN commands c ON c.id = v.command_id "        \
    "WHERE v.saved_by = $1 AND c.retired_at IS NULL AND NOT v.void "         \
    "AND (v.version = c.version OR EXISTS (SELECT FROM assignments a "       \
    "WHERE a.command_id = c.id AND a.pin = v.version) "                      \
    "OR EXISTS (SELECT FROM schedules s WHERE s.command_hash = v.hash "      \
    "AND s.removed_at IS NULL)) "                                            \
    "UNION ALL SELECT a.hash, 'assignment', c.name || ' to ' || u.email "    \
    "FROM assignments a JOIN commands c ON c.id = a.command_id "             \
    "JOIN users u ON u.id = a.user_id WHERE a.added_by = $1 "                \
    "UNION ALL SELECT u.invite_hash, 'invitation', u.email FROM users u "    \
    "JOIN envelopes e ON e.hash = u.invite_hash "                            \
    "WHERE u.invited_by = $1 AND u.state <> 'removed' "                      \
    "AND e.type = 'errand.user.invite.v1' "                                  \
    "UNION ALL SELECT k.confirm_hash, 'confirmation', u.email "              \
    "FROM confirmations k JOIN users u ON u.confirm_hash = k.confirm_hash "  \
    "WHERE k.confirmed_by = $1 AND u.state <> 'removed' "                    \
    "UNION ALL SELECT s.hash, s.kind, s.name FROM services s "               \
    "WHERE s.enrolled_by = $1 AND s.revoked_at IS NULL "                     \
    "UNION ALL SELECT s.hash, 'schedule', c.name || ' ' || "                 \
    "coalesce(s.cron, to_char(s.at AT TIME ZONE 'UTC', "                     \
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')) || ' ' || s.zone FROM schedules s "  \
    "JOIN commands c ON c.id = s.command_id WHERE s.set_by = $1 "            \
    "AND s.removed_at IS NULL AND NOT s.void "                               \
    "UNION ALL SELECT b.hash, 'billing key', 'generation ' || b.generation " \
    "FROM billing_keys b WHERE b.made_by = $1 "

static int answer_signed(struct asking *asking, const struct id *user,
                         struct err *err)
{
    struct signed_answer answer = {0};
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres, SIGNED "ORDER BY what, name", &rows, err,
           P_ID(user)) != 0) {
        return -1;
    }
    if (rows_n(rows) > KEEP_MAX) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "%zu things hang on them, and an entry can keep "
                             "%d: have others save and assign some anew",
                             rows_n(rows), KEEP_MAX);
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct signed_row *row = list_grow(&answer.rows, sizeof(*row));
        row->hash = row_hash(rows, i, "hash");
        row->what = must_strdup(row_text(rows, i, "what"));
        row->name = must_strdup(row_text(rows, i, "name"));
    }
    return asking_answer_take(asking, &signed_answer_table, &answer, err);
}

int on_user_signed(struct asking *asking, struct err *err)
{
    const struct user_named *named = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT id FROM users WHERE email = $1 AND state <> 'removed'",
           &rows, err, P_TEXT(named->email)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_hide(asking, "no user %s", named->email);
    }
    struct id user = row_id(rows, 0, "id");
    return answer_signed(asking, &user, err);
}

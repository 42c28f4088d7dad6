/*
 * assignments.c: who may run what. Adding one that is there replaces it.
 */
#include "consumer/authorizer/closings.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/revocations.h"
#include "model/log_entry.h"

static int check_add(struct asking *asking, const struct assignment_add *add,
                     struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT (SELECT email FROM users WHERE id = $1 "
           "AND state <> 'removed') AS email, c.version, c.name "
           "FROM (VALUES (1)) one LEFT JOIN commands c ON c.id = $2 "
           "AND c.retired_at IS NULL",
           &rows, err, P_ID(&add->user), P_ID(&add->command)) != 0) {
        return -1;
    }
    if (row_is_null(rows, 0, "email") || row_is_null(rows, 0, "version")) {
        return asking_refuse(asking, REPLY_NOT_FOUND, "there is no such %s",
                             row_is_null(rows, 0, "email") ? "user"
                                                           : "command");
    }
    asking_about(asking, row_text(rows, 0, "name"));
    if (add->pin > row_int(rows, 0, "version")) {
        return asking_refuse(asking, REPLY_INVALID,
                             "the command has no "
                             "version %lld yet",
                             (long long)add->pin);
    }
    if (!standing_assigned(asking_standing(asking), &add->user, &add->command,
                           add->seq)) {
        return asking_refuse(asking, REPLY_BEHIND,
                             "it was taken away meanwhile: ask again to give "
                             "it once more");
    }
    return add->until == 0 || add->until > asking->now
               ? 0
               : asking_refuse(asking, REPLY_INVALID,
                               "the assignment would "
                               "have ended already");
}

static int store_added(struct asking *asking, struct err *err)
{
    const struct assignment_add *add = asking->request->payload;

    return PG(asking->daemon->postgres,
              "INSERT INTO assignments (user_id, command_id, hash, until, pin, "
              "added_by, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7) "
              "ON CONFLICT (user_id, command_id) DO UPDATE SET "
              "hash = excluded.hash, until = excluded.until, "
              "pin = excluded.pin, added_by = excluded.added_by, "
              "added_at = excluded.added_at",
              NULL, err, P_ID(&add->user), P_ID(&add->command),
              P_HASH(&asking->request->hash), P_TIME(add->until),
              add->pin == 0 ? P_NULL : P_INT(add->pin),
              P_ID(&asking->signer.person.user),
              P_TIME(add->request.head.issued));
}

int on_assignment_add(struct asking *asking, struct err *err)
{
    const struct assignment_add *add = asking->request->payload;

    return check_add(asking, add, err)
               ?: asking_made(asking, &asking->request->hash, &add->command, 0,
                              err)
               ?: asking_store(asking, err)
               ?: store_added(asking, err);
}

/* What the list is narrowed to must be there. */
static int check_filter(struct asking *asking,
                        const struct assignment_list *list, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT ($1::text IS NULL OR EXISTS (SELECT FROM commands "
           "WHERE name = $1::text AND retired_at IS NULL)) AND ($2::text IS "
           "NULL OR EXISTS (SELECT "
           "FROM users WHERE email = $2::text AND state <> 'removed')) AS "
           "known",
           &rows, err, P_TEXT(list->command), P_TEXT(list->email)) != 0) {
        return -1;
    }
    return row_bool(rows, 0, "known")
               ? 0
               : asking_hide(asking, "no such command or user");
}

static struct assignment_row assignment_row_of(const struct rows *rows,
                                               size_t i)
{
    return (struct assignment_row){
        .command = must_strdup(row_text(rows, i, "name")),
        .email = must_strdup(row_text(rows, i, "email")),
        .state = word_value(&user_state_words, row_text(rows, i, "state")),
        .added = row_time(rows, i, "added_at"),
        .added_by = must_strdup(row_text(rows, i, "added_by")),
        .until = row_time(rows, i, "until"),
        .pin = row_int(rows, i, "pin"),
    };
}

static int answer_list(struct asking *asking,
                       const struct assignment_list *list, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct assignments_answer answer = {0};

    if (PG(asking->daemon->postgres,
           "SELECT c.name, u.email, u.state, a.added_at, "
           "b.email AS added_by, a.until, a.pin FROM assignments a "
           "JOIN commands c ON c.id = a.command_id "
           "JOIN users u ON u.id = a.user_id JOIN users b ON b.id = a.added_by "
           "WHERE ($1::text IS NULL OR c.name = $1::text) "
           "AND ($2::text IS NULL OR u.email = $2::text) "
           "ORDER BY c.name, u.email LIMIT $3::integer",
           &rows, err, P_TEXT(list->command), P_TEXT(list->email),
           P_INT(ROWS_MAX)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct assignment_row *to = list_grow(&answer.assignments, sizeof(*to));
        *to = assignment_row_of(rows, i);
    }
    return asking_answer_take(asking, &assignments_answer_table, &answer, err);
}

int on_assignment_list(struct asking *asking, struct err *err)
{
    const struct assignment_list *list = asking->request->payload;

    return check_filter(asking, list, err) ?: answer_list(asking, list, err);
}

/* assignment.remove */

static int check_given(struct asking *asking,
                       const struct assignment_remove *said, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT c.name FROM assignments a JOIN commands c "
           "ON c.id = a.command_id WHERE a.user_id = $1 "
           "AND a.command_id = $2 FOR UPDATE OF a",
           &rows, err, P_ID(&said->user), P_ID(&said->command)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_refuse(asking, REPLY_NOT_FOUND,
                             "they have no assignment to it");
    }
    asking_about(asking, row_text(rows, 0, "name"));
    return 0;
}

int on_assignment_remove(struct asking *asking, struct err *err)
{
    const struct assignment_remove *said = asking->request->payload;
    int done = check_given(asking, said, err)
                   ?: entry_check(asking, err)
                   ?: asking_made(asking, &asking->request->hash,
                                  &said->command, 0, err)
                   ?: asking_store(asking, err)
                   ?: entry_store(asking, err);

    if (done != 0) {
        return done;
    }
    return PG(asking->daemon->postgres,
              "DELETE FROM assignments WHERE user_id = $1 AND command_id = $2",
              NULL, err, P_ID(&said->user), P_ID(&said->command))
               ?: closings_add(asking, err);
}

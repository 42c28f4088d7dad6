/*
 * assignments.c: who may run what. Adding one that is there replaces it.
 */
#include "consumer/authorizer/handlers.h"

static int check_add(struct asking *asking, const struct assignment_add *add,
                     struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT (SELECT email FROM users WHERE id = $1) AS email, "
           "(SELECT version FROM commands WHERE id = $2) AS version, "
           "(SELECT name FROM commands WHERE id = $2) AS name",
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
           "WHERE name = $1::text)) AND ($2::text IS NULL OR EXISTS (SELECT "
           "FROM users WHERE email = $2::text)) AS known",
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

/*
 * groups.c: group.set, group.list: who may approve together.
 *
 * A group is the revocation log's: what is listed is what stands there, with
 * names from PostgreSQL. Like a target it is said whole, and follows the
 * group.set before.
 */
#include <string.h>

#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/revocations.h"
#include "model/pending.h"

/* Everybody is there, and was not removed. */
static int check_members(struct asking *asking, const struct group_set *set,
                         struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct list ids = {0};
    struct err bad = {0};
    char text[ID_TEXT];

    if (group_check(set, &bad) != 0) {
        return asking_refuse(asking, REPLY_INVALID, "%s", bad.text);
    }
    for (size_t i = 0; i < set->members.n; i++) {
        id_format(&list_at(&set->members, struct id, i), text);
        texts_add(&ids, text);
    }
    _cleanup_free_ char *array = names_array(&ids);
    texts_done(&ids);
    if (PG(asking->daemon->postgres,
           "SELECT count(*) AS n FROM users WHERE id = ANY ($1::uuid[]) "
           "AND state <> 'removed'",
           &rows, err, P_TEXT(array)) != 0) {
        return -1;
    }
    return row_int(rows, 0, "n") == (int64_t)set->members.n
               ? 0
               : asking_refuse(asking, REPLY_INVALID,
                               "a member is no user here, or was removed");
}

/* Once the log is read to its end: nobody undoes what they have not seen. */
static int check_previous(struct asking *asking, const struct group_set *set)
{
    static const struct hash none;
    const struct group_standing *now =
        standing_group(asking_standing(asking), set->name);

    if (!hash_equal(&set->previous, now == NULL ? &none : &now->hash)) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "group %s was changed meanwhile: look at it, then "
                             "change it again",
                             set->name);
    }
    return set->members.n > 0 || (now != NULL && now->members.n > 0)
               ? 0
               : asking_refuse(asking, REPLY_NOT_FOUND, "there is no group %s",
                               set->name);
}

int on_group_set(struct asking *asking, struct err *err)
{
    const struct group_set *set = asking->request->payload;

    return check_members(asking, set, err)
               ?: entry_check(asking, err)
               ?: check_previous(asking, set)
               ?: asking_made(asking, &asking->request->hash, NULL, 0, err)
               ?: asking_store(asking, err)
               ?: entry_store(asking, err);
}

static int add_member(struct asking *asking, const struct id *user,
                      struct group_row *group, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT email, state = 'active' AND NOT suspended AS able "
           "FROM users WHERE id = $1",
           &rows, err, P_ID(user)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return 0; /* an older backup */
    }
    const char *email = row_text(rows, 0, "email");
    texts_add(&group->members, email);
    if (!row_bool(rows, 0, "able")) {
        texts_add(&group->unable, email);
    }
    return 0;
}

static int add_group(struct asking *asking, const struct group_standing *group,
                     struct groups_answer *answer, struct err *err)
{
    struct group_row *row = list_grow(&answer->groups, sizeof(*row));
    int done = 0;

    row->name = must_strdup(group->name);
    for (size_t i = 0; done == 0 && i < group->members.n; i++) {
        done = add_member(asking, &list_at(&group->members, struct id, i), row,
                          err);
    }
    return done;
}

int on_group_list(struct asking *asking, struct err *err)
{
    const struct standing *standing = asking_standing(asking);
    const struct group_standing *group = NULL;
    struct groups_answer answer = {0};
    int done = 0;

    while (done == 0 &&
           (group = standing_group_after(standing, group)) != NULL) {
        if (group->members.n > 0 && answer.groups.n < ROWS_MAX) {
            done = add_group(asking, group, &answer, err);
        }
    }
    if (done != 0) {
        table_done(&groups_answer_table, &answer);
        return -1;
    }
    return asking_answer_take(asking, &groups_answer_table, &answer, err);
}

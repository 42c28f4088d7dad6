/* approvers.c: see approvers.h. */
#include "consumer/authorizer/approvers.h"

#include <string.h>

#include "consumer/authorizer/views.h"

char *asking_groups(const struct asking *asking)
{
    const struct standing *standing = asking_standing(asking);
    const struct id *user = &asking->signer.person.user;
    const struct group_standing *group = NULL;
    struct list names = {0};

    while ((group = standing_group_after(standing, group)) != NULL) {
        if (members_hold(&group->members, user)) {
            texts_add(&names, group->name);
        }
    }
    char *array = names_array(&names);
    texts_done(&names);
    return array;
}

/* Who could approve */

static char *members_array(const struct group_standing *group)
{
    struct list ids = {0};
    char text[ID_TEXT];

    for (size_t i = 0; group != NULL && i < group->members.n; i++) {
        id_format(&list_at(&group->members, struct id, i), text);
        texts_add(&ids, text);
    }
    char *array = names_array(&ids);
    texts_done(&ids);
    return array;
}

static int refuse_too_few(struct asking *asking,
                          const struct approval *approval, int64_t there,
                          bool beside)
{
    _cleanup_free_ char *whose = approval_text(approval);

    if (approval->group != NULL && there == 0 && !beside) {
        return asking_refuse(asking, REPLY_INVALID,
                             "%s has to approve it, and nobody of that group "
                             "could: submit group add %s EMAIL…",
                             whose, approval->group);
    }
    if (!asking_by_administrator(asking)) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "%s would have to approve it, and beside you too "
                             "few could",
                             whose);
    }
    return asking_refuse(asking, beside ? REPLY_CONFLICT : REPLY_INVALID,
                         "%s would have to approve it, and %s%lld could", whose,
                         beside ? "beside you only " : "only ",
                         (long long)there);
}

int approvers_check(struct asking *asking, const struct approval *approval,
                    const struct id *except, struct err *err)
{
    static const struct id nobody;
    _cleanup_rows_ struct rows *rows = NULL;

    if (approval->count == 0) {
        return 0;
    }
    _cleanup_free_ char *members =
        approval->group == NULL
            ? NULL
            : members_array(
                  standing_group(asking_standing(asking), approval->group));
    if (PG(asking->daemon->postgres,
           "SELECT count(*) AS n FROM users WHERE state = 'active' "
           "AND NOT suspended AND id <> $2 AND CASE WHEN $1::uuid[] IS NULL "
           "THEN role = 'administrator' ELSE id = ANY ($1::uuid[]) END",
           &rows, err, P_TEXT(members),
           P_ID(except == NULL ? &nobody : except)) != 0) {
        return -1;
    }
    int64_t there = row_int(rows, 0, "n");
    return there >= approval->count
               ? 0
               : refuse_too_few(asking, approval, there, except != NULL);
}

/* What waits */

void waiting_done(struct waiting *waiting)
{
    free(waiting->approval.group);
    free(waiting->state);
    *waiting = (struct waiting){0};
}

/* Of a group that they are in; or they see it anyway, and are told why not. */
#define MAY_KNOW \
    "(p.approvers = ANY ($1::text[]) OR $2::boolean OR r.user_id = $3)"

static int find(struct asking *asking, const struct hash *hash,
                const char *text, struct rows **ret_rows, struct err *err)
{
    _cleanup_free_ char *groups = asking_groups(asking);

    return PG(asking->daemon->postgres,
              "SELECT r.id, r.hash, r.user_id, r.command_id, c.name, p.wanted, "
              "p.approvers, p.until, p.given, p.state, EXISTS (SELECT FROM "
              "executions e WHERE e.run_id = r.id AND e.dispatch IS NULL "
              "AND e.withheld IS NULL AND NOT e.ended) AS open "
              "FROM approvals p JOIN runs r ON r.id = p.run_id "
              "JOIN commands c ON c.id = r.command_id WHERE " MAY_KNOW
              " AND ($4::bytea IS NULL OR r.hash = $4::bytea) "
              "AND ($5::text IS NULL OR reverse(r.id::text) LIKE "
              "reverse($5::text) || '%') LIMIT 2 FOR UPDATE OF p",
              ret_rows, err, P_TEXT(groups),
              P_BOOL(asking_by_administrator(asking)),
              P_ID(&asking->signer.person.user),
              hash == NULL ? P_NULL : P_HASH(hash), P_TEXT(text));
}

static struct waiting waiting_of(const struct rows *rows)
{
    const char *group = row_text(rows, 0, "approvers");

    return (struct waiting){
        .run = row_id(rows, 0, "id"),
        .hash = row_hash(rows, 0, "hash"),
        .asked_by = row_id(rows, 0, "user_id"),
        .command = row_id(rows, 0, "command_id"),
        .approval = {.count = row_int(rows, 0, "wanted"),
                     .group = group == NULL ? NULL : must_strdup(group)},
        .until = row_time(rows, 0, "until"),
        .given = row_int(rows, 0, "given"),
        .state = must_strdup(row_text(rows, 0, "state")),
    };
}

/* Whoever sees the run anyway may know why they can't vote on it. */
static int check_approver(struct asking *asking, const struct waiting *waiting)
{
    _cleanup_free_ char *whose = approval_text(&waiting->approval);

    if (id_equal(&waiting->asked_by, &asking->signer.person.user)) {
        return asking_refuse(asking, REPLY_DENIED,
                             "you asked for this run yourself: somebody else "
                             "has to approve it (%s)",
                             whose);
    }
    return approver_may(asking_standing(asking), &waiting->approval,
                        &asking->signer.person)
               ? 0
               : asking_refuse(asking, REPLY_DENIED,
                               "you are not among those who may approve this "
                               "run: %s",
                               whose);
}

static int check_open(struct asking *asking, const struct waiting *waiting,
                      bool open)
{
    if (strcmp(waiting->state, "pending") != 0) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "this run waits no more: it was %s",
                             waiting->state);
    }
    if (asking->now > waiting->until) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "this run waits no more: nobody approved it in "
                             "time");
    }
    return open ? 0
                : asking_refuse(asking, REPLY_CONFLICT,
                                "this run waits no more: it was cancelled");
}

int waiting_find(struct asking *asking, const struct hash *hash,
                 const char *text, struct waiting *ret_waiting, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (text != NULL && !run_text_is_good(text)) {
        return asking_refuse(asking, REPLY_INVALID,
                             "a run is named by its id, or by an ending of it "
                             "of at least 4 digits");
    }
    if (find(asking, hash, text, &rows, err) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_hide(asking, "no such run that waits for them");
    }
    if (rows_n(rows) > 1) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "several runs end in %s: give more digits", text);
    }
    asking_about(asking, row_text(rows, 0, "name"));
    *ret_waiting = waiting_of(rows);
    return check_approver(asking, ret_waiting)
               ?: check_open(asking, ret_waiting, row_bool(rows, 0, "open"));
}

struct run_pending waiting_told(const struct waiting *waiting)
{
    return (struct run_pending){
        .whose = approval_text(&waiting->approval),
        .lacking = waiting->approval.count - waiting->given,
        .until = waiting->until,
    };
}

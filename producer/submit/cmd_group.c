/*
 * cmd_group.c: group add, remove, list: who may approve runs together.
 *
 * A group is signed whole each time. Who is in it now comes from the revocation
 * log, and who somebody is from a checked chain: nobody who only answers us can
 * have an administrator sign a member whom no administrator meant.
 */
#include "model/pending.h"
#include "producer/submit/founding.h"
#include "producer/submit/heard.h"
#include "producer/submit/saved.h"

struct regrouping {
    bool adds;
    struct list named; /* struct id: whom the person named */
    struct group_set set;
    size_t changed;
};

static void add_id(struct list *ids, const struct id *id)
{
    *(struct id *)list_grow(ids, sizeof(*id)) = *id;
}

/* Whoever was removed since is in no group any more. */
static bool is_removed(const struct submit *submit, const struct id *user)
{
    static const struct hash none;

    return standing_of(heard_standing(submit), user, &none, NULL) ==
           STANDS_NOT_REMOVED;
}

/* Those who are in it now, as far as they stay. */
static void keep_members(const struct submit *submit, struct regrouping *r,
                         const struct list *now)
{
    for (size_t i = 0; i < now->n; i++) {
        const struct id *user = &list_at(now, struct id, i);
        bool leaves = !r->adds && members_hold(&r->named, user);
        r->changed += leaves;
        if (!leaves && !is_removed(submit, user)) {
            add_id(&r->set.members, user);
        }
    }
}

static void add_members(struct regrouping *r)
{
    for (size_t i = 0; i < r->named.n; i++) {
        const struct id *user = &list_at(&r->named, struct id, i);
        if (!members_hold(&r->set.members, user)) {
            add_id(&r->set.members, user);
            r->changed++;
        }
    }
}

/* The group as it shall be, from what it is by the log; also where another
 * change came first. */
static int prepare(struct submit *submit, void *arg, struct err *err)
{
    struct regrouping *r = arg;

    if (heard_current(submit, err) != 0) {
        return -1;
    }
    const struct group_standing *now =
        standing_group(heard_standing(submit), r->set.name);
    if (!r->adds && (now == NULL || now->members.n == 0)) {
        return err_exit(err, EXIT_NOT_FOUND, "there is no group %s",
                        r->set.name);
    }
    free(r->set.members.items);
    r->set.members = (struct list){0};
    r->set.previous = now == NULL ? (struct hash){0} : now->hash;
    r->changed = 0;
    if (now != NULL) {
        keep_members(submit, r, &now->members);
    }
    if (r->adds) {
        add_members(r);
    }
    return r->set.members.n <= GROUP_MEMBERS_MAX
               ? 0
               : err_exit(err, EXIT_DATA,
                          "group %s would have %zu members, and at most %d can "
                          "be",
                          r->set.name, r->set.members.n, GROUP_MEMBERS_MAX);
}

static int find_named(struct submit *submit, struct regrouping *r,
                      struct err *err)
{
    for (size_t i = 1; i < submit->n_args; i++) {
        struct id user;
        if (user_find(submit, submit->args[i], &user, err) != 0) {
            return err_wrap(err, "nothing was changed");
        }
        if (!members_hold(&r->named, &user)) {
            add_id(&r->named, &user);
        }
    }
    return 0;
}

static int regroup(struct submit *submit, struct regrouping *r, struct err *err)
{
    if (name_check(r->set.name, err) != 0 || find_named(submit, r, err) != 0 ||
        prepare(submit, r, err) != 0) {
        return -1;
    }
    if (r->changed == 0) {
        say("group %s stays as it is: %s", r->set.name,
            r->adds ? "they are in it already" : "they are not in it");
        return 0;
    }
    if (submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_GROUP_SET,
                                      .payload = &r->set,
                                      .anew = prepare,
                                      .arg = r},
                   err) != 0) {
        return -1;
    }
    if (r->set.members.n == 0) {
        say("there is no group %s any more", r->set.name);
        return 0;
    }
    say("group %s has %zu member%s now", r->set.name, r->set.members.n,
        r->set.members.n == 1 ? "" : "s");
    return 0;
}

static int change(struct submit *submit, bool adds, struct err *err)
{
    struct regrouping r = {.adds = adds, .set.name = submit->args[0]};
    int done = regroup(submit, &r, err);

    free(r.named.items);
    free(r.set.members.items);
    return done;
}

int cmd_group_add(struct submit *submit, struct err *err)
{
    return change(submit, true, err);
}

int cmd_group_remove(struct submit *submit, struct err *err)
{
    return change(submit, false, err);
}

static const struct column group_columns[] = {
    {"group", COLUMN_TEXT, .at = offsetof(struct group_row, name)},
    {"members", COLUMN_TEXTS, .at = offsetof(struct group_row, members),
     .wide = true},
    {"can't approve now", COLUMN_TEXTS,
     .at = offsetof(struct group_row, unable), .wide = true},
};

int cmd_group_list(struct submit *submit, struct err *err)
{
    struct noun noun = {.nothing = "there is no group yet: submit group add",
                        .table = row_table(&groups_answer_table),
                        .columns = group_columns,
                        .n = ARRAY_SIZE(group_columns)};
    struct plain_request plain = {0};
    struct groups_answer answer = {0};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_GROUP_LIST,
                                      .payload = &plain,
                                      .answer = &groups_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = print_rows(&submit->print, &noun, &answer.groups, err);
    table_done(&groups_answer_table, &answer);
    return done;
}

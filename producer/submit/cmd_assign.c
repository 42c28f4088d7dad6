/*
 * cmd_assign.c: assign add, assign list: who may run what.
 */
#include <string.h>

#include "base/clock.h"
#include "model/assignment.h"
#include "model/log_entry.h"
#include "producer/submit/assign.h"
#include "producer/submit/saved.h"

int assignees_find(struct submit *submit, struct assignee *assignees, size_t n,
                   struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (user_find(submit, assignees[i].email, &assignees[i].user, err) !=
            0) {
            return err_wrap(err, "nothing was changed");
        }
    }
    return 0;
}

/* --until as a duration from now, or a moment; --pin a version. */
static int read_terms(const struct submit *submit, struct assignment_add *add,
                      struct err *err)
{
    const char *until = flag_value(submit, "until");
    const char *pin = flag_value(submit, "pin");
    int64_t seconds = 0;

    if (until != NULL && time_parse(until, &add->until, err) != 0) {
        if (duration_parse(until, &seconds, err) != 0) {
            return err_exit(err, EXIT_DATA,
                            "--until %.60s: a time from now such as 8h or 7d, "
                            "or 2026-12-24T18:00:00.000Z",
                            until);
        }
        err_clear(err);
        add->until = clock_now() + seconds * 1000;
    }
    char *end = NULL;
    if (pin != NULL) {
        add->pin = strtoll(pin, &end, 10);
    }
    return pin == NULL || (*end == '\0' && add->pin >= 1 && add->pin <= 1000000)
               ? 0
               : err_exit(err, EXIT_DATA, "--pin %.60s: a version, such as 3",
                          pin);
}

static int assign_one(struct submit *submit, const struct id *command,
                      const struct id *user, struct err *err)
{
    struct assignment_add add = {.user = *user, .command = *command};

    if (read_terms(submit, &add, err) != 0) {
        return -1;
    }
    return submit_ask(submit,
                      &(struct question){.as = ASK_OWN,
                                         .kind = EVENT_ASSIGNMENT_ADD,
                                         .payload = &add},
                      err);
}

int assignees_add(struct submit *submit, const struct id *command,
                  const char *name, const struct assignee *assignees, size_t n,
                  struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *email = assignees[i].email;
        if (assign_one(submit, command, &assignees[i].user, err) != 0) {
            return err_wrap(err,
                            "%zu of %zu assigned; %s and those after are not "
                            "(the same again is safe)",
                            i, n, email);
        }
        say("%s may run %s", email, name);
    }
    return 0;
}

/* COMMAND EMAIL...: what was typed, found before anything is changed. */
static int find_named(struct submit *submit, struct saved *ret_saved,
                      struct assignee *assignees, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        assignees[i].email = submit->args[i + 1];
    }
    return saved_find(submit, submit->args[0], ret_saved, err) != 0
               ? -1
               : assignees_find(submit, assignees, n, err);
}

int cmd_assign_add(struct submit *submit, struct err *err)
{
    const char *name = submit->args[0];
    size_t n = submit->n_args - 1;
    _cleanup_saved_ struct saved saved = {0};
    _cleanup_free_ struct assignee *assignees =
        must_calloc(n, sizeof(*assignees));

    if (find_named(submit, &saved, assignees, n, err) != 0) {
        return -1;
    }
    return assignees_add(submit, &saved.save.command, name, assignees, n, err);
}

int cmd_assign_remove(struct submit *submit, struct err *err)
{
    const char *name = submit->args[0];
    size_t n = submit->n_args - 1;
    _cleanup_saved_ struct saved saved = {0};
    _cleanup_free_ struct assignee *assignees =
        must_calloc(n, sizeof(*assignees));

    if (find_named(submit, &saved, assignees, n, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        struct assignment_remove remove = {.user = assignees[i].user,
                                           .command = saved.save.command};
        if (submit_ask(submit,
                       &(struct question){.as = ASK_OWN,
                                          .kind = EVENT_ASSIGNMENT_REMOVE,
                                          .payload = &remove},
                       err) != 0) {
            return err_wrap(err, "%s", assignees[i].email);
        }
        say("%s may run %s no more", assignees[i].email, name);
    }
    return 0;
}

static char *pin_make(const void *row)
{
    const struct assignment_row *assignment = row;

    return assignment->pin == 0
               ? must_strdup("newest")
               : must_printf("%lld", (long long)assignment->pin);
}

static const struct column assignment_columns[] = {
    {"command", COLUMN_TEXT, .at = offsetof(struct assignment_row, command)},
    {"user", COLUMN_TEXT, .at = offsetof(struct assignment_row, email)},
    {"state", COLUMN_WORD, .at = offsetof(struct assignment_row, state),
     .words = &user_state_words},
    {"since", COLUMN_TIME, .at = offsetof(struct assignment_row, added)},
    {"until", COLUMN_TIME, .at = offsetof(struct assignment_row, until)},
    {"version", COLUMN_MADE, .make = pin_make},
    {"by", COLUMN_TEXT, .at = offsetof(struct assignment_row, added_by),
     .wide = true},
};

int cmd_assign_list(struct submit *submit, struct err *err)
{
    struct assignment_list list = {.command =
                                       (char *)flag_value(submit, "command")};
    const char *user = flag_value(submit, "user");
    _cleanup_free_ char *email =
        user != NULL ? account_normal(user, err) : NULL;
    struct assignments_answer answer = {0};
    struct noun noun = {.nothing = "nothing is assigned",
                        .table = row_table(&assignments_answer_table),
                        .columns = assignment_columns,
                        .n = ARRAY_SIZE(assignment_columns)};

    if (user != NULL && email == NULL) {
        err->status = EXIT_DATA;
        return -1;
    }
    list.email = email;
    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_ASSIGNMENT_LIST,
                                      .payload = &list,
                                      .answer = &assignments_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = print_rows(&submit->print, &noun, &answer.assignments, err);
    table_done(&assignments_answer_table, &answer);
    return done;
}

/* assign explain */

static char *may_make(const void *row)
{
    const struct explained_answer *answer = row;

    return must_strdup(answer->may ? "yes" : "no");
}

static const struct column explained_columns[] = {
    {"may run it", COLUMN_MADE, .make = may_make},
    {"why", COLUMN_TEXT, .at = offsetof(struct explained_answer, why),
     .wide = true},
    {"signed by", COLUMN_TEXT, .at = offsetof(struct explained_answer, by)},
    {"at", COLUMN_TIME, .at = offsetof(struct explained_answer, at)},
    {"until", COLUMN_TIME, .at = offsetof(struct explained_answer, until)},
};

int cmd_assign_explain(struct submit *submit, struct err *err)
{
    static const struct noun noun = {.table = &explained_answer_table,
                                     .columns = explained_columns,
                                     .n = ARRAY_SIZE(explained_columns)};
    _cleanup_free_ char *email = account_normal(submit->args[1], err);
    struct assignment_list about = {.command = submit->args[0], .email = email};
    struct explained_answer answer = {0};

    if (email == NULL) {
        err->status = EXIT_DATA;
        return -1;
    }
    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_ASSIGNMENT_EXPLAIN,
                                      .payload = &about,
                                      .answer = &explained_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = print_row(&submit->print, &noun, &answer, err);
    bool may = answer.may;
    table_done(&explained_answer_table, &answer);
    return done != 0 ? done : may ? 0 : EXIT_OUTCOME;
}

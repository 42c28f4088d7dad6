/*
 * cmd_assign.c: assign add, assign list: who may run what.
 */
#include <string.h>

#include "model/assignment.h"
#include "producer/submit/assign.h"
#include "producer/submit/saved.h"

int assignees_find(struct submit *submit, struct assignee *assignees, size_t n,
                   struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (user_find(submit, assignees[i].email, &assignees[i].user, err) !=
            0) {
            return err_wrap(err, "nobody was assigned");
        }
    }
    return 0;
}

static int assign_one(struct submit *submit, const struct id *command,
                      const struct id *user, struct err *err)
{
    struct assignment_add add = {.user = *user, .command = *command};

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

int cmd_assign_add(struct submit *submit, struct err *err)
{
    const char *name = submit->args[0];
    size_t n = submit->n_args - 1;
    _cleanup_saved_ struct saved saved = {0};
    _cleanup_free_ struct assignee *assignees =
        must_calloc(n, sizeof(*assignees));

    for (size_t i = 0; i < n; i++) {
        assignees[i].email = submit->args[i + 1];
    }
    if (saved_find(submit, name, &saved, err) != 0 ||
        assignees_find(submit, assignees, n, err) != 0) {
        return -1;
    }
    return assignees_add(submit, &saved.save.command, name, assignees, n, err);
}

static const struct column assignment_columns[] = {
    {"command", COLUMN_TEXT, .at = offsetof(struct assignment_row, command)},
    {"user", COLUMN_TEXT, .at = offsetof(struct assignment_row, email)},
    {"state", COLUMN_WORD, .at = offsetof(struct assignment_row, state),
     .words = &user_state_words},
    {"since", COLUMN_TIME, .at = offsetof(struct assignment_row, added)},
    {"until", COLUMN_TIME, .at = offsetof(struct assignment_row, until)},
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
